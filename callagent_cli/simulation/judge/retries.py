"""Only transient outcomes are retried, never before Retry-After, never beyond the policy."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from callagent_cli.events import AttemptFinished, BreakerChanged, GateClosed, RetryScheduled
from callagent_cli.resilience.outcome import RULES, Outcome
from callagent_cli.simulation.judge.evidence import (
    TOLERANCE_S,
    Broken,
    Case,
    Evidence,
    See,
    Sight,
    Watcher,
)

_AFTER_PROOF: Final = frozenset({Outcome.UNKNOWN})
"""Outcomes that are tried again once a look-up has proven that nothing happened."""

_RETRIED: Final = frozenset({each for each in Outcome if RULES[each].retried}) | _AFTER_PROOF

_Key = tuple[str, str, str]


class _Wait(NamedTuple):
    """What a service or a call was told: when, and until when to wait."""

    told_s: float
    until_s: float


_NO_WAIT: Final = _Wait(0.0, 0.0)


class RetriesOnlyTransient(Watcher):
    """Retries follow transient outcomes only, wait as long as they were told to, and end."""

    def __init__(self, case: Case, title: str = "") -> None:
        super().__init__(case, title)
        self._gates: dict[str, _Wait] = {}
        self._due: dict[_Key, _Wait] = {}
        self._broken: Broken | None = None

    def hears(self) -> Mapping[type, See]:
        """Return who looks at what."""
        return {
            GateClosed: self._gate_closed,
            BreakerChanged: self._breaker_moved,
            RetryScheduled: self._scheduled,
            AttemptFinished: self._finished,
        }

    def end_run(self, last_s: float) -> None:
        """Forget what a run was told in its last instant: a kill may have kept it from the disk."""
        before_s = last_s - TOLERANCE_S
        self._due = {key: wait for key, wait in self._due.items() if wait.told_s < before_s}
        self._gates = {key: wait for key, wait in self._gates.items() if wait.told_s < before_s}

    def finish(self, _evidence: Evidence) -> Broken | None:
        """Return the first retry or attempt that should not have been."""
        return self._broken

    def _gate_closed(self, event: GateClosed, sight: Sight) -> None:
        _, until_s = self._gates.get(event.service, _NO_WAIT)
        until_s = max(until_s, sight.at_s + (event.delay_s or 0.0))
        self._gates[event.service] = _Wait(sight.at_s, until_s)

    def _breaker_moved(self, event: BreakerChanged, _sight: Sight) -> None:
        # What was waiting is parked; whoever goes on first is a trial and not a retry.
        self._due = {key: wait for key, wait in self._due.items() if key[0] != event.service}

    def _scheduled(self, event: RetryScheduled, sight: Sight) -> None:
        if event.outcome not in _RETRIED:
            self._note(f"{event.operation} is retried after {event.outcome}", sight)
        key = (event.service, event.operation, event.call)
        self._due[key] = _Wait(sight.at_s, sight.at_s + (event.delay_s or 0.0))

    def _finished(self, event: AttemptFinished, sight: Sight) -> None:
        name = event.operation
        slack_s = self.case.slack_s
        began_s = sight.at_s - event.duration_s
        if event.of and event.attempt > event.of:
            text = f"{name} of {event.call} made attempt {event.attempt} of {event.of}"
            self._note(text, sight)
        closed_s, until_s = self._gates.get(event.service, _NO_WAIT)
        if closed_s + slack_s < began_s < until_s - slack_s:
            text = f"{name} went out at {began_s:.1f} s, before Retry-After ({until_s:.1f} s)"
            self._note(text, sight)
        if not self._due:
            return
        told_s, due_s = self._due.pop((event.service, name, event.call), _NO_WAIT)
        if told_s + slack_s < began_s < due_s - slack_s:
            text = f"{name} went out at {began_s:.1f} s, before its retry was due ({due_s:.1f} s)"
            self._note(text, sight)

    def _note(self, text: str, sight: Sight) -> None:
        if self._broken is None:
            self._broken = Broken(text=text, sight=sight)
