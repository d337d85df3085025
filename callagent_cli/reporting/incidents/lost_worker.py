"""A worker that is gone without having ended: noticed by whoever looks at its heartbeat."""

from dataclasses import dataclass
from typing import Final

LOST_S: Final = 15.0
"""A worker beats each second; one that was silent for this long is taken for dead or hanging."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LostWorker:
    """A worker that was lost, and what it left.

    `held` says that its process still holds the run's lock. `in_flight` are the calls it worked,
    `pending` counts those that nobody has begun; `command` starts the run again.
    """

    pid: int
    host: str
    heartbeat_utc_s: float
    held: bool = False
    in_flight: tuple[str, ...] = ()
    pending: int = 0
    command: str = ""

    @property
    def what(self) -> str:
        """What happened, in words."""
        how = "does not answer any more" if self.held else "is gone without having ended its run"
        return f"the worker (pid {self.pid} on {self.host}) {how}"


def is_lost(
    *, heartbeat_utc_s: float, ended_utc_s: float | None, held: bool, now_utc_s: float
) -> bool:
    """Tell whether a run's heartbeat is lost.

    `ended_utc_s` is empty for a run that never said its end. `held` says that a living process
    holds the run's lock: then only a long silence counts, because it may be busy; without a holder
    the worker is gone, whatever the calendar says.
    """
    if ended_utc_s is not None:
        return False
    return not held or now_utc_s - heartbeat_utc_s >= LOST_S
