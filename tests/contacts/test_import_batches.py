"""A large file goes into the store in batches: others write meanwhile, and a kill loses nothing."""

import errno
import io
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from contact_files import ANN, BOB, EVE
from hypothesis import given
from hypothesis import strategies as st

from callagent_cli.calls.model import CallState, Contact
from callagent_cli.cli.contacts import importer as contact_import
from callagent_cli.cli.contacts.columns import half_loaded, known_columns
from callagent_cli.cli.contacts.importer import Importer
from callagent_cli.cli.contacts.marks import Marks
from callagent_cli.cli.contacts.spool import CallSpool, call_id
from callagent_cli.cli.contacts.suppressions import require_whole
from callagent_cli.contacts.options import Forbidden, ReadOptions
from callagent_cli.errors import ContactsError, StoreError
from callagent_cli.store.sqlite_store import SqliteStore
from callagent_cli.store.suppressions import (
    EVERYWHERE,
    Suppression,
    SuppressionList,
    campaign_scope,
)

PEOPLE = 50


class Killed(Exception):
    """The process ended."""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Return a database file that is not there yet."""
    return tmp_path / "state" / "sandbox.db"


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contact_import, "_BATCH", 10)
    _between(monkeypatch, lambda: None)


def _between(monkeypatch: pytest.MonkeyPatch, do: Callable[[], None]) -> None:
    """Have something done between any two batches, when the store is left alone."""
    monkeypatch.setattr(time, "sleep", lambda _: do())


def _file(folder: Path, numbers: list[str], *, head: str = "phone,Company Name") -> Path:
    path = folder / "contacts.csv"
    rows = [f"{number},Acme" for number in numbers]
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


def _people(count: int = PEOPLE) -> list[str]:
    return [f"+121255501{number:02d}" for number in range(count)]


def _load(path: Path, database: Path, *, allow_rejects: bool = False) -> Importer:
    importer = Importer(
        path,
        ReadOptions(allow_fiction=True),
        "spring",
        source=path.name,
        allow_rejects=allow_rejects,
    )
    with closing(SqliteStore.open(database)) as store:
        importer.load(store, now_utc_s=1.0, zones=False)
    return importer


def _is_half_loaded(database: Path) -> bool:
    with closing(SqliteStore.open(database, read_only=True)) as store:
        return half_loaded(store, "spring")


def _stored(database: Path) -> list[str]:
    with closing(SqliteStore.open(database, read_only=True)) as store:
        return [call.contact.number for call in store.calls("spring")]


def test_others_write_to_the_store_between_two_batches(
    tmp_path: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command is left, and the people stored so far are counted, before the import is over."""
    seen: list[int] = []

    def look() -> None:
        with closing(SqliteStore.open(database)) as other:
            other.add_command("pause", "", "somebody", 2.0)
            other.flush()
            seen.append(sum(other.totals("spring").values()))

    _between(monkeypatch, look)
    _load(_file(tmp_path, _people()), database)

    assert seen == [10, 20, 30, 40]
    assert _stored(database) == _people()


def test_the_store_is_free_while_the_file_is_read(tmp_path: Path, database: Path) -> None:
    """What a run notes before it reads does not keep others from writing."""
    with (
        closing(SqliteStore.open(database)) as store,
        closing(SuppressionList.open(tmp_path / "suppressions.db")) as known,
        closing(SqliteStore.open(database)) as other,
    ):
        require_whole(known, store, tmp_path / "suppressions.db")
        other.add_command("pause", "", "somebody", 2.0)
        other.flush()

        assert [each.name for each in store.take_commands()] == ["pause"]


def test_nothing_is_stored_while_the_file_is_read(tmp_path: Path, database: Path) -> None:
    """A row at the very end that cannot be read leaves no campaign behind."""
    path = _file(tmp_path, [*_people(), '"unclosed'])

    with pytest.raises(ContactsError, match="never closed"):
        _load(path, database)

    with closing(SqliteStore.open(database, read_only=True)) as store:
        assert store.campaigns() == []


def test_an_import_that_was_killed_goes_on_at_the_next_start(
    tmp_path: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same file is not taken for one that was loaded, and nobody is stored twice."""
    path = _file(tmp_path, _people())

    def kill() -> None:
        raise Killed

    _between(monkeypatch, kill)
    with pytest.raises(Killed):
        _load(path, database)
    stored = _stored(database)
    halves = [_is_half_loaded(database)]
    _between(monkeypatch, lambda: None)
    again = _load(path, database)

    assert stored == _people()[:10]
    assert not again.unchanged
    assert again.changed_from == ""
    assert again.known == 10
    assert _stored(database) == _people()
    assert [*halves, _is_half_loaded(database)] == [True, False]
    assert _load(path, database).unchanged


def test_a_store_that_fails_within_a_batch_keeps_none_of_it(
    tmp_path: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch is stored as a whole; the next start goes on after the last one."""
    path = _file(tmp_path, _people())
    flush = SqliteStore.flush
    left = iter([True, True, False])

    def full(store: SqliteStore) -> None:
        if not next(left, True):
            raise StoreError("the disk is full")
        flush(store)

    with monkeypatch.context() as patch:
        patch.setattr(SqliteStore, "flush", full)
        patch.setattr(SqliteStore, "close", lambda store: store._database._connection.close())
        with pytest.raises(StoreError):
            _load(path, database)

    assert _stored(database) == _people()[:20]
    assert _load(path, database).known == 20


def test_the_columns_are_known_as_soon_as_the_campaign_is_whole(
    tmp_path: Path, database: Path
) -> None:
    """A run that recognizes the file checks its template against them."""
    _load(_file(tmp_path, [ANN]), database)

    with closing(SqliteStore.open(database, read_only=True)) as store:
        assert known_columns(store, "spring") == ("company_name",)


def test_a_file_with_too_many_unusable_rows_stores_nobody(tmp_path: Path, database: Path) -> None:
    """All of it or nothing, unless it is asked for."""
    path = _file(tmp_path, [*_people(4), "12", "13"])

    with pytest.raises(ContactsError, match="2 of 6 rows cannot be used"):
        _load(path, database)
    assert _stored(database) == []
    assert _load(path, database, allow_rejects=True).report.accepted == 4


texts = st.text(max_size=8)
contacts = st.builds(
    Contact,
    line=st.integers(1, 1 << 31),
    number=st.sampled_from([ANN, BOB, EVE]),
    extension=st.sampled_from(["", "7"]),
    name=texts,
    timezone=st.sampled_from(["", "Europe/Berlin"]),
    crm_id=texts,
    alternate=st.sampled_from(["", EVE]),
    variables=st.dictionaries(texts, texts, max_size=3),
)


@given(people=st.lists(st.tuples(contacts, texts)), size=st.integers(1, 5))
def test_a_spool_gives_back_what_it_was_given(people: list[tuple[Contact, str]], size: int) -> None:
    """A call for each person in the same order, in lists of the size that was asked for."""
    with closing(CallSpool("spring", None)) as spool:
        for contact, left_out in people:
            spool.add(contact, left_out)
        batches = list(spool.batches(size))

        assert len(spool) == len(people)
    calls = [call for batch in batches for call in batch]
    assert [(call.contact, call.reason) for call in calls] == people
    assert [call.id for call in calls] == [call_id("spring", contact) for contact, _ in people]
    assert all((call.state is CallState.EXCLUDED) == bool(call.reason) for call in calls)
    assert all(len(batch) == size for batch in batches[:-1])


def test_the_last_of_a_spool_that_finds_no_room_is_a_store_error() -> None:
    """What is still in a buffer meets the full disk when the spool is read, and never again."""

    class Full(io.BytesIO):
        def seek(self, *_: int) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        def close(self) -> None:
            super().close()
            raise OSError(errno.ENOSPC, "No space left on device")

    spool = CallSpool("spring", None)
    spool._file.close()
    spool._file = Full()  # type: ignore[assignment]
    spool.add(Contact(line=2, number=ANN))

    with closing(spool), pytest.raises(StoreError, match="no room to keep the contacts"):
        list(spool.batches(10))


def test_a_text_that_is_none_is_kept_as_far_as_it_is_one() -> None:
    """A lone surrogate, as some encodings let through, becomes the replacement character."""
    contact = Contact(
        line=2, number=ANN, name="A\ud800", crm_id="\udc00", variables={"a": "\ud800b"}
    )
    with closing(CallSpool("spring", None)) as spool:
        spool.add(contact)
        [[kept]] = spool.batches(10)

    assert (kept.contact.name, kept.contact.crm_id) == ("A\ufffd", "\ufffd")
    assert kept.contact.variables == {"a": "\ufffdb"}


def test_marks_are_kept_for_ever_or_for_as_long_as_the_file_has_them(tmp_path: Path) -> None:
    """A clear one everywhere; unclear ones take the place of what the file said before."""
    scope = campaign_scope("spring")
    with closing(SuppressionList.open(tmp_path / "suppressions.db")) as known:
        for unclear in (BOB, EVE):
            marks = Marks()
            marks.add(Forbidden(2, ANN, "do_not_call"))
            marks.add(Forbidden(3, unclear, "do_not_call_unreadable"))
            marks.keep(known, "spring", "c.csv", now_utc_s=1.0)

        assert [(each.number, each.scope, each.reason) for each in known.entries()] == [
            (ANN, EVERYWHERE, "line 2 of c.csv says not to call"),
            (EVE, scope, "line 3 of c.csv has a do-not-call mark that is unreadable"),
        ]


def test_a_source_that_fails_leaves_the_list_as_it_was_and_free(tmp_path: Path) -> None:
    """Half of a file's marks are worse than none, and a list that is held open stops every dial."""

    def failing() -> Iterator[Suppression]:
        yield Suppression(number=ANN, reason="x", added_utc_s=1.0)
        raise Killed

    path = tmp_path / "suppressions.db"
    with (
        closing(SuppressionList.open(path)) as known,
        closing(SuppressionList.open(path)) as other,
    ):
        with pytest.raises(Killed):
            known.add(failing())

        assert known.entries() == []
        assert other.add([Suppression(number=BOB, reason="x", added_utc_s=1.0)]) == 1
