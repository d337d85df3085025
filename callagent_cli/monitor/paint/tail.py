"""The latest notable events in words, for the events panel."""

from collections.abc import Callable
from datetime import tzinfo
from typing import Any, Final

from callagent_cli import events
from callagent_cli.counting import counted
from callagent_cli.events import Event, Stamped
from callagent_cli.monitor.paint.plain import clock_time
from callagent_cli.monitor.paint.rows import who
from callagent_cli.monitor.paint.table import Cell, Column, Row
from callagent_cli.monitor.verdict import Tone

TAIL_COLUMNS: Final = (Column("time", "TIME", 8), Column("what", "WHAT", 12, flex=True))

_CALL_TONES: Final[dict[str, Tone]] = {
    "done": "good",
    "failed": "bad",
    "review": "warning",
    "parked": "warning",
    "reconciling": "warning",
}
_BREAKER_TONES: Final[dict[str, Tone]] = {
    "closed": "good",
    "half_open": "warning",
    "open": "bad",
    "isolated": "bad",
}


def tail_rows(notes: list[Stamped], zone: tzinfo | None) -> list[Row]:
    """Return notable events as lines."""
    rows = []
    for stamped in notes:
        what = describe(stamped.event)
        cells = {"time": Cell(clock_time(stamped.utc_s, zone), "muted"), "what": what}
        rows.append(Row(str(stamped.sequence), cells))
    return rows


def describe(event: Event) -> Cell:
    """Return one event in words."""
    words = _WORDS.get(type(event))
    return words(event) if words else Cell(type(event).__name__)


def _because(text: str, reason: str) -> str:
    return f"{text}: {reason}" if reason else text


def _call(event: events.CallChanged) -> Cell:
    name = who(event.name, event.number, event.call, show_numbers=False)
    reason = event.reason or event.result
    return Cell(_because(f"{name} {event.new}", reason), _CALL_TONES.get(event.new, "plain"))


def _breaker(event: events.BreakerChanged) -> Cell:
    state = event.new.replace("_", "-")
    text = _because(f"{event.service} breaker {state}", event.reason)
    return Cell(text, _BREAKER_TONES[event.new])


def _degraded(event: events.ServiceDegraded) -> Cell:
    if event.degraded:
        return Cell(_because(f"{event.service} degraded", event.reason), "warning")
    return Cell(f"{event.service} well again", "good")


def _step(event: events.StepDegraded) -> Cell:
    if event.active:
        return Cell(f"{event.step} goes on: {event.instead}", "warning")
    return Cell(f"{event.step} uses {event.service} again", "good")


def _imported(event: events.ContactsImported) -> Cell:
    text = f"{counted(event.accepted, 'contact')} from {event.file}"
    return Cell(text + (f", {event.rejected:,} rejected" if event.rejected else ""))


_WORDS: Final[dict[type[Event], Callable[[Any], Cell]]] = {
    events.RunStarted: lambda event: Cell(
        f"run started: {event.contacts}, {counted(event.lanes, 'lane')}"
    ),
    events.RunEnded: lambda event: Cell(_because("run ended", event.reason)),
    events.RunPaused: lambda event: Cell(f"dialing paused by {event.by}", "warning"),
    events.RunResumed: lambda event: Cell(f"dialing resumed by {event.by}"),
    events.RunDraining: lambda event: Cell(_because("draining", event.reason), "warning"),
    events.LanesChanged: lambda event: Cell(f"{counted(event.lanes, 'lane')}, by {event.by}"),
    events.CommandObeyed: lambda event: Cell(
        f"{event.by}: {event.command} {event.argument}".rstrip()
    ),
    events.ContactsImported: _imported,
    events.CallChanged: _call,
    events.BreakerChanged: _breaker,
    events.ServiceDegraded: _degraded,
    events.StepDegraded: _step,
    events.AlertDelivered: lambda event: Cell(
        _because(f"alert not delivered by {event.channel}", event.error_message), "warning"
    ),
    events.SinkDropped: lambda event: Cell(
        _because(f"{event.sink} lost {counted(event.dropped, 'line')}", event.error_message),
        "warning",
    ),
    events.ListenerFailed: lambda event: Cell(
        _because(f"{event.listener} failed", event.error_message), "warning"
    ),
}
