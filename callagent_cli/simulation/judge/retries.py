"""Only transient outcomes are retried, never before Retry-After, never beyond the policy."""

from typing import Final

from callagent_cli.events import (
    AttemptFinished,
    BreakerChanged,
    Event,
    GateClosed,
    RetryScheduled,
    Stamped,
)
from callagent_cli.resilience.outcome import RULES, Outcome
from callagent_cli.simulation.judge.evidence import TOLERANCE_S, Broken, Evidence

_AFTER_PROOF: Final = frozenset({Outcome.UNKNOWN})
"""Outcomes that are tried again once a look-up has proven that nothing happened."""


def retries_only_transient(evidence: Evidence) -> Broken | None:
    """Retries follow transient outcomes only, wait as long as they were told to, and end."""
    watch = _Watch(evidence)
    for line, stamped in enumerate(evidence.events, 1):
        text = watch.take(stamped)
        if text:
            return Broken(text=text, line=line)
    return None


class _Watch:
    """Goes through the events in order; keeps what each service and each call was told."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._gates: dict[str, tuple[float, float]] = {}
        self._due: dict[tuple[str, str, str], tuple[float, float]] = {}
        self._run = ""
        self._last_s = 0.0

    def take(self, stamped: Stamped) -> str:
        """Return what is wrong with an event, or an empty text."""
        event: Event = stamped.event
        at_s = self._evidence.at_s(stamped)
        self._forget_what_was_cut_off(stamped.run)
        self._last_s = at_s
        if isinstance(event, GateClosed):
            _, until_s = self._gates.get(event.service, (0.0, 0.0))
            self._gates[event.service] = (at_s, max(until_s, at_s + (event.delay_s or 0.0)))
        elif isinstance(event, BreakerChanged):
            # What was waiting is parked; whoever goes on first is a trial and not a retry.
            self._due = {key: due for key, due in self._due.items() if key[0] != event.service}
        elif isinstance(event, RetryScheduled):
            return self._scheduled(event, at_s)
        elif isinstance(event, AttemptFinished):
            return self._finished(event, at_s)
        return ""

    def _forget_what_was_cut_off(self, run: str) -> None:
        """Forget what a run was told in its last instant: a kill may have kept it from the disk."""
        if run == self._run:
            return
        self._run = run
        last_s = self._last_s - TOLERANCE_S
        self._due = {key: due for key, due in self._due.items() if due[0] < last_s}
        self._gates = {key: gate for key, gate in self._gates.items() if gate[0] < last_s}

    def _scheduled(self, event: RetryScheduled, at_s: float) -> str:
        outcome = Outcome(event.outcome)
        if not RULES[outcome].retried and outcome not in _AFTER_PROOF:
            return f"{event.operation} is retried after {outcome}"
        key = (event.service, event.operation, event.call)
        self._due[key] = (at_s, at_s + (event.delay_s or 0.0))
        return ""

    def _finished(self, event: AttemptFinished, at_s: float) -> str:
        name = event.operation
        slack_s = self._evidence.slack_s
        began_s = at_s - event.duration_s
        if event.of and event.attempt > event.of:
            return f"{name} of {event.call} made attempt {event.attempt} of {event.of}"
        closed_s, until_s = self._gates.get(event.service, (0.0, 0.0))
        if closed_s + slack_s < began_s < until_s - slack_s:
            return f"{name} went out at {began_s:.1f} s, before Retry-After ({until_s:.1f} s)"
        told_s, due_s = self._due.pop((event.service, event.operation, event.call), (0.0, 0.0))
        if told_s + slack_s < began_s < due_s - slack_s:
            return f"{name} went out at {began_s:.1f} s, before its retry was due ({due_s:.1f} s)"
        return ""
