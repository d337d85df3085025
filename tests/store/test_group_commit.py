"""Group commit: one commit a turn, durable means on disk, and no failure is lost."""

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from store_builders import a_call, a_dial, filled

from callagent_cli.calls.model import CallState
from callagent_cli.errors import StorageFull, StoreError
from callagent_cli.store.database import Hooks
from callagent_cli.store.sqlite_store import SqliteStore


class Killed(Exception):
    """A simulated kill -9."""


@contextmanager
def commits(store: SqliteStore) -> Iterator[list[str]]:
    """Collect the transactions' beginnings and ends."""
    seen: list[str] = []

    def note(sql: str) -> None:
        word = sql.split(maxsplit=1)[0]
        if word in {"BEGIN", "COMMIT", "ROLLBACK"}:
            seen.append(word)

    connection = store._database._connection
    connection.set_trace_callback(note)
    yield seen
    connection.set_trace_callback(None)


def test_all_writes_of_a_turn_are_one_commit(store: SqliteStore) -> None:
    """Fifty lanes that each write twice in a turn share one transaction."""
    store.add_calls([a_call(line) for line in range(50)])
    store.flush()

    async def lane(line: int) -> None:
        store.save_call(a_call(line, state=CallState.ACTIVE))
        store.save_dial(a_dial(f"call_{line}"))
        await store.durable()
        store.save_call(a_call(line, state=CallState.DONE))
        await store.durable()

    async def all_lanes() -> None:
        await asyncio.gather(*(lane(line) for line in range(50)))

    with commits(store) as seen:
        asyncio.run(all_lanes())

    assert seen == ["BEGIN", "COMMIT"] * 2


def test_durable_returns_after_the_commit_and_not_before(database: Path) -> None:
    """What another connection sees when `durable` returns is everything written so far."""

    async def write(store: SqliteStore, reader: SqliteStore) -> tuple[int, int]:
        store.add_calls([a_call(1), a_call(2)])
        before = sum(reader.totals("spring").values())
        await store.durable()
        return before, sum(reader.totals("spring").values())

    with (
        closing(filled(SqliteStore.open(database))) as store,
        closing(SqliteStore.open(database, read_only=True)) as reader,
    ):
        assert asyncio.run(write(store, reader)) == (0, 2)


def test_durable_waits_for_nothing_when_everything_is_on_disk(store: SqliteStore) -> None:
    """Without an open transaction there is no commit and no turn to wait for."""

    async def ask() -> None:
        await store.durable()

    with commits(store) as seen, pytest.raises(StopIteration):
        ask().send(None)

    assert seen == []


def test_writes_nobody_waits_for_are_committed_too(store: SqliteStore) -> None:
    """A turn's writes are committed in the next turn, whether or not anybody awaits it."""

    async def write() -> None:
        store.save_campaign(next(iter(store.campaigns())))
        await asyncio.sleep(0)

    with commits(store) as seen:
        asyncio.run(write())

    assert seen == ["BEGIN", "COMMIT"]


def test_writes_made_before_the_loop_are_durable_within_it(store: SqliteStore) -> None:
    """The first `durable` of a loop commits what was written when none ran."""
    store.add_calls([a_call()])

    with commits(store) as seen:
        asyncio.run(store.durable())

    assert seen == ["COMMIT"]


def test_a_cancelled_waiter_takes_nobody_along(store: SqliteStore) -> None:
    """Lanes share the commit and not the future."""

    async def lane(line: int) -> None:
        store.add_calls([a_call(line)])
        await store.durable()

    async def write() -> list[BaseException | None]:
        lanes = [asyncio.ensure_future(lane(line)) for line in (1, 2)]
        asyncio.get_running_loop().call_soon(lanes[0].cancel)
        return await asyncio.gather(*lanes, return_exceptions=True)

    first, second = asyncio.run(write())

    assert isinstance(first, asyncio.CancelledError)
    assert second is None
    assert store.totals("spring") == {CallState.PENDING: 2}


def test_without_a_loop_writes_wait_for_flush(database: Path) -> None:
    """A command-line tool's writes are seen by others when it flushes or closes."""
    with (
        closing(filled(SqliteStore.open(database))) as store,
        closing(SqliteStore.open(database, read_only=True)) as reader,
    ):
        store.add_calls([a_call()])
        seen = [reader.totals("spring"), store.totals("spring")]
        store.flush()
        seen.append(reader.totals("spring"))

    assert seen == [{}, {CallState.PENDING: 1}, {CallState.PENDING: 1}]


def test_close_commits(database: Path) -> None:
    """Nothing is lost by closing."""
    filled(SqliteStore.open(database), a_call()).close()

    with closing(SqliteStore.open(database)) as store:
        store.add_calls([a_call(2)])
    with closing(SqliteStore.open(database)) as store:
        assert store.totals("spring") == {CallState.PENDING: 2}


def fill_the_disk(store: SqliteStore) -> None:
    """Leave the database no page to grow by."""
    pages = store._database.read("PRAGMA page_count")[0][0]
    store._database.read(f"PRAGMA max_page_count = {pages}")


def test_a_failure_reaches_everyone_who_waits_and_every_later_write(database: Path) -> None:
    """A full disk rolls the turn back; both waiters and the callback get the very same error."""
    told: list[StoreError] = []
    hooks = Hooks(on_failure=told.append)
    three = [a_call(line) for line in (1, 2, 3)]

    async def lane(store: SqliteStore, line: int) -> None:
        store.save_call(a_call(line, state=CallState.ACTIVE))
        await store.durable()

    async def greedy_lane(store: SqliteStore) -> None:
        store.save_call(a_call(3, results={"follow": "x" * 100_000}))

    async def write(store: SqliteStore) -> list[BaseException | None]:
        lanes = lane(store, 1), lane(store, 2), greedy_lane(store)
        return list(await asyncio.gather(*lanes, return_exceptions=True))

    with closing(filled(SqliteStore.open(database, hooks=hooks), *three)) as store:
        fill_the_disk(store)
        errors = asyncio.run(write(store))
        with pytest.raises(StorageFull) as later:
            store.save_call(a_call())
        with pytest.raises(StorageFull):
            asyncio.run(store.durable())
        with pytest.raises(StorageFull):
            store.flush()

    assert errors == [told[0]] * 3
    assert later.value is told[0]
    assert len(told) == 1
    with closing(SqliteStore.open(database)) as store:
        assert list(store.calls("spring")) == three


def test_an_import_onto_a_full_disk_adds_nothing(database: Path) -> None:
    """Adding calls fails as a whole, and the database opens with what it had."""
    with closing(filled(SqliteStore.open(database), a_call(0))) as store:
        fill_the_disk(store)
        with pytest.raises(StorageFull):
            store.add_calls(a_call(line, reason="x" * 1000) for line in range(1, 90))

    with closing(SqliteStore.open(database)) as store:
        assert store.totals("spring") == {CallState.PENDING: 1}


def test_a_database_that_stays_locked_is_an_error(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that never ends its transaction is named as what stops the worker."""
    monkeypatch.setattr("callagent_cli.store.database.BUSY_TIMEOUT_S", 0.0)
    with (
        closing(filled(SqliteStore.open(database))) as other,
        closing(SqliteStore.open(database)) as worker,
    ):
        other.add_calls([a_call()])

        with pytest.raises(StoreError, match="locked by another program"):
            worker.add_calls([a_call()])


def test_a_failure_that_nobody_heard_of_is_raised_by_close(database: Path) -> None:
    """A commit that fails with nobody waiting is not lost."""
    store = filled(SqliteStore.open(database), a_call())

    async def write() -> None:
        store.save_call(a_call(state=CallState.ACTIVE))
        database.unlink()  # noqa: ASYNC240 — the file is gone before the turn ends.
        await asyncio.sleep(0)

    asyncio.run(write())

    with pytest.raises(StoreError, match="deleted or replaced"):
        store.close()


def test_a_kill_before_the_commit_loses_the_turn_and_only_it() -> None:
    """What is raised in `before_commit` stops the worker; the successor sees the turn before."""

    def kill() -> None:
        raise Killed

    first = filled(SqliteStore.open(None), a_call())
    first.hooks = Hooks(before_commit=kill)
    first.save_call(a_call(state=CallState.ACTIVE))
    with pytest.raises(Killed):
        first.flush()

    with closing(first.abandon()) as second:
        assert second.call("call_1") == a_call()


def test_a_kill_after_the_commit_keeps_the_turn() -> None:
    """What is raised in `after_commit` comes when the turn is on disk."""

    def kill() -> None:
        raise Killed

    first = filled(SqliteStore.open(None), a_call())
    first.hooks = Hooks(after_commit=kill)
    changed = a_call(state=CallState.ACTIVE)
    first.save_call(changed)
    with pytest.raises(Killed):
        first.flush()

    with closing(first.abandon()) as second:
        assert second.call("call_1") == changed


def test_a_killed_turn_wakes_nobody_and_commits_nothing_later() -> None:
    """After a kill at a commit the dead worker's turn stays uncommitted, whatever still runs."""
    kills = []

    def kill() -> None:
        kills.append(1)
        raise Killed

    async def write(store: SqliteStore) -> bool:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
        store.save_call(a_call(state=CallState.ACTIVE))
        waiter = asyncio.ensure_future(store.durable())
        for _ in range(5):
            await asyncio.sleep(0)
        store.save_call(a_call(state=CallState.DONE))
        await asyncio.sleep(0)
        done = waiter.done()
        waiter.cancel()
        return done

    store = filled(SqliteStore.open(None), a_call())
    store.hooks = Hooks(before_commit=kill)
    woken = asyncio.run(write(store))

    with closing(store.abandon()) as successor:
        assert (woken, kills) == (False, [1])
        assert successor.call("call_1") == a_call()


def test_an_abandoned_store_is_dead() -> None:
    """What is left of a killed worker cannot write into its successor's database."""
    first = filled(SqliteStore.open(None), a_call())
    second = first.abandon()

    with pytest.raises(StoreError, match="abandoned"):
        first.save_call(a_call(state=CallState.DONE))
    with pytest.raises(StoreError, match="abandoned"):
        asyncio.run(first.durable())
    first.close()

    second.save_call(a_call(state=CallState.ACTIVE))
    second.close()
