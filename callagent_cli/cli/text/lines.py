"""Events as plain lines: what a person follows in a pipe, in a log viewer, or above a bar."""

from collections.abc import Callable
from typing import Any, Final

from callagent_cli.counting import counted
from callagent_cli.durations import duration_text
from callagent_cli.events import (
    AlertRaised,
    BreakerChanged,
    CallChanged,
    CommandObeyed,
    Event,
    GateClosed,
    HealthChecked,
    ListenerFailed,
    RetryScheduled,
    RunDraining,
    RunPaused,
    RunResumed,
    RunWaiting,
    SinkDropped,
    Stamped,
    StepDegraded,
)
from callagent_cli.monitor.paint.plain import gathered, in_words

SAID_AGAIN_S: Final = 300.0
"""How long what has not changed is left unsaid."""

ALIKE_SHOWN: Final = 3
"""How many calls in a row are told one by one when the same befalls them."""

_FOLDED: Final = frozenset({"parked", "reconciling", "scheduled"})
_QUIET: Final = frozenset({"pending", "active", "backoff"})


def line_of(event: Event) -> str:
    """Return the line for an event, or an empty text for one that few would follow."""
    describe = _LINES.get(type(event))
    return describe(event) if describe else ""


class Lines:
    """Puts events into lines, and leaves out what was said a moment ago.

    While a service is down its health checks and the wait for it say the same again and again: a
    person wants the change, and now and then a sign of life. A listener that fails at every event
    is told of once, and of many calls that wait for one reason the first few and how many more they
    were; the log has it all.
    """

    def __init__(self) -> None:
        self._said: dict[str, tuple[str, float]] = {}
        self._broken: set[str] = set()
        self._alike = ("", "")
        self._alike_calls = 0
        self._more = ""

    def lines(self, stamped: Stamped) -> list[str]:
        """Return the line of an event, after the one that counts the calls left out before it."""
        text = self.line(stamped)
        if not text:
            return []
        more, self._more = self._more, ""
        return [more, text] if more else [text]

    def line(self, stamped: Stamped) -> str:
        """Return the line of an event; empty for one that has none or says nothing new."""
        event = stamped.event
        text = line_of(event)
        if isinstance(event, HealthChecked):
            text = self._once(f"health {event.service}", text, text, stamped)
        if isinstance(event, RunWaiting):
            text = self._once("waiting", event.reason, text, stamped)
        if isinstance(event, BreakerChanged) and event.new == "closed":
            self._said.pop(f"health {event.service}", None)
        elif isinstance(event, ListenerFailed):
            if event.listener in self._broken:
                return ""
            self._broken.add(event.listener)
        return self._folded(event, text) if text else ""

    def _folded(self, event: Event, text: str) -> str:
        """Return the line, or nothing for one of many calls that wait for the same reason."""
        alike = ("", "")
        if isinstance(event, CallChanged) and event.new in _FOLDED:
            alike = (event.new, event.reason)
        if alike != self._alike:
            left_out = self._alike_calls - ALIKE_SHOWN
            if left_out > 0:
                state, reason = self._alike
                because = f": {in_words(reason)}" if reason else ""
                self._more = f"and {counted(left_out, 'call')} more {state}{because}"
            self._alike, self._alike_calls = alike, 0
        self._alike_calls += bool(alike[0])
        return "" if self._alike_calls > ALIKE_SHOWN else text

    def _once(self, subject: str, news: str, text: str, stamped: Stamped) -> str:
        said, at_s = self._said.get(subject, ("", 0.0))
        if news == said and 0 <= stamped.monotonic_s - at_s < SAID_AGAIN_S:
            return ""
        self._said[subject] = (news, stamped.monotonic_s)
        return text


def _call(event: CallChanged) -> str:
    who = f"{event.name or event.call} {event.number}".strip()
    if event.new in _QUIET:
        return ""
    again = " in" if event.reason.endswith(" again") else ", again in"
    due = f"{again} {_time(event.due_in_s)}" if (event.due_in_s or 0) >= 1 else ""
    result = f" ({in_words(event.result)})" if event.new == "done" and event.result else ""
    reason = "" if event.new == "done" or not event.reason else f": {in_words(event.reason)}"
    return f"call {who} {event.new}{result}{reason}{due}"


def _waiting(event: RunWaiting) -> str:
    due = "" if event.due_in_s is None else f", the next in {_time(event.due_in_s)}"
    return f"waiting: {gathered(in_words(event.reason))}{due}"


def _time(seconds: float | None) -> str:
    """Return a wait as people write it, in whole seconds."""
    return duration_text(max(1.0, round(seconds or 0.0)))


def _retry(event: RetryScheduled) -> str:
    why = event.error_message or event.outcome
    if event.reason not in {"", "backoff"}:
        why = f"{event.reason}: {why}"
    what = f"attempt {event.attempt} of {event.of} in {event.delay_s or 0:.1f} s"
    return f"{event.operation}: {what} ({why})"


def _breaker(event: BreakerChanged) -> str:
    how_long = f" for at least {event.open_s:.0f} s" if event.open_s else ""
    move = in_words(f"{event.old} → {event.new}")
    return f"{event.service} breaker {move}{how_long}: {event.reason}"


def _health(event: HealthChecked) -> str:
    if event.breaker_state == "closed":
        return ""
    return f"{event.service} health check: {event.health}"


def _degraded(event: StepDegraded) -> str:
    if event.active:
        return f"{event.step} goes on with {event.instead}: {event.error_message}"
    return f"{event.step} has {event.service} again"


_LINES: Final[dict[type[Event], Callable[[Any], str]]] = {
    AlertRaised: lambda event: f"ALERT {event.kind}: {event.title}",
    BreakerChanged: _breaker,
    CallChanged: _call,
    CommandObeyed: lambda event: f"stopped by {event.by}" if event.command == "stop" else "",
    GateClosed: lambda event: f"{event.service} asks to wait {event.delay_s or 0:.1f} s",
    HealthChecked: _health,
    ListenerFailed: lambda event: f"listener {event.listener} failed: {event.error_message}",
    RetryScheduled: _retry,
    RunDraining: lambda event: f"draining: {event.reason}",
    RunPaused: lambda event: f"paused by {event.by}",
    RunResumed: lambda event: f"resumed by {event.by}",
    RunWaiting: _waiting,
    SinkDropped: lambda event: f"{event.sink} lost {event.dropped} lines: {event.error_message}",
    StepDegraded: _degraded,
}
