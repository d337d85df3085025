"""A recorded world that is played again, at a pace a person can watch."""

import time
from collections.abc import Callable, Iterator
from typing import Final

from callagent_cli.events import Stamped
from callagent_cli.monitor.paint.plain import in_words
from callagent_cli.monitor.state import ViewState
from callagent_cli.monitor.view.scenario import Check, Phase, ScenarioPlan
from callagent_cli.simulation.judge.evidence import Evidence
from callagent_cli.simulation.judge.verdict import Verdict
from callagent_cli.simulation.scenario.fault_kind import kind_of
from callagent_cli.simulation.scenario.format import LogExpectation
from callagent_cli.simulation.scenario.format import Phase as Planned

SPEED: Final = 10.0
SLOWEST: Final = 0.1
FASTEST: Final = 10_000.0
_EVERYTHING: Final = "everything expected"


class Replay:
    """Implements the screen's `Feed` and `Pace` over a recorded world; it ends with that world.

    The events are read as they are due, from where the world has recorded them. `clock_s` is the
    time of whoever watches; `utc` that of the world.
    """

    def __init__(
        self,
        evidence: Evidence,
        verdict: Verdict,
        *,
        seed: int,
        speed: float = SPEED,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._evidence, self._seed = evidence, seed
        self._events = ((evidence.at_s(stamped), stamped) for stamped in evidence.events)
        self._next = next(self._events, None)
        self._checks = list(_checks(evidence, verdict))
        self._clock_s = clock_s
        self._since_s = clock_s()
        self._at_s = 0.0
        self.speed = speed
        self.held = False

    @property
    def now_s(self) -> float:
        """The second of the world that is shown."""
        passed_s = 0.0 if self.held else (self._clock_s() - self._since_s) * self.speed
        return min(self._at_s + passed_s, self._evidence.ended_at_s)

    def utc(self) -> float:
        """Return the world's calendar, in UTC seconds."""
        return self._evidence.start_utc_s + self.now_s

    def plan(self) -> ScenarioPlan:
        """Return what the screen's timeline shows."""
        evidence = self._evidence
        return ScenarioPlan(
            name=evidence.scenario.name,
            seed=self._seed,
            duration_s=evidence.ended_at_s,
            phases=tuple(_phase(each, evidence) for each in evidence.scenario.timeline),
            checks=tuple(check for check, _ in self._checks),
        )

    # Feed

    def pull(self, state: ViewState) -> None:
        """Fold what has happened by now, and show which checks are decided."""
        now_s = self.now_s
        while self._next is not None and self._next[0] <= now_s:
            state.fold(self._in_world(*self._next))
            self._next = next(self._events, None)
        if state.scenario is not None:
            state.scenario.decided(
                (check.label, held) for check, held in self._checks if check.at_s <= now_s
            )

    def _in_world(self, at_s: float, stamped: Stamped) -> Stamped:
        """Return an event as it stands in the world's time, whatever calendar it was given."""
        return stamped._replace(utc_s=self._evidence.start_utc_s + at_s)

    # Pace

    def hold(self) -> None:
        """Let the world stand still."""
        self._settle()
        self.held = True

    def go(self) -> None:
        """Let the world go on."""
        self._settle()
        self.held = False

    def step(self) -> None:
        """Let one second of the world pass, then hold."""
        self.hold()
        self._at_s += 1.0

    def change(self, factor: float) -> None:
        """Multiply the speed."""
        self._settle()
        self.speed = min(FASTEST, max(SLOWEST, self.speed * factor))

    def _settle(self) -> None:
        self._at_s, self._since_s = self.now_s, self._clock_s()


def _phase(planned: Planned, evidence: Evidence) -> Phase:
    service = planned.target.partition(".")[0]
    fault: str = planned.do or ""
    ends_s = planned.ends_at
    if planned.fault is not None:
        status = planned.fault.status
        fault = kind_of(planned.fault) if status is None else str(status)
    else:
        ends_s = planned.at + (planned.restart_after or 1.0)
    return Phase(
        name=planned.name,
        service=service or "worker",
        fault=fault,
        from_s=planned.at,
        to_s=min(ends_s, evidence.ended_at_s),
    )


def _checks(evidence: Evidence, verdict: Verdict) -> Iterator[tuple[Check, bool]]:
    """Yield what the log must show with its last moment, then the whole verdict at the end."""
    judged = [finding for finding in verdict.findings if finding.kind == "log"]
    for expected, finding in zip(evidence.scenario.expect.log, judged, strict=True):
        at_s = min(_due_s(evidence, expected), evidence.ended_at_s)
        yield Check(label=_label(expected), at_s=at_s), finding.held
    yield Check(label=_EVERYTHING, at_s=evidence.ended_at_s), verdict.status == "held"


def _due_s(evidence: Evidence, expected: LogExpectation) -> float:
    if expected.within is None:
        return evidence.ended_at_s
    name, _, edge = expected.of.rpartition(".")
    if not name:
        return expected.within
    phase = evidence.scenario.phase(name)
    return expected.within + (phase.at if edge == "start" else phase.ends_at)


def _label(expected: LogExpectation) -> str:
    where = {name: str(value) for name, value in expected.where.items() if name != "operation"}
    if expected.event == "breaker_changed":
        old, new = (in_words(where.get(name, "")) for name in ("old", "new"))
        move = f"{old} → {new}" if old and new else new or old
        return " ".join(part for part in (where.get("service", ""), "breaker", move) if part)
    return in_words(" ".join([expected.event.replace("_", " "), *where.values()]))
