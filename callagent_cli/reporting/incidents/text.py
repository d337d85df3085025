"""The words of an alert: its title and body, and the parts that all of them share."""

from typing import Final, NamedTuple

from callagent_cli.clock import utc_text
from callagent_cli.counting import counted
from callagent_cli.durations import duration_text
from callagent_cli.reporting.incidents.incident import Incident


class Text(NamedTuple):
    """An alert's one-line title and its body."""

    title: str
    body: str


_TO_DO: Final = {
    "unauthorized": "put a working key where callagent reads it, then lift the isolation",
    "quota": "add credit to the account; a waiting call is tried again every few minutes by itself",
    "misconfigured": "correct the setting that the error names, then lift the isolation",
}


def early(incident: Incident) -> str:
    """Return that a run ended before the health of its services had lasted; else nothing."""
    return " (early: the run ended before 2 min of health were over)" if incident.early else ""


def nth(incident: Incident) -> str:
    """Return how many times an incident was opened, when it was more than once."""
    return "" if incident.times_opened == 1 else f" ({ordinal(incident.times_opened)} time)"


def end_s(incident: Incident, now_s: float) -> float:
    """Return when an incident was over, or that it is not yet."""
    return incident.closed_utc_s if incident.closed_utc_s is not None else now_s


def ordinal(count: int) -> str:
    """Return a count as 1st, 2nd, 3rd, 4th and so on."""
    teens = 10 <= count % 100 <= 20  # noqa: PLR2004 — 11th to 13th break the rule of their digit.
    ending = "th" if teens else {1: "st", 2: "nd", 3: "rd"}.get(count % 10, "th")
    return f"{count}{ending}"


def _impact(incident: Incident) -> str:
    held = incident.calls_held
    counts = [
        f"{counted(incident.calls_affected, 'call')} met it" if incident.calls_affected else "",
        f"{counted(held, 'call')} not begun because of it" if held else "",
        f"{counted(incident.calls_parked, 'call waits', 'calls wait')} for it"
        if incident.calls_parked
        else "",
        f"{counted(incident.calls_failed, 'call')} failed for good"
        if incident.calls_failed
        else "",
    ]
    return ", ".join(count for count in counts if count) or "no call so far"


def body_of(
    incident: Incident, now_s: float, *, done: str, command: str, to_do: str | None = None
) -> str:
    """Return the body of an alert; `to_do` follows from who isolated the service, if not given."""
    lasts = duration_text(max(0, round(now_s - incident.first_failure_utc_s)))
    default = "nothing; it heals by itself. If it lasts, look at the provider's status page"
    lines = {
        "What": incident.last_error or incident.reason or incident.key,
        "Since": f"{utc_text(incident.first_failure_utc_s)}, {lasts} ago",
        "Impact": _impact(incident),
        "Done already": done,
        "To do": to_do if to_do is not None else _TO_DO.get(incident.owner, default),
        "Command": command,
        "Incident": incident.id,
    }
    return "\n".join(f"{name}: {text}" for name, text in lines.items())
