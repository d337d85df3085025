"""Events as plain lines: what a person follows in a pipe, in a log viewer, or above a bar."""

from collections.abc import Callable
from typing import Any, Final

from callagent_cli.durations import duration_text
from callagent_cli.events import (
    AlertRaised,
    BreakerChanged,
    CallChanged,
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

SAID_AGAIN_S: Final = 300.0
"""How long what has not changed is left unsaid."""

_QUIET: Final = frozenset({"pending", "active", "backoff"})


def line_of(event: Event) -> str:
    """Return the line for an event, or an empty text for one that few would follow."""
    describe = _LINES.get(type(event))
    return describe(event) if describe else ""


class Lines:
    """Puts events into lines, and leaves out what was said a moment ago.

    While a service is down its health checks and the wait for it say the same again and again: a
    person wants the change, and now and then a sign of life. A listener that fails at every event
    is told of once; the log has it all.
    """

    def __init__(self) -> None:
        self._said: dict[str, tuple[str, float]] = {}
        self._broken: set[str] = set()

    def line(self, stamped: Stamped) -> str:
        """Return the line of an event; empty for one that has none or says nothing new."""
        event = stamped.event
        text = line_of(event)
        if isinstance(event, HealthChecked):
            return self._once(f"health {event.service}", text, text, stamped)
        if isinstance(event, RunWaiting):
            return self._once("waiting", event.reason, text, stamped)
        if isinstance(event, BreakerChanged) and event.new == "closed":
            self._said.pop(f"health {event.service}", None)
        elif isinstance(event, ListenerFailed):
            if event.listener in self._broken:
                return ""
            self._broken.add(event.listener)
        return text

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
    result = f" ({event.result})" if event.new == "done" and event.result else ""
    reason = "" if event.new == "done" or not event.reason else f": {event.reason}"
    return f"call {who} {event.new}{result}{reason}{due}"


def _waiting(event: RunWaiting) -> str:
    due = "" if event.due_in_s is None else f", the next in {_time(event.due_in_s)}"
    return f"waiting: {event.reason}{due}"


def _time(seconds: float | None) -> str:
    """Return a wait as people write it, in whole seconds."""
    return duration_text(max(1.0, round(seconds or 0.0)))


def _retry(event: RetryScheduled) -> str:
    why = event.error_message or event.outcome
    what = f"attempt {event.attempt} of {event.of} of {event.operation}"
    return f"{event.service}: {what} in {event.delay_s or 0:.1f} s ({event.reason}: {why})"


def _breaker(event: BreakerChanged) -> str:
    how_long = f" for at least {event.open_s:.0f} s" if event.open_s else ""
    return f"{event.service} breaker {event.old} → {event.new}{how_long}: {event.reason}"


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
