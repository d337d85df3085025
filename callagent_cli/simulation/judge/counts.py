"""Counts: how calls ended, what the twins received, and whether the faults were met at all."""

from collections.abc import Iterator, Mapping

from callagent_cli.durations import duration_text
from callagent_cli.simulation.judge.evidence import (
    Broken,
    Case,
    Evidence,
    Finding,
    See,
    Sight,
    Watcher,
    finding,
)
from callagent_cli.simulation.scenario.format import (
    OutcomeExpectation,
    Range,
    WireExpectation,
    as_range,
)
from callagent_cli.simulation.scenario.words import HEALTH, is_health, matches
from callagent_cli.simulation.twins.ledger import ReceivedRequest

_DIALED = "dialed"


def outcome_findings(evidence: Evidence) -> list[Finding]:
    """Judge `expect.outcome`."""
    found = []
    for name in OutcomeExpectation.__struct_fields__:
        count = getattr(evidence.scenario.expect.outcome, name)
        if count is None:
            continue
        actual = len(evidence.rung) if name == _DIALED else evidence.totals.get(name, 0)
        title = f"{name} {as_range(count)}"
        found.append(finding("outcome", title, _outside(as_range(count), actual)))
    return found


def _outside(wanted: Range, actual: int) -> Broken | None:
    return None if wanted.holds(actual) else Broken(text=f"{actual}, not {wanted}")


def wire_watchers(case: Case) -> Iterator[Watcher]:
    """Yield who judges `expect.wire`."""
    return (Received(case, expected) for expected in case.scenario.expect.wire)


class Received(Watcher):
    """A twin received so many requests; health checks count only when they are asked for."""

    kind = "wire"

    def __init__(self, case: Case, expected: WireExpectation) -> None:
        self._wanted = as_range(expected.requests)
        during = f" during {expected.during}" if expected.during else ""
        super().__init__(case, f"requests to {expected.target}{during}: {self._wanted}")
        self._target = expected.target
        self._with_health = expected.health or expected.target.endswith(f".{HEALTH}")
        self._from_s, self._until_s = float("-inf"), float("inf")
        if expected.during:
            phase = case.scenario.phase(expected.during)
            self._from_s, self._until_s = phase.at, phase.ends_at
        self._counts: dict[str, bool] = {}
        self._received = 0

    def hears(self) -> Mapping[type, See]:
        """Return who looks at what."""
        return {ReceivedRequest: self._receive}

    def finish(self, _evidence: Evidence) -> Broken | None:
        """Return that there were too few or too many."""
        return _outside(self._wanted, self._received)

    def _receive(self, request: ReceivedRequest, sight: Sight) -> None:
        target = request.target
        counts = self._counts.get(target)
        if counts is None:
            counts = matches(self._target, target) and (self._with_health or not is_health(target))
            self._counts[target] = counts
        if counts and self._from_s <= sight.at_s < self._until_s:
            self._received += 1


def reached_findings(evidence: Evidence) -> list[Finding]:
    """Judge `expect.reached`, and that no fault and no kill was asked for in vain."""
    expected = evidence.scenario.expect.reached
    found = []
    for each in expected:
        actual = _hits(evidence, each.phase, each.target)
        where = f" at {each.target}" if each.target else ""
        title = f"{each.phase} struck{where}: {as_range(each.hits)}"
        found.append(finding("reached", title, _outside(as_range(each.hits), actual)))
    named = {each.phase for each in expected}
    for phase in evidence.scenario.timeline:
        if phase.may_miss or phase.name in named or _hits(evidence, phase.name, ""):
            continue
        at = duration_text(phase.at)
        text = f"nobody met this fault, which began at {at}"
        if phase.do is not None:
            text = f"no worker was there at {at} to meet this `{phase.do}`"
        found.append(finding("reached", f"{phase.name} struck", Broken(text=text)))
    for kill in evidence.missed:
        text = "the life that it was meant for ended before, or never began"
        found.append(finding("reached", f"{kill} struck", Broken(text=text)))
    return found


def _hits(evidence: Evidence, phase: str, target: str) -> int:
    return sum(
        count
        for (struck, operation), count in evidence.hits.items()
        if struck == phase and (not target or matches(target, operation))
    )
