"""Only transient outcomes are retried, never before Retry-After, never beyond the policy."""

from collections.abc import Mapping
from typing import Final

from callagent_cli.events import (
    AttemptFinished,
    BreakerChanged,
    CallChanged,
    GateClosed,
    RetryScheduled,
)
from callagent_cli.resilience.policy import Jitter, RetryPolicy
from callagent_cli.simulation.judge.evidence import (
    TOLERANCE_S,
    Broken,
    Case,
    Evidence,
    See,
    Sight,
    Watcher,
)
from callagent_cli.simulation.judge.gates import NO_WAIT, Gates, Wait, wait
from callagent_cli.simulation.twins.ledger import ReceivedRequest

_LIMITS: Final = frozenset({"throttled", "busy_here"})
"""A limit is no failure: waiting for it uses up no attempt."""

_TRANSIENT: Final = _LIMITS | {"unavailable", "timeout", "not_sent", "unknown"}
"""What the design lets be retried, `unknown` after proof; the engine's own table is on trial."""

_JITTERS: Final[dict[Jitter, tuple[float, float]]] = {
    "none": (1.0, 1.0),
    "quarter": (0.75, 1.25),
    "full": (0.0, 1.0),
}

_MOVING: Final = frozenset({"active", "backoff"})
"""States in which a call goes on with what it began."""

_Key = tuple[str, str, str]


class RetriesOnlyTransient(Watcher):
    """Retries follow transient outcomes only, wait as long as they were told to, and end.

    How often and after how long is judged by the settings, and Retry-After by what the twins
    answered: the worker's own idea of either is what is on trial.
    """

    def __init__(self, case: Case, title: str = "") -> None:
        super().__init__(case, title)
        self._policies = case.policies()
        self._gates = Gates(case.slack_s)
        self._due: dict[_Key, Wait] = {}
        self._retries: dict[str, dict[_Key, int]] = {}
        self._broken: Broken | None = None

    def hears(self) -> Mapping[type, See]:
        """Return who looks at what."""
        return {
            ReceivedRequest: self._gates.received,
            GateClosed: self._gate_closed,
            BreakerChanged: self._breaker_moved,
            CallChanged: self._call_moved,
            RetryScheduled: self._scheduled,
            AttemptFinished: self._finished,
        }

    def end_run(self, last_s: float) -> None:
        """Forget what a run was told in its last instant: a kill may have kept it from the disk."""
        before_s = last_s - TOLERANCE_S
        self._due = {key: told for key, told in self._due.items() if told.told_s < before_s}
        self._gates.end_run(last_s)
        self._retries.clear()

    def finish(self, _evidence: Evidence) -> Broken | None:
        """Return the first retry or attempt that should not have been."""
        return self._broken

    def _gate_closed(self, event: GateClosed, sight: Sight) -> None:
        self._gates.close(event.service, wait(sight, sight.at_s + (event.delay_s or 0.0)))

    def _breaker_moved(self, event: BreakerChanged, _sight: Sight) -> None:
        # What was waiting is parked; whoever goes on first is a trial and not a retry.
        self._due = {key: told for key, told in self._due.items() if key[0] != event.service}

    def _call_moved(self, event: CallChanged, _sight: Sight) -> None:
        if self._retries and event.new not in _MOVING:
            self._retries.pop(event.call, None)

    def _scheduled(self, event: RetryScheduled, sight: Sight) -> None:
        key = (event.service, event.operation, event.call)
        self._due[key] = wait(sight, sight.at_s + (event.delay_s or 0.0))
        if event.outcome not in _TRANSIENT:
            self._note(f"{event.operation} is retried after {event.outcome}", sight)
        if event.reason == "budget":
            return
        policy = self._policies[event.service].retry
        if event.outcome not in _LIMITS:
            retries = self._retries.setdefault(event.call, {})
            retries[key] = retries.get(key, 0) + 1
            if retries[key] > policy.retries:
                text = f"{event.operation} of {event.call} is retried {retries[key]} times"
                self._note(f"{text}, the policy allows {policy.retries}", sight)
        if event.reason == "backoff":
            text = _wrong_backoff(event, policy)
            if text:
                self._note(text, sight)

    def _finished(self, event: AttemptFinished, sight: Sight) -> None:
        name, service = event.operation, event.service
        slack_s = self.case.slack_s
        began_s = sight.at_s - event.duration_s
        most = self._policies[service].retry.attempts
        if event.attempt > most:
            text = f"{name} of {event.call} made attempt {event.attempt} of {most}"
            self._note(text, sight)
        until_s = self._gates.ignored_s(service, began_s, sight)
        if until_s is not None:
            text = f"{name} went out at {began_s:.1f} s, before Retry-After ({until_s:.1f} s)"
            self._note(text, sight)
        if event.outcome in _TRANSIENT:
            self._gates.ended(event, sight)
        elif self._retries and event.call in self._retries:
            self._retries[event.call].pop((service, name, event.call), None)
        if not self._due:
            return
        told = self._due.pop((service, name, event.call), NO_WAIT)
        due_s = told.ends_s(sight)
        if told.told_s + slack_s < began_s < due_s - slack_s:
            text = f"{name} went out at {began_s:.1f} s, before its retry was due ({due_s:.1f} s)"
            self._note(text, sight)

    def _note(self, text: str, sight: Sight) -> None:
        if self._broken is None:
            self._broken = Broken(text=text, sight=sight)


def _wrong_backoff(event: RetryScheduled, policy: RetryPolicy) -> str:
    """Return that a wait is shorter or longer than the ladder says, or an empty text.

    How many limits an operation has met is not told; whoever waits for a slot may wait no time.
    """
    low, high = _JITTERS[policy.jitter]
    if event.outcome in _LIMITS:
        shortest_s = 0.0 if event.outcome == "busy_here" else policy.initial_delay_s
        longest_s = policy.delay_cap_s
    else:
        rung = max(0, event.attempt - 2)
        shortest_s = longest_s = policy.initial_delay_s * policy.factor**rung
    low_s = low * min(shortest_s, policy.delay_cap_s)
    high_s = high * min(longest_s, policy.delay_cap_s)
    delay_s = event.delay_s or 0.0
    if low_s - TOLERANCE_S <= delay_s <= high_s + TOLERANCE_S:
        return ""
    return (
        f"{event.operation} is retried in {delay_s:g} s, the ladder says {low_s:g} to {high_s:g} s"
    )
