"""What an outage cost: calls delayed, failed and protected, requests wasted, and the times."""

from collections import Counter
from collections.abc import Mapping
from math import ceil
from typing import Final

import msgspec

from callagent_cli.events import AlertRaised, AttemptFinished, BreakerChanged, CallChanged
from callagent_cli.resilience.outcome import Outcome
from callagent_cli.simulation.judge.evidence import Case, Evidence, Finding, See, Sight, Watcher
from callagent_cli.simulation.scenario.format import Phase

_DELAYED: Final = frozenset({"backoff", "parked", "reconciling"})
_OVER: Final = frozenset({"done", "review", "excluded"})
_NOT_WASTED: Final = frozenset({Outcome.OK, Outcome.CANCELLED, Outcome.LOCAL_REJECTION})
_WAS_DELAYED: Final = 1
_WAS_OVER: Final = 2
_HAS_FAILED: Final = 4


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """The bill of a world's faults.

    `calls_delayed` had begun and then had to wait for a service, at least once: in backoff, parked
    or reconciling. A call that waited to begin is not one of them. `calls_protected` were not over
    when a breaker first opened, and did not fail in the end: those that had not begun, which wait
    out the outage without a trace, and those that had, delayed or not. So a call may count as
    both, the two do not add up to the contacts, and without an open breaker nobody is protected.

    `requests_wasted` taught nothing but that the service fails. `detect_s` runs from the first
    fault to the first alert, `mitigate_s` to the first open breaker, `recover_s` from the end of
    the last fault to the last breaker that closed. A time is missing when that never happened.
    """

    calls_delayed: int
    calls_failed: int
    calls_protected: int
    requests_wasted: int
    detect_s: float | None
    mitigate_s: float | None
    recover_s: float | None


class Bill(Watcher):
    """Adds up what the faults cost; it judges nothing."""

    kind = "cost"

    def __init__(self, case: Case, title: str = "") -> None:
        super().__init__(case, title)
        starts_s = {phase.at for phase in case.scenario.timeline}
        self._alerts = _FirstSince(starts_s)
        self._openings = _FirstSince(starts_s)
        self._opened = False
        self._closed_s: float | None = None
        self._calls: dict[str, int] = {}
        self._just_over: list[str] = []
        self._just_over_s = 0.0
        self._outcomes: Counter[str] = Counter()

    def hears(self) -> Mapping[type, See]:
        """Return who looks at what."""
        return {
            AlertRaised: self._raised,
            BreakerChanged: self._breaker_moved,
            CallChanged: self._call_moved,
            AttemptFinished: self._attempted,
        }

    def cost(self, evidence: Evidence) -> Cost:
        """Return what the faults of a world cost."""
        begins_s, ends_s = _outage(evidence)
        marks = self._calls.values()
        lost = sum(bool(mark & (_WAS_OVER | _HAS_FAILED)) for mark in marks)
        contacts = evidence.scenario.campaign.contacts
        recovered = ends_s is not None and self._closed_s is not None and self._closed_s >= ends_s
        return Cost(
            calls_delayed=sum(bool(mark & _WAS_DELAYED) for mark in marks),
            calls_failed=evidence.totals.get("failed", 0),
            calls_protected=max(contacts - lost, 0) if self._opened else 0,
            requests_wasted=sum(
                count for name, count in self._outcomes.items() if name not in _NOT_WASTED
            ),
            detect_s=self._alerts.after_s(begins_s),
            mitigate_s=self._openings.after_s(begins_s),
            recover_s=_told_s((self._closed_s or 0.0) - (ends_s or 0.0)) if recovered else None,
        )

    def finding(self, _evidence: Evidence) -> Finding:
        """Return nothing that could be broken."""
        return Finding(kind=self.kind, title=self.title, held=True)

    def _attempted(self, event: AttemptFinished, _sight: Sight) -> None:
        self._outcomes[event.outcome] += 1

    def _raised(self, event: AlertRaised, sight: Sight) -> None:
        if event.kind in {"opened", "call_failed"}:
            self._alerts.take(sight.at_s)

    def _breaker_moved(self, event: BreakerChanged, sight: Sight) -> None:
        if event.new in {"open", "isolated"}:
            self._openings.take(sight.at_s)
            if not self._opened:
                self._opened = True
                self._count_over(sight.at_s)
        elif event.new == "closed":
            self._closed_s = sight.at_s

    def _call_moved(self, event: CallChanged, sight: Sight) -> None:
        call, new = event.call, event.new
        if new == "failed":
            self._calls[call] = self._calls.get(call, 0) | _HAS_FAILED
            return
        if new in _DELAYED:
            self._calls[call] = self._calls.get(call, 0) & ~_HAS_FAILED | _WAS_DELAYED
            return
        if self._calls.get(call, 0) & _HAS_FAILED:
            self._calls[call] &= ~_HAS_FAILED
        if new in _OVER and not self._opened:
            self._count_over(sight.at_s)
            self._just_over.append(call)
            self._just_over_s = sight.at_s

    def _count_over(self, at_s: float) -> None:
        """Count the calls that were over before an instant, not in it."""
        if self._just_over_s < at_s:
            for call in self._just_over:
                self._calls[call] = self._calls.get(call, 0) | _WAS_OVER
            self._just_over = []


class _FirstSince:
    """The first of some moments at or after each of several instants."""

    def __init__(self, starts_s: set[float]) -> None:
        self._open_s = sorted(starts_s)
        self._found_s: dict[float, float] = {}

    def take(self, at_s: float) -> None:
        """Take in the next moment."""
        while self._open_s and self._open_s[0] <= at_s:
            self._found_s[self._open_s.pop(0)] = at_s

    def after_s(self, start_s: float | None) -> float | None:
        """Return how long after one of the instants the first moment came."""
        if start_s is None or start_s not in self._found_s:
            return None
        return _told_s(self._found_s[start_s] - start_s)


def _told_s(seconds: float) -> float:
    """Return a time to the millisecond, which is as exact as two instants are compared."""
    return round(seconds, 3)


def _outage(evidence: Evidence) -> tuple[float | None, float | None]:
    """Return when the first fault that struck began, and when the last one ended."""
    struck = {phase for phase, _ in evidence.hits}
    timeline = evidence.scenario.timeline
    phases = [phase for phase in timeline if phase.name in struck and phase.fault is not None]
    if not phases:
        return None, None
    end_s = max(_last_strikes_end_s(phase) for phase in phases)
    return min(phase.at for phase in phases), None if end_s == float("inf") else end_s


def _last_strikes_end_s(phase: Phase) -> float:
    """Return when a phase strikes no more: one that flaps may end while it is up."""
    flap, end_s = phase.flap, phase.ends_at
    if flap is None or end_s == float("inf"):
        return end_s
    cycle_s = flap.down + flap.up
    cycles = ceil((end_s - phase.at) / cycle_s)
    return min(end_s, phase.at + (cycles - 1) * cycle_s + flap.down)
