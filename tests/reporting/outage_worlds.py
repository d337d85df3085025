"""Worlds in virtual time whose incidents are compared with what the twins received."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import msgspec

from callagent_cli.calls.model import CallState
from callagent_cli.events import AlertRaised, Stamped
from callagent_cli.reporting.alert import Alert
from callagent_cli.reporting.channels.mock import MockChannel
from callagent_cli.reporting.incidents.incident import load
from callagent_cli.reporting.incidents.report import Report, report_of
from callagent_cli.simulation.judge.evidence import Evidence
from callagent_cli.simulation.scenario.format import Scenario
from callagent_cli.simulation.scenario.loader import find_scenario, load_scenario
from callagent_cli.simulation.twins.ledger import PlacedCall, ReceivedRequest
from callagent_cli.simulation.worlds.world import Kill, World


class Watched(World):
    """A world that keeps its alerts, its failed requests and its incidents' reports."""

    def __init__(self, scenario: Scenario, seed: int = 7) -> None:
        super().__init__(scenario, seed, follow=self._hear)
        self.ledger.tell(self)
        self.raised: list[AlertRaised] = []
        self.events = 0
        self.runs: set[str] = set()
        self.steps_at_alerts: list[int] = []
        self.requests: dict[str, list[ReceivedRequest]] = defaultdict(list)
        self.reports: list[Report] = []
        self.failed: list[str] = []

    def receive(self, request: ReceivedRequest) -> None:
        """Keep a request that was answered by a fault; a health check is no request of a call."""
        if request.fault and not request.target.endswith(".health"):
            self.requests[request.service].append(request)

    def place(self, call: PlacedCall) -> None:
        """Nobody asks who was called."""

    def _hear(self, _at_s: float, stamped: Stamped) -> None:
        self.events += 1
        self.runs.add(stamped.run)
        if isinstance(stamped.event, AlertRaised):
            self.raised.append(stamped.event)
            assert self._loop is not None
            self.steps_at_alerts.append(self._loop.steps)

    def of(self, service: str) -> list[Report]:
        """Return the reports of a service's outages."""
        return [
            report
            for report in self.reports
            if report.service == service and not report.key.startswith("call:")
        ]

    def _evidence(self, **given: Any) -> Evidence:  # noqa: ANN401 — handed on as they are.
        store = self._store

        def state_of(call_id: str) -> str:
            call = store.call(call_id)
            return "" if call is None else call.state.value

        found = [report_of(store, each.id, state_of=state_of) for each in load(store)]
        self.reports = [report for report in found if report is not None]
        failed = store.calls(self.scenario.name, frozenset({CallState.FAILED}))
        self.failed = [call.id for call in failed]
        return super()._evidence(**given)


def library(name: str, *, without: str = "") -> Scenario:
    """Return a scenario of the library, without one of its phases if that is named."""
    scenario = load_scenario(find_scenario(name)).scenario
    timeline = [phase for phase in scenario.timeline if phase.name != without]
    return msgspec.structs.replace(scenario, timeline=timeline)


def outage(
    target: str,
    fault: Mapping[str, Any],
    *,
    lasts_s: float,
    lanes: int = 4,
    contacts: int = 20,
    flap: Mapping[str, float] | None = None,
) -> Scenario:
    """Return a world in which one thing goes wrong, 20 s after its start."""
    phase: dict[str, Any] = {"name": "outage", "at": 20.0, "for": lasts_s, "target": target}
    plain = {
        "callagent": "scenario/v1",
        "name": "one-outage",
        "title": "One thing goes wrong",
        "campaign": {"contacts": contacts, "lanes": lanes},
        "people": {"talk": [10.0, 40.0]},
        "timeline": [{**phase, "fault": dict(fault), **({"flap": dict(flap)} if flap else {})}],
        "until": {"at_most": 12 * 3600.0},
        "expect": {"always": ["no_call_lost"]},
    }
    return msgspec.convert(plain, Scenario)


class Post:
    """What people got: each message by channel, however often it was sent."""

    def __init__(self) -> None:
        self.messages: dict[tuple[str, str], list[str]] = defaultdict(list)

    def deliver(self, channel: MockChannel, alert: Alert) -> None:
        """Take one delivery."""
        self.messages[channel.name, alert.kind].append(alert.message)


__all__ = ["Kill", "Post", "Watched", "library", "outage"]
