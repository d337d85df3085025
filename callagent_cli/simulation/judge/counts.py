"""Counts: how calls ended, what the twins received, and whether the faults were met at all."""

from callagent_cli.durations import duration_text
from callagent_cli.simulation.judge.evidence import Broken, Evidence, Finding, finding
from callagent_cli.simulation.scenario.format import (
    OutcomeExpectation,
    Range,
    WireExpectation,
    as_range,
)
from callagent_cli.simulation.scenario.words import HEALTH, is_health, matches

_DIALED = "dialed"


def outcome_findings(evidence: Evidence) -> list[Finding]:
    """Judge `expect.outcome`."""
    found = []
    for name in OutcomeExpectation.__struct_fields__:
        count = getattr(evidence.scenario.expect.outcome, name)
        if count is None:
            continue
        actual = len(evidence.placed) if name == _DIALED else evidence.totals.get(name, 0)
        title = f"{name} {as_range(count)}"
        found.append(finding("outcome", title, _outside(as_range(count), actual)))
    return found


def _outside(wanted: Range, actual: int) -> Broken | None:
    return None if wanted.holds(actual) else Broken(text=f"{actual}, not {wanted}")


def wire_findings(evidence: Evidence) -> list[Finding]:
    """Judge `expect.wire`; health checks count only when they are asked for."""
    found = []
    for expected in evidence.scenario.expect.wire:
        during = f" during {expected.during}" if expected.during else ""
        title = f"requests to {expected.target}{during}: {as_range(expected.requests)}"
        outside = _outside(as_range(expected.requests), _received(evidence, expected))
        found.append(finding("wire", title, outside))
    return found


def _received(evidence: Evidence, expected: WireExpectation) -> int:
    from_s, until_s = float("-inf"), float("inf")
    if expected.during:
        phase = evidence.phase(expected.during)
        from_s, until_s = phase.at, phase.ends_at
    with_health = expected.health or expected.target.endswith(f".{HEALTH}")
    return sum(
        matches(expected.target, request.target)
        and (with_health or not is_health(request.target))
        and from_s <= evidence.wire_at_s(request.at) < until_s
        for request in evidence.requests
    )


def reached_findings(evidence: Evidence) -> list[Finding]:
    """Judge `expect.reached`, and that no fault was there in vain."""
    expected = evidence.scenario.expect.reached
    found = []
    for each in expected:
        actual = _hits(evidence, each.phase, each.target)
        where = f" at {each.target}" if each.target else ""
        title = f"{each.phase} struck{where}: {as_range(each.hits)}"
        found.append(finding("reached", title, _outside(as_range(each.hits), actual)))
    named = {each.phase for each in expected}
    for phase in evidence.scenario.timeline:
        if phase.fault is None or phase.may_miss or phase.name in named:
            continue
        if not _hits(evidence, phase.name, ""):
            text = f"nobody met this fault, which began at {duration_text(phase.at)}"
            found.append(finding("reached", f"{phase.name} struck", Broken(text=text)))
    return found


def _hits(evidence: Evidence, phase: str, target: str) -> int:
    return sum(
        count
        for (struck, operation), count in evidence.hits.items()
        if struck == phase and (not target or matches(target, operation))
    )
