"""What an outage cost: calls delayed, failed and protected, requests wasted, and the times."""

from collections.abc import Iterator
from typing import Final

import msgspec

from callagent_cli.events import AlertRaised, AttemptFinished, BreakerChanged, CallChanged
from callagent_cli.resilience.outcome import Outcome
from callagent_cli.simulation.judge.evidence import Evidence

_DELAYED: Final = frozenset({"backoff", "parked", "reconciling"})
_NOT_WASTED: Final = frozenset({Outcome.OK, Outcome.CANCELLED, Outcome.LOCAL_REJECTION})


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """The bill of a world's faults.

    `calls_delayed` waited for a service at least once; `calls_protected` were still to be worked,
    or being worked, when a breaker first opened, and did not fail; `requests_wasted` taught
    nothing but that the service fails. `detect_s` runs from the first fault to the first alert,
    `mitigate_s` to the first open breaker, `recover_s` from the end of the last fault to the last
    breaker that closed. A time is missing when that never happened.
    """

    calls_delayed: int
    calls_failed: int
    calls_protected: int
    requests_wasted: int
    detect_s: float | None
    mitigate_s: float | None
    recover_s: float | None


def cost(evidence: Evidence) -> Cost:
    """Return what the faults of a world cost."""
    begins_s, ends_s = _outage(evidence)
    return Cost(
        calls_delayed=len(
            {event.call for _, _, event in evidence.of(CallChanged) if event.new in _DELAYED}
        ),
        calls_failed=evidence.totals.get("failed", 0),
        calls_protected=_protected(evidence),
        requests_wasted=sum(
            Outcome(event.outcome) not in _NOT_WASTED
            for _, _, event in evidence.of(AttemptFinished)
        ),
        detect_s=_since(begins_s, _first_alerts(evidence)),
        mitigate_s=_since(begins_s, _openings(evidence)),
        recover_s=_recovered_s(evidence, ends_s),
    )


def _outage(evidence: Evidence) -> tuple[float | None, float | None]:
    """Return when the first fault that struck began, and when the last one ended."""
    struck = {phase for phase, _ in evidence.hits}
    phases = [phase for phase in evidence.scenario.timeline if phase.name in struck]
    if not phases:
        return None, None
    end_s = max(phase.ends_at for phase in phases)
    return min(phase.at for phase in phases), None if end_s == float("inf") else end_s


def _first_alerts(evidence: Evidence) -> Iterator[float]:
    for _, stamped, event in evidence.of(AlertRaised):
        if event.kind in {"opened", "call_failed"}:
            yield evidence.at_s(stamped)


def _openings(evidence: Evidence) -> Iterator[float]:
    for _, stamped, event in evidence.of(BreakerChanged):
        if event.new in {"open", "isolated"}:
            yield evidence.at_s(stamped)


def _since(begins_s: float | None, instants_s: Iterator[float]) -> float | None:
    if begins_s is None:
        return None
    after = (at_s for at_s in instants_s if at_s >= begins_s)
    first_s = next(after, None)
    return None if first_s is None else first_s - begins_s


def _recovered_s(evidence: Evidence, ends_s: float | None) -> float | None:
    if ends_s is None:
        return None
    closed = [
        evidence.at_s(stamped)
        for _, stamped, event in evidence.of(BreakerChanged)
        if event.new == "closed" and evidence.at_s(stamped) >= ends_s
    ]
    return max(closed) - ends_s if closed else None


def _protected(evidence: Evidence) -> int:
    opened_s = next(_openings(evidence), None)
    if opened_s is None:
        return 0
    over: set[str] = set()
    failed: set[str] = set()
    for _, stamped, event in evidence.of(CallChanged):
        if event.new in {"done", "review", "excluded"} and evidence.at_s(stamped) < opened_s:
            over.add(event.call)
        if event.new == "failed":
            failed.add(event.call)
        else:
            failed.discard(event.call)
    return max(evidence.scenario.campaign.contacts - len(over | failed), 0)
