"""Hand-made worlds for the judge: a few events, a few requests, and what the scenario expects."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from heapq import merge
from typing import Any

import msgspec

from callagent_cli.events import (
    AlertKind,
    AlertRaised,
    AttemptFinished,
    BreakerChanged,
    BreakerState,
    CallChanged,
    DialSettled,
    Event,
    Stamped,
)
from callagent_cli.settings import Settings
from callagent_cli.simulation.judge.evidence import TOLERANCE_S, Broken, Case, Evidence
from callagent_cli.simulation.judge.log import Log
from callagent_cli.simulation.judge.verdict import INVARIANTS, watchers_of
from callagent_cli.simulation.judge.watch import Watch
from callagent_cli.simulation.scenario.format import Scenario
from callagent_cli.simulation.twins.ledger import PlacedCall, ReceivedRequest

START_UTC_S = 1_767_603_600.0
NUMBER = "+12125550101"


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A world as it is told: events, requests and phones, and how it ended."""

    scenario: Scenario
    settings: Settings
    events: list[Stamped]
    placed: Sequence[PlacedCall] = ()
    requests: Sequence[ReceivedRequest] = ()
    offsets_s: Mapping[str, float] = field(default_factory=dict)
    log: bytes = b""
    secrets: Sequence[str] = ()
    numbers: Sequence[str] = ()
    fidelity_s: float = 0.0
    ending: Mapping[str, Any] = field(default_factory=dict)

    def evidence(self, *names: str) -> Evidence:
        """Let the world happen before the watchers of these invariants, or all it is judged by."""
        case = Case(
            scenario=self.scenario,
            settings=self.settings,
            slack_s=TOLERANCE_S + self.fidelity_s,
        )
        watchers = [INVARIANTS[name](case, name) for name in names] or watchers_of(case)
        watch = Watch(case, watchers, start_utc_s=START_UTC_S, offsets_s=self.offsets_s)
        for happening in self._in_order():
            if isinstance(happening, Stamped):
                watch.hear(happening)
            elif isinstance(happening, ReceivedRequest):
                watch.receive(happening)
            else:
                watch.place(happening)
        watch.close()
        defaults: dict[str, Any] = {
            "totals": {"done": self.scenario.campaign.contacts},
            "finished": True,
            "ended_at_s": 100.0,
        }
        return Evidence(
            scenario=self.scenario,
            settings=self.settings,
            watchers=watchers,
            log=self._written(),
            start_utc_s=START_UTC_S,
            rung=self.placed,
            offsets_s=self.offsets_s,
            fidelity_s=self.fidelity_s,
            **{**defaults, **self.ending},
        )

    def broken(self, name: str) -> Broken | None:
        """Return what one invariant says of it."""
        evidence = self.evidence(name)
        return evidence.watchers[0].finish(evidence)

    def _in_order(self) -> Iterator[Stamped | ReceivedRequest | PlacedCall]:
        both: list[ReceivedRequest | PlacedCall] = [*self.requests, *self.placed]
        received = sorted(both, key=lambda each: each.at)
        return merge(received, self.events, key=self._at_s)

    def _at_s(self, happening: Stamped | ReceivedRequest | PlacedCall) -> float:
        if isinstance(happening, Stamped):
            return happening.monotonic_s + self.offsets_s.get(happening.run, 0.0)
        return happening.at - START_UTC_S

    def _written(self) -> Log:
        log = Log(self.secrets)
        for number in self.numbers:
            log.forbid_number(number)
        for line in self.log.splitlines(keepends=True):
            log.write(line)
        log.settle()
        return log


_OF_PLOT = {each.name for each in fields(Plot)}


def world(*events: tuple[float, Event] | tuple[float, Event, str], **keys: Any) -> Plot:  # noqa: ANN401 — of `Plot` or `Evidence`.
    """Return a world of `(second, event)` pairs; a third member names the run.

    `ahead_s` says by how many seconds the calendar of a run is ahead.
    """
    ahead_s = keys.pop("ahead_s", {})
    stamped = []
    for line, (at_s, event, *named) in enumerate(events, 1):
        run = named[0] if named else "run_1"
        utc_s = START_UTC_S + at_s + ahead_s.get(run, 0.0)
        stamped.append(Stamped(utc_s, at_s, line, run, "c", event))
    told = {name: value for name, value in keys.items() if name in _OF_PLOT}
    ending = {name: value for name, value in keys.items() if name not in _OF_PLOT}
    defaults: dict[str, Any] = {"scenario": scenario_of(), "settings": Settings()}
    return Plot(events=stamped, ending=ending, **{**defaults, **told})


def scenario_of(expect: dict[str, Any] | None = None, **keys: Any) -> Scenario:  # noqa: ANN401 — of `Scenario`.
    """Return a scenario with an ElevenLabs outage from 10 to 40 s."""
    plain = {
        "callagent": "scenario/v1",
        "name": "example",
        "title": "An example",
        "campaign": {"contacts": 2},
        "timeline": [
            {
                "name": "outage",
                "at": 10,
                "for": 30,
                "target": "elevenlabs",
                "fault": {"status": 503},
            }
        ],
        "until": {"at_most": 3600},
        "expect": expect or {},
        **keys,
    }
    return msgspec.convert(plain, Scenario)


def moved(old: str, new: str, call: str = "call_1", **keys: Any) -> CallChanged:  # noqa: ANN401 — any.
    """Return a move of a call."""
    return CallChanged(
        **{"call": call, "old": old, "new": new, "step": "dial", "reason": "r", **keys}
    )


def breaker(
    old: BreakerState, new: BreakerState, service: str = "elevenlabs", *, owner: str = ""
) -> BreakerChanged:
    """Return a move of a breaker."""
    return BreakerChanged(service=service, old=old, new=new, reason="r", owner=owner)


def attempt(
    operation: str = "elevenlabs.dial",
    duration_s: float = 0.2,
    **keys: Any,  # noqa: ANN401 — any.
) -> AttemptFinished:
    """Return the end of an attempt."""
    service = operation.partition(".")[0]
    known = {"service": service, "operation": operation, "outcome": "ok", "attempt": 1, "of": 4}
    return AttemptFinished(duration_s=duration_s, **{**known, **keys})


def alert(kind: AlertKind, incident: str = "inc_1", service: str = "elevenlabs") -> AlertRaised:
    """Return an alert."""
    return AlertRaised(
        alert=f"alert_{incident}_{kind}",
        incident=incident,
        kind=kind,
        severity="critical",
        service=service,
        title="t",
        body="b",
    )


def settled(dial: str, call: str = "call_1") -> DialSettled:
    """Return that a dial is known to have placed a call."""
    return DialSettled(call=call, dial=dial, status="placed", conversation=f"conv_{dial}")


def rang(at_s: float, dial: str, call: str = "call_1") -> PlacedCall:
    """Return a phone that rang."""
    return PlacedCall(
        conversation=f"conv_{dial}",
        number=NUMBER,
        call_id=call,
        attempt_id=dial,
        at=START_UTC_S + at_s,
    )


def received(at_s: float, target: str = "elevenlabs.dial", **keys: Any) -> ReceivedRequest:  # noqa: ANN401 — any.
    """Return a request that reached a twin."""
    service = target.partition(".")[0]
    known = {"sequence": 1, "method": "POST", "route": "/", "status": 200, "call_id": "call_1"}
    return ReceivedRequest(
        at=START_UTC_S + at_s, service=service, target=target, **{**known, **keys}
    )
