"""A worker that is gone without having ended: noticed by whoever looks at its heartbeat."""

from typing import Final

from callagent_cli.clock import utc_text
from callagent_cli.durations import duration_text
from callagent_cli.reporting.incidents.text import Text

LOST_S: Final = 15.0
"""A worker beats each second; one that was silent for this long is taken for dead or hanging."""


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


def lost(*, heartbeat_utc_s: float, pid: int, host: str, held: bool, now_utc_s: float) -> Text:
    """Say that the worker is gone, or hangs, for a screen or an alert."""
    ago = duration_text(max(0, round(now_utc_s - heartbeat_utc_s)))
    where = f"pid {pid} on {host}"
    what = "does not answer any more" if held else "is gone without having ended its run"
    lines = {
        "What": f"the worker ({where}) {what}",
        "Since": f"{utc_text(heartbeat_utc_s)}, {ago} ago",
        "Impact": "nobody is dialed; no call is lost: each goes on where it stood",
        "Done already": "nothing: only a worker dials",
        "To do": f"end {where}, then start the run again" if held else "start the run again",
        "Command": "callagent run CONTACTS",
    }
    body = "\n".join(f"{name}: {text}" for name, text in lines.items())
    return Text(f"the worker's heartbeat is lost: silent for {ago}", body)
