"""Feeds the screen from a worker in another process: its store, and its journal."""

import time
from collections.abc import Callable
from typing import Final

from callagent_cli.cli.alerts.watcher import Watcher
from callagent_cli.cli.place.last_worker import is_gone
from callagent_cli.cli.place.living_worker import living_worker
from callagent_cli.cli.place.snapshot import snapshot_of
from callagent_cli.cli.place.workplace import Workplace
from callagent_cli.cli.screen.journal_tail import JournalTail
from callagent_cli.errors import StoreError
from callagent_cli.monitor.state import ViewState
from callagent_cli.store.lock import Holder
from callagent_cli.store.sqlite_store import SqliteStore

LOOK_EVERY_S: Final = 0.25
LOOK_SHARE: Final = 20
"""A look at a large store comes this many times less often than it takes."""


class StoreFeed:
    """Implements the screen's `Feed`: events come from the journal, counts from the store.

    It waits for a worker when none has run yet, and goes on with the next one when another begins.
    A `watcher` is told of each look, so that somebody hears of a worker that is lost.
    """

    def __init__(
        self,
        place: Workplace,
        campaign: str = "",
        *,
        clock_s: Callable[[], float] = time.monotonic,
        watcher: Watcher | None = None,
    ) -> None:
        self._watcher = watcher
        self.worker: Holder | None = None
        self._place, self._campaign, self._clock_s = place, campaign, clock_s
        self._store: SqliteStore | None = None
        self._tail: JournalTail | None = None
        self._run = ""
        self._due_s = 0.0

    def pull(self, state: ViewState) -> None:
        """Bring the state up to date; raises `StoreError`, `LogError`."""
        followed = self._tail is not None and self._follow(state, self._tail)
        began_s = self._clock_s()
        if began_s < self._due_s:
            return
        self.worker = living_worker(self._place)
        store = self._opened()
        if store is not None:
            self._look(state, store, followed=followed)
        ended_s = self._clock_s()
        self._due_s = ended_s + max(LOOK_EVERY_S, LOOK_SHARE * (ended_s - began_s))

    def close(self) -> None:
        """Release the database."""
        if self._watcher is not None:
            self._watcher.close()
        if self._store is not None:
            self._store.close()
            self._store = None

    def _look(self, state: ViewState, store: SqliteStore, *, followed: bool) -> None:
        last = store.last_run(self._campaign)
        if self._watcher is not None:
            self._watcher.look(store.last_run(), self.worker, time.time())
        campaign = self._campaign or (last.campaign if last is not None else _newest(store))
        begins = last is not None and last.id != self._run
        if begins and last is not None:
            self._run, self._tail = last.id, JournalTail(self._place.logs_dir, last.id)
            followed = self._follow(state, self._tail)
        # A worker whose heartbeat is old is lost, even if it still holds its lock.
        now_utc_s = time.time()
        gone = is_gone(last, self.worker, now_utc_s)
        stored = snapshot_of(store, campaign, alive=False, now_utc_s=now_utc_s, gone=gone)
        if followed and not begins:
            state.recount(stored)
        else:
            state.take(stored)
        if not state.campaign:
            state.campaign = campaign

    def _follow(self, state: ViewState, tail: JournalTail) -> bool:
        for stamped in tail.events():
            state.fold(stamped)
        return tail.found

    def _opened(self) -> SqliteStore | None:
        """Return the open database; none before the first run. Raises `StoreError` when gone."""
        exists = self._place.was_used
        if self._store is None:
            if exists:
                self._store = SqliteStore.open(self._place.database, read_only=True)
        elif not exists:
            raise StoreError(
                f"the database `{self._place.database}` is gone",
                hint="put it back, or start anew with `callagent run contacts.csv`",
            )
        return self._store


def _newest(store: SqliteStore) -> str:
    return next((campaign.name for campaign in store.campaigns()), "")
