"""Notices that the worker was lost while somebody watches, and has the alert of it delivered."""

import threading
import time
from collections.abc import Callable
from typing import Final

from callagent_cli.cli.alerts.watcher_alerts import Told, tell
from callagent_cli.cli.place.last_worker import lives
from callagent_cli.cli.place.workplace import Workplace
from callagent_cli.errors import CallAgentError
from callagent_cli.reporting.incidents import is_lost
from callagent_cli.store.lock import Holder
from callagent_cli.store.port import RunRow

GRACE_S: Final = 5.0
"""A supervisor that starts the worker again at once is faster than this."""

AGAIN_S: Final = 60.0
"""How often it is looked at again: for reminders, and for health."""

RETRY_S: Final = 15.0
RETRY_MAX_S: Final = 300.0
_CLOSE_S: Final = 2.0


def lost_run(run: RunRow | None, holder: Holder | None, now_utc_s: float) -> RunRow | None:
    """Return the run whose worker is lost, if it is; `holder` is who holds its lock."""
    if run is None or (holder is not None and holder.alive and holder.pid != run.pid):
        return None  # Nothing has run, or the next worker is about to say so.
    silent_s = now_utc_s - run.heartbeat_utc_s
    lost = is_lost(
        heartbeat_utc_s=run.heartbeat_utc_s,
        ended_utc_s=run.ended_utc_s,
        held=lives(run, holder, now_utc_s),
        now_utc_s=now_utc_s,
    )
    # A heartbeat of the future says nothing about time: the lock that nobody holds does.
    return run if lost and not 0 <= silent_s < GRACE_S else None


class Watcher:
    """Looks on beside a screen or a list; what it does about a lost worker is done on a thread.

    Of several watchers one acts. `note` says in a few words what became of it.
    """

    def __init__(
        self,
        place: Workplace,
        *,
        clock_s: Callable[[], float] = time.monotonic,
        act: Callable[..., Told] = tell,
    ) -> None:
        self.note = ""
        self._place, self._clock_s, self._act = place, clock_s, act
        self._thread: threading.Thread | None = None
        self._run = ""
        self._due_s = 0.0
        self._rest_s = RETRY_S

    def look(self, run: RunRow | None, holder: Holder | None, now_utc_s: float) -> None:
        """Take in how the last run stands; never waits."""
        lost = lost_run(run, holder, now_utc_s)
        if lost is not None and lost.id != self._run:
            self._run, self._due_s = lost.id, 0.0
        elif lost is None and (run is None or run.id != self._run):
            self._run, self.note = "", ""
        if not self._run or self._busy() or self._clock_s() < self._due_s:
            return
        self._due_s = self._clock_s() + AGAIN_S
        self._thread = threading.Thread(
            target=self._tell, args=(lost is not None,), name="watcher", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Let what is being sent get out, for a moment; the rest is left to whoever comes next."""
        if self._thread is not None:
            self._thread.join(_CLOSE_S)

    def _busy(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _tell(self, lost: bool) -> None:
        """Act once; runs on the thread."""
        run = self._run
        try:
            told = self._act(self._place, run, lost=lost)
        except CallAgentError as error:
            told = Told(note=f"no alert could be sent: {error.message}", waiting=1)
        self.note = told.note
        self._rest_s = min(2 * self._rest_s, RETRY_MAX_S) if told.waiting else RETRY_S
        self._due_s = self._clock_s() + (self._rest_s if told.waiting else AGAIN_S)
        if told.over and run == self._run:
            self._run = ""
