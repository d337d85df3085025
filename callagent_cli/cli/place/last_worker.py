"""Whether the worker of the last run lives, as far as its lock and its heartbeat tell."""

import os

from callagent_cli.store.lock import FRESH_HEARTBEAT_S, Holder
from callagent_cli.store.port import RunRow


def lives(run: RunRow, holder: Holder | None, now_utc_s: float) -> bool:
    """Return whether a process still works on a run; `holder` is who holds the lock, or held it.

    A worker on another host counts as living while its heartbeat is fresh: where a shared folder
    does not share its locks, that is the only sign of it.
    """
    if run.ended_utc_s is not None:
        return False
    if holder is not None and holder.alive:
        return True
    age_s = now_utc_s - run.heartbeat_utc_s
    return run.host != os.uname().nodename and 0 <= age_s < FRESH_HEARTBEAT_S


def is_gone(run: RunRow | None, holder: Holder | None, now_utc_s: float) -> bool:
    """Return whether a run never said its end and no process works on it any more."""
    return run is not None and run.ended_utc_s is None and not lives(run, holder, now_utc_s)
