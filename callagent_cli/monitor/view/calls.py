"""The calls as the operator sees them: totals that add up, in flight, retrying, and waiting."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Final

from callagent_cli.calls.model import FINAL_STATES, CallState
from callagent_cli.events import (
    AttemptFinished,
    CallChanged,
    RetryScheduled,
    StepStarted,
)
from callagent_cli.monitor.view.series import Ring

IN_FLIGHT_LIMIT = 1024
RETRIES_LIMIT = 1024
MEMORY_LIMIT = 10_000
GROUPS_LIMIT = 64
RESULTS_LIMIT = 32
NAME_LIMIT = 120
RATE_SPAN_S = 10
RATE_WINDOW_S = 600

WAITS: Final = frozenset({"parked", "reconciling", "scheduled"})
HOLDS_LANE: Final = frozenset({"active", "backoff"})
STATES: Final = tuple(state.value for state in CallState)
FINAL: Final = frozenset(state.value for state in FINAL_STATES)
STEP_SERVICE: Final = {
    "look_up": "crm",
    "compose": "llm",
    "dial": "elevenlabs",
    "follow": "elevenlabs",
    "record": "crm",
}
"""Which service a step goes through, for the column that says what a call waits on."""

_Group = tuple[str, str, str]


@dataclass(slots=True)
class InFlight:
    """A call that holds a lane: `since_utc_s` is when its current step began."""

    call: str
    name: str
    number: str
    state: str
    step: str
    since_utc_s: float
    attempt: int = 0
    of: int = 0

    @property
    def service(self) -> str:
        """The service its step goes through."""
        return STEP_SERVICE.get(self.step, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """A call whose next attempt is due at `due_utc_s`."""

    call: str
    name: str
    number: str
    service: str
    attempt: int
    of: int
    due_utc_s: float
    reason: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingGroup:
    """How many calls wait in one state for one service or reason."""

    state: str
    waits_for: str
    reason: str
    calls: int


class CallBook:
    """Counts and lists of calls, bounded whatever the number of contacts.

    Only calls that hold a lane, and the latest `MEMORY_LIMIT` waiting ones, are remembered one by
    one; everything else is a count.
    """

    def __init__(self) -> None:
        self.totals: dict[str, int] = dict.fromkeys(STATES, 0)
        self.results: dict[str, int] = {}
        self.in_flight: dict[str, InFlight] = {}
        self._retries: dict[str, Retry] = {}
        self._groups: dict[_Group, int] = {}
        self._group_of: dict[str, _Group] = {}
        self._finished = Ring(RATE_WINDOW_S // RATE_SPAN_S, RATE_SPAN_S)
        self._first_utc_s: float | None = None

    # Folding

    def changed(self, at_s: float, event: CallChanged) -> None:
        """Move a call from one state to another."""
        old, new = event.old, event.new
        if self._first_utc_s is None:
            self._first_utc_s = at_s
        totals = self.totals
        if totals.get(old, 0) > 0:
            totals[old] -= 1
        totals[new] = totals.get(new, 0) + 1
        if old in WAITS:
            self._leave_group(event.call, old)
        if new in HOLDS_LANE:
            self._keep_in_flight(at_s, event)
        else:
            self._forget(event.call)
            if new in WAITS:
                self._enter_group(event)
        if new in FINAL and old not in FINAL:
            self._finished.add(at_s)
        if event.result and new in FINAL:
            self._count_result(event.result)

    def step_started(self, at_s: float, event: StepStarted) -> None:
        """Keep which step a call works on, and since when."""
        call = self.in_flight.get(event.call)
        if call is not None:
            call.step = event.step
            call.since_utc_s = at_s
            call.attempt = call.of = 0

    def attempt_finished(self, event: AttemptFinished) -> None:
        """Keep the attempt a call is at; its countdown, if it had one, is over."""
        self._retries.pop(event.call, None)
        call = self.in_flight.get(event.call)
        if call is not None:
            call.attempt, call.of = event.attempt, event.of

    def retry_scheduled(self, at_s: float, event: RetryScheduled) -> None:
        """Keep when a call's next attempt is due."""
        if not event.call:
            return
        known = self.in_flight.get(event.call)
        self._retries.pop(event.call, None)
        while len(self._retries) >= RETRIES_LIMIT:
            del self._retries[next(iter(self._retries))]
        status = "" if event.http_status is None else str(event.http_status)
        self._retries[event.call] = Retry(
            call=event.call,
            name=known.name if known else "",
            number=known.number if known else "",
            service=event.service,
            attempt=event.attempt,
            of=event.of,
            due_utc_s=at_s + (event.delay_s or 0.0),
            reason=event.reason,
            why=(status or event.outcome or event.error_class)[:NAME_LIMIT],
        )

    def seed(self, totals: dict[str, int], waiting: tuple[WaitingGroup, ...] = ()) -> None:
        """Take over counts from the store; they replace everything counted so far."""
        self.totals = {state: totals.get(state, 0) for state in STATES}
        self._groups = {
            (group.state, group.waits_for, group.reason): group.calls
            for group in islice(waiting, GROUPS_LIMIT)
        }
        self._group_of.clear()

    def replace_lanes(
        self, in_flight: Iterable[InFlight | None], retries: Iterable[Retry | None]
    ) -> None:
        """Take over the calls that hold a lane from the store."""
        self.in_flight = {
            call.call: call for call in islice(filter(None, in_flight), IN_FLIGHT_LIMIT)
        }
        self._retries = {
            retry.call: retry for retry in islice(filter(None, retries), RETRIES_LIMIT)
        }

    def _keep_in_flight(self, at_s: float, event: CallChanged) -> None:
        call = self.in_flight.get(event.call)
        if event.new == "active":
            self._retries.pop(event.call, None)
        if call is None:
            if len(self.in_flight) >= IN_FLIGHT_LIMIT:
                return
            self.in_flight[event.call] = InFlight(
                event.call, event.name[:NAME_LIMIT], event.number, event.new, event.step, at_s
            )
            return
        if call.step != event.step:
            call.step, call.since_utc_s, call.attempt, call.of = event.step, at_s, 0, 0
        call.state = event.new
        call.name = event.name[:NAME_LIMIT] or call.name
        call.number = event.number or call.number

    def _forget(self, call: str) -> None:
        self.in_flight.pop(call, None)
        self._retries.pop(call, None)

    def _enter_group(self, event: CallChanged) -> None:
        group = (event.new, event.waits_for, event.reason[:NAME_LIMIT])
        if group not in self._groups and len(self._groups) >= GROUPS_LIMIT:
            group = (event.new, "", "other reasons")
        self._groups[group] = self._groups.get(group, 0) + 1
        if len(self._group_of) < MEMORY_LIMIT:
            self._group_of[event.call] = group

    def _leave_group(self, call: str, state: str) -> None:
        group = self._group_of.pop(call, None)
        if group is None or group not in self._groups:
            # A call from before this state was seen: any group of its state will do, so that the
            # groups go on adding up to the total of their state.
            group = next((known for known in self._groups if known[0] == state), None)
        if group is None:
            return
        self._groups[group] -= 1
        if self._groups[group] <= 0:
            del self._groups[group]

    def _count_result(self, result: str) -> None:
        if result not in self.results and len(self.results) >= RESULTS_LIMIT:
            result = "other"
        self.results[result] = self.results.get(result, 0) + 1

    # Reading

    @property
    def contacts(self) -> int:
        """The number of contacts: what all states add up to."""
        return sum(self.totals.values())

    @property
    def finished(self) -> int:
        """How many calls have reached a final state."""
        return sum(self.totals[state] for state in FINAL)

    @property
    def working(self) -> int:
        """How many lanes are taken."""
        return self.totals["active"] + self.totals["backoff"]

    @property
    def unfinished(self) -> int:
        """How many calls can still move by themselves."""
        return self.contacts - self.finished

    def retries(self, limit: int | None = None) -> list[Retry]:
        """Return the pending retries, the next one first."""
        ordered = sorted(self._retries.values(), key=lambda retry: (retry.due_utc_s, retry.call))
        return ordered if limit is None else ordered[:limit]

    @property
    def retrying(self) -> int:
        """How many calls wait for their next attempt."""
        return len(self._retries)

    def waiting(self) -> list[WaitingGroup]:
        """Return who waits for what, the largest group first."""
        groups = [
            WaitingGroup(state=state, waits_for=waits_for, reason=reason, calls=calls)
            for (state, waits_for, reason), calls in self._groups.items()
        ]
        return sorted(groups, key=lambda group: (-group.calls, group.state, group.reason))

    @property
    def held(self) -> int:
        """How many calls wait for something."""
        return sum(self._groups.values())

    def waiting_for(self, service: str) -> int:
        """Return how many calls are parked until a service is back."""
        return sum(
            calls for (_, waits_for, _), calls in self._groups.items() if waits_for == service
        )

    def rate_per_s(self, now_s: float) -> float | None:
        """Return the calls finished a second over the last ten minutes; none before the first."""
        if self._first_utc_s is None:
            return None
        finished = self._finished.total(now_s)
        elapsed_s = min(float(RATE_WINDOW_S), max(1.0, now_s - self._first_utc_s))
        return finished / elapsed_s if finished else None

    def eta_s(self, now_s: float) -> float | None:
        """Return the seconds until everything is finished at the current rate; none if unknown."""
        rate = self.rate_per_s(now_s)
        return None if rate is None or not self.unfinished else self.unfinished / rate
