"""The list of people who are never called: durable, private, and never guessed."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from contact_files import ANN, BOB, EVE

from callagent_cli.errors import StoreError
from callagent_cli.store.sqlite_store import SqliteStore
from callagent_cli.store.suppressions import (
    EVERYWHERE,
    SANDBOX,
    Suppression,
    SuppressionList,
    campaign_scope,
)


def _of(number: str, scope: str = EVERYWHERE, reason: str = "asked") -> Suppression:
    return Suppression(number=number, reason=reason, added_utc_s=1.0, scope=scope)


@pytest.fixture
def known(tmp_path: Path) -> Iterator[SuppressionList]:
    """Return an empty list."""
    opened = SuppressionList.open(tmp_path / "state" / "suppressions.db")
    yield opened
    opened.close()


def test_whoever_is_added_is_found_by_any_of_their_numbers(known: SuppressionList) -> None:
    """The reason comes back for a number on the list, whichever of a person's numbers it is."""
    assert known.add([_of(ANN)]) == 1

    assert known.reason(BOB, ANN) == "asked"
    assert known.reason(BOB) == ""
    assert known.reason("") == ""


def test_an_addition_is_seen_by_a_list_that_is_open_already(
    known: SuppressionList, tmp_path: Path
) -> None:
    """What one process adds, a worker that runs finds at its next dial, and after a restart."""
    other = SuppressionList.open(tmp_path / "state" / "suppressions.db")
    other.add([_of(ANN)])
    other.close()

    assert known.reason(ANN) == "asked"


def test_the_first_reason_stays(known: SuppressionList) -> None:
    """Somebody who is on the list already keeps the reason and is not counted again."""
    known.add([_of(ANN, reason="first")])

    assert known.add([_of(ANN, reason="second"), _of(BOB)]) == 1
    assert known.reason(ANN) == "first"


def test_a_scope_holds_only_where_it_is_asked_for(known: SuppressionList) -> None:
    """What a pretended person said holds in the sandbox, a campaign's marks in the campaign."""
    known.add([_of(ANN, SANDBOX)])
    known.replace(campaign_scope("spring"), [_of(BOB, campaign_scope("spring"))])

    assert known.reason(ANN, BOB) == ""
    known.scopes = (EVERYWHERE, SANDBOX)
    assert list(known.numbers()) == [ANN]
    known.scopes = (EVERYWHERE, campaign_scope("spring"))
    assert known.reason(BOB) == "asked"


def test_a_campaigns_marks_replace_those_of_its_earlier_file(known: SuppressionList) -> None:
    """A corrected file lifts what only it had said; what holds everywhere is never lifted."""
    scope = campaign_scope("spring")
    known.scopes = (EVERYWHERE, scope)
    known.add([_of(EVE)])
    known.replace(scope, [_of(ANN, scope)])
    known.replace(scope, [_of(BOB, scope)])

    assert [known.reason(number) for number in (ANN, BOB, EVE)] == ["", "asked", "asked"]
    with pytest.raises(ValueError, match="never taken off"):
        known.replace(EVERYWHERE, [])


def test_a_failing_source_adds_nobody(known: SuppressionList) -> None:
    """All of a batch is kept or nothing of it, and the list goes on working."""

    def broken() -> Iterator[Suppression]:
        yield _of(ANN)
        raise StoreError("gone")

    with pytest.raises(StoreError):
        known.add(broken())

    assert known.reason(ANN) == ""
    assert known.add([_of(BOB)]) == 1


def test_only_the_owner_can_read_it(known: SuppressionList, tmp_path: Path) -> None:
    """The file holds whole numbers: it is private, its folder too."""
    known.add([_of(ANN)])
    folder = tmp_path / "state"

    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}

    assert modes == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_damaged_list_is_refused(tmp_path: Path) -> None:
    """A file that is no list, or another program's database, raises and is not overwritten."""
    garbage = tmp_path / "garbage.db"
    garbage.write_bytes(b"not a database " * 500)
    SqliteStore.open(tmp_path / "other.db").close()

    for path in (garbage, tmp_path / "other.db"):
        before = path.read_bytes()
        with pytest.raises(StoreError):
            SuppressionList.open(path)
        assert path.read_bytes() == before


def test_a_list_that_is_deleted_while_it_is_open_is_not_read_as_empty(
    known: SuppressionList, tmp_path: Path
) -> None:
    """Neither asking nor adding goes on with a file that is gone."""
    (tmp_path / "state" / "suppressions.db").unlink()

    with pytest.raises(StoreError, match="deleted"):
        known.reason(ANN)
    with pytest.raises(StoreError, match="deleted"):
        known.add([_of(ANN)])
