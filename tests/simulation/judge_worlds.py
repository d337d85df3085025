"""Hand-made worlds for the judge: a few events, a few requests, and what the scenario expects."""

from collections.abc import Iterator, Sequence
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
from callagent_cli.simulation.judge.evidence import Evidence
from callagent_cli.simulation.scenario.format import Scenario
from callagent_cli.simulation.twins.ledger import PlacedCall, ReceivedRequest

START_UTC_S = 1_767_603_600.0
NUMBER = "+12125550101"


class FakeLedger:
    """A twins' ledger that says what it is told."""

    def __init__(
        self, placed: Sequence[PlacedCall] = (), requests: Sequence[ReceivedRequest] = ()
    ) -> None:
        self._placed = list(placed)
        self._requests = list(requests)

    def placed(self) -> list[PlacedCall]:
        """Return the phones that rang."""
        return self._placed

    def requests(self) -> Iterator[ReceivedRequest]:
        """Yield the requests."""
        return iter(self._requests)


def world(*events: tuple[float, Event] | tuple[float, Event, str], **keys: Any) -> Evidence:  # noqa: ANN401 — of `Evidence`.
    """Return evidence from `(second, event)` pairs; a third member names the run."""
    stamped = [
        Stamped(START_UTC_S + at[0], at[0], line, at[2] if len(at) > 2 else "run_1", "c", at[1])
        for line, at in enumerate(events, 1)
    ]
    scenario = keys.pop("scenario", None) or scenario_of()
    defaults: dict[str, Any] = {
        "settings": Settings(),
        "ledger": FakeLedger(keys.pop("placed", ()), keys.pop("requests", ())),
        "totals": {"done": scenario.campaign.contacts},
        "finished": True,
        "ended_at_s": 100.0,
        "start_utc_s": START_UTC_S,
    }
    return Evidence(scenario=scenario, events=stamped, **{**defaults, **keys})


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


def breaker(old: BreakerState, new: BreakerState, service: str = "elevenlabs") -> BreakerChanged:
    """Return a move of a breaker."""
    return BreakerChanged(service=service, old=old, new=new, reason="r")


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
