"""A look at a database file: what is wrong is found, and nothing is changed by looking."""

from contextlib import closing
from pathlib import Path

import pytest

from callagent_cli.errors import DatabaseCorrupt
from callagent_cli.store import examination
from callagent_cli.store.examination import examine
from callagent_cli.store.sqlite_store import SqliteStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a database that was made and closed."""
    made = tmp_path / "sandbox.db"
    SqliteStore.open(made).close()
    return made


def _files(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in folder.iterdir()}


def test_a_whole_database_passes_and_nothing_is_made_beside_it(path: Path) -> None:
    """Nobody who looks for a fault leaves files behind."""
    before = _files(path.parent)
    examine(path)

    assert _files(path.parent) == before == {path.name: path.read_bytes()}


def test_what_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    """Another file in its place is one for a person to move."""
    path.write_bytes(b"garbage\n")
    with pytest.raises(DatabaseCorrupt, match="not a database"):
        examine(path)

    assert _files(path.parent) == {path.name: b"garbage\n"}


def test_damage_in_the_middle_is_found(path: Path) -> None:
    """The beginning of a file says nothing about its end."""
    whole = path.read_bytes()
    path.write_bytes(whole[:20_000] + b"\xa5" * 20_000 + whole[40_000:])

    with pytest.raises(DatabaseCorrupt, match="damaged"):
        examine(path)


def test_a_worker_that_writes_is_not_disturbed(path: Path) -> None:
    """What is not in the one file yet is read where it stands, and the worker goes on."""
    with closing(SqliteStore.open(path)) as store:
        store.put("kind", "key", b"before")
        store.flush()
        examine(path)
        store.put("kind", "key", b"after")
        store.flush()

        assert store.get("kind", "key") == b"after"


def test_a_worker_that_begins_meanwhile_is_no_damage(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it moves below a look that locks nothing is looked at once more, with locks."""
    looks: list[bool] = []
    look = examination._look
    with closing(SqliteStore.open(path)) as store:

        def disturbed(path: Path, *, unchanging: bool, ours: bool) -> None:
            looks.append(unchanging)
            if unchanging:
                store.put("kind", "key", b"meanwhile")
                store.flush()
                raise DatabaseCorrupt("a page that moved")
            look(path, unchanging=unchanging, ours=ours)

        monkeypatch.setattr(examination, "_look", disturbed)
        examine(path)

    assert looks == [True, False]
