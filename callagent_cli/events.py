"""Everything that happens, as typed events, and the bus that carries them to the listeners."""

import re
from collections.abc import Callable
from typing import Literal, NamedTuple

import msgspec

from callagent_cli.clock import Clock

BreakerState = Literal["closed", "open", "half_open", "isolated"]
Health = Literal["healthy", "unhealthy", "unknown"]
AlertKind = Literal["opened", "update", "resolved", "call_failed"]
Severity = Literal["critical", "warning", "info"]


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag_field="event", tag=_snake):
    """Base of all events; its name in the log is the class name in snake case.

    An event holds plain values only, so the garbage collector need not look at the thousands that
    a simulation keeps.
    """


class RunStarted(Event, frozen=True, kw_only=True):
    """A worker began: what it works on and how."""

    mode: str
    contacts: str
    lanes: int
    version: str


class RunEnded(Event, frozen=True, kw_only=True):
    """A worker ended; `totals` counts the calls by state and adds up to the contacts."""

    reason: str
    exit_code: int
    totals: dict[str, int]


class RunWaiting(Event, frozen=True, kw_only=True):
    """Nothing can move right now; `reason` says why, `due_in_s` when something can."""

    reason: str
    due_in_s: float | None = None


class RunPaused(Event, frozen=True, kw_only=True):
    """New dials were stopped by a person."""

    by: str


class RunResumed(Event, frozen=True, kw_only=True):
    """New dials were allowed again by a person."""

    by: str


class RunDraining(Event, frozen=True, kw_only=True):
    """The worker claims nothing more and lets what is in flight finish."""

    reason: str


class LanesChanged(Event, frozen=True, kw_only=True):
    """The number of calls worked at the same time was changed."""

    lanes: int
    by: str


class CommandObeyed(Event, frozen=True, kw_only=True):
    """A person's command reached the worker and was carried out."""

    command: str
    argument: str
    by: str


class ContactsImported(Event, frozen=True, kw_only=True):
    """A contacts file was read; the counts add up to its rows.

    A person who must not be called may stand in several of the `excluded` rows:
    `people_excluded` counts each once.
    """

    file: str
    accepted: int
    known: int
    duplicate: int
    rejected: int
    excluded: int
    people_excluded: int = 0
    blank: int


class ContactRejected(Event, frozen=True, kw_only=True):
    """One row of a contacts file cannot be used."""

    line: int
    code: str
    reason: str


class CallChanged(Event, frozen=True, kw_only=True):
    """A call moved to another state or step; `dials` counts the dials that may have rung."""

    call: str
    old: str
    new: str
    step: str
    reason: str
    name: str = ""
    number: str = ""
    due_in_s: float | None = None
    waits_for: str = ""
    dials: int = 0
    result: str = ""


class StepStarted(Event, frozen=True, kw_only=True):
    """A call began a step."""

    call: str
    step: str


class StepFinished(Event, frozen=True, kw_only=True):
    """A call completed a step; `detail` says how, in a few words."""

    call: str
    step: str
    detail: str


class DialIntended(Event, frozen=True, kw_only=True):
    """The intent to dial is on disk; the request goes out next."""

    call: str
    dial: str
    number: str


class DialSettled(Event, frozen=True, kw_only=True):
    """What became of a dial: placed, refused, unknown, or proven absent."""

    call: str
    dial: str
    status: Literal["placed", "refused", "unknown", "absent"]
    conversation: str = ""
    reason: str = ""


class DialLookedUp(Event, frozen=True, kw_only=True):
    """The provider was asked whether a dial placed a call."""

    call: str
    dial: str
    found: bool
    conversation: str = ""
    proven: bool = False


class ServiceEvent(Event, frozen=True, kw_only=True):
    """Base of all events about a service; each log line about one has all of these keys."""

    service: str
    operation: str = ""
    call: str = ""
    attempt: int = 0
    of: int = 0
    delay_s: float | None = None
    outcome: str = ""
    error_class: str = ""
    error_message: str = ""
    http_status: int | None = None
    request_id: str = ""
    breaker_state: BreakerState = "closed"


class AttemptFinished(ServiceEvent, frozen=True, kw_only=True):
    """One try of one operation ended, well or badly."""

    duration_s: float
    trial: bool = False


class RetryScheduled(ServiceEvent, frozen=True, kw_only=True):
    """The next attempt comes in `delay_s`; `reason` is backoff, retry_after, budget or proof."""

    reason: str


class BreakerChanged(ServiceEvent, frozen=True, kw_only=True):
    """A breaker moved; `open_s` is how long it stays open at least, `owner` who isolated it."""

    old: BreakerState
    new: BreakerState
    reason: str
    owner: str = ""
    open_s: float | None = None


class HealthChecked(ServiceEvent, frozen=True, kw_only=True):
    """A background health check came back; `next_check_s` is when the next one goes out."""

    health: Health
    duration_s: float
    next_check_s: float


class ServiceDegraded(ServiceEvent, frozen=True, kw_only=True):
    """A closed service is doubtful (`degraded` true) or well again."""

    degraded: bool
    reason: str


class GateClosed(ServiceEvent, frozen=True, kw_only=True):
    """The service asked all callers to wait `delay_s`."""

    reason: str


class SlotsChanged(ServiceEvent, frozen=True, kw_only=True):
    """The number of requests that the service may have in flight changed."""

    slots: int
    reason: str


class StepDegraded(ServiceEvent, frozen=True, kw_only=True):
    """A step went on without its service, or with another one; `active` false when that ended."""

    step: str
    active: bool
    instead: str


class AlertRaised(Event, frozen=True, kw_only=True):
    """Something a person should know; `incident` ties together what belongs to one outage."""

    alert: str
    incident: str
    kind: AlertKind
    severity: Severity
    service: str
    title: str
    body: str
    call: str = ""


class AlertDelivered(Event, frozen=True, kw_only=True):
    """A channel took an alert, or failed to."""

    alert: str
    channel: str
    delivered: bool
    error_message: str = ""


class SinkDropped(Event, frozen=True, kw_only=True):
    """A sink could not write; `dropped` counts everything it has lost so far."""

    sink: str
    dropped: int
    error_message: str


class ListenerFailed(Event, frozen=True, kw_only=True):
    """A listener raised; the call it listened to never noticed."""

    listener: str
    error_class: str
    error_message: str


class Stamped(NamedTuple):
    """An event with when and where it happened; `sequence` counts within the run."""

    utc_s: float
    monotonic_s: float
    sequence: int
    run: str
    campaign: str
    event: Event


Listener = Callable[[Stamped], None]


class Bus:
    """Hands each event to every listener, in order; a listener that raises touches nobody."""

    def __init__(self, clock: Clock, *, run: str = "", campaign: str = "") -> None:
        self._clock = clock
        self._listeners: list[tuple[Listener, tuple[type[Event], ...]]] = []
        self._hearers: dict[type[Event], list[Listener]] = {}
        self._sequence = 0
        self.run = run
        self.campaign = campaign

    def listen(self, listener: Listener, *kinds: type[Event]) -> None:
        """Add a listener of all events, or of these kinds; it must not block, and may emit events.

        Most events are attempts that went well: whoever waits for rarer ones should say so.
        """
        self._listeners.append((listener, kinds))
        self._hearers = {}

    def emit(self, event: Event) -> None:
        """Stamp the event and hand it to every listener."""
        self._sequence += 1
        clock = self._clock
        # What the class itself would do, without its call: it is done for each event.
        stamped = tuple.__new__(
            Stamped,
            (clock.utc(), clock.monotonic(), self._sequence, self.run, self.campaign, event),
        )
        for listener in self._hearers.get(type(event)) or self._hearers_of(type(event)):
            try:
                listener(stamped)
            except Exception as error:  # noqa: BLE001 — the listeners' boundary of DESIGN.md.
                self._report(listener, error, event)

    def _hearers_of(self, kind: type[Event]) -> list[Listener]:
        found = [listener for listener, kinds in self._listeners if not kinds or kind in kinds]
        self._hearers[kind] = found
        return found

    def _report(self, listener: Listener, error: Exception, event: Event) -> None:
        if isinstance(event, ListenerFailed):
            return  # A listener that fails on the report of its failure is not told again.
        name = getattr(listener, "__qualname__", type(listener).__name__)
        self.emit(
            ListenerFailed(
                listener=name, error_class=type(error).__name__, error_message=str(error)
            )
        )
