"""The numbers of incidents equal the twins' ledger, in worlds that nobody chose by hand."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from random import Random
from typing import Any, Final

import pytest
from outage_worlds import Kill, Watched, outage

from callagent_cli.events import AttemptFinished, Stamped
from callagent_cli.reporting.incidents.report import Report
from callagent_cli.simulation.scenario.format import Scenario
from callagent_cli.store.database import Hooks

TARGETS: Final = ("elevenlabs", "elevenlabs.dial", "elevenlabs.follow", "crm", "llm")
STATUSES: Final = (500, 502, 503, 504, 529)
WORLDS_A_SEED: Final = 8
LATENCY_S: Final = 2.0
"""A request may be this much older than the failure it ended in."""


def _wasted(report: Report) -> int:
    waste = report.waste
    return waste.first_attempts + waste.retries + waste.trials


def _at(time: str) -> float:
    return datetime.fromisoformat(time).timestamp()


def _played(target: str, fault: Mapping[str, Any], **more: Any) -> tuple[Watched, list[Report]]:  # noqa: ANN401 — as `outage` takes them.
    world = Watched(outage(target, fault, **more))
    evidence = world.run()
    assert evidence.finished
    return world, world.of(target.partition(".")[0])


@pytest.mark.parametrize("seed", range(5))
def test_every_failed_request_of_an_outage_is_in_its_report_once(seed: int) -> None:
    """First attempts, retries and trials add up to the ledger; people affected are its calls."""
    random, told = Random(seed), 0
    for _ in range(WORLDS_A_SEED):
        target, contacts = random.choice(TARGETS), random.randint(4, 30)
        world, reports = _played(
            target,
            {"status": random.choice(STATUSES)},
            lasts_s=random.randint(10, 900),
            lanes=random.randint(1, 8),
            contacts=contacts,
        )
        received = world.requests[target.partition(".")[0]]
        met = {request.call_id for request in received if request.call_id}

        assert len(reports) <= 1
        told += len(reports)
        for report in reports:
            assert _wasted(report) == sum(report.errors.counts) == len(received)
            assert report.waste.after_open == 0
            assert len(met) <= report.impact.affected <= min(len(received), contacts)
            assert report.impact.affected == sum(report.impact.affected_now.values())
            assert report.impact.affected + report.impact.protected <= contacts
            assert report.impact.failed <= len(world.failed)
    assert told >= WORLDS_A_SEED // 2


@pytest.mark.parametrize(
    ("target", "up_s", "down_s", "lanes"),
    [
        ("elevenlabs", 8, 10, 1),
        ("elevenlabs.dial", 4, 12, 2),
        ("crm", 52, 25, 2),
        ("llm", 5, 12, 3),
    ],
)
def test_a_flapping_outage_counts_each_failure_once(
    target: str, up_s: int, down_s: int, lanes: int
) -> None:
    """All since it was detected, none twice; what worked on the next try before it is no part."""
    flap = {"up": float(up_s), "down": float(down_s)}
    world, reports = _played(target, {"status": 503}, lasts_s=720, lanes=lanes, flap=flap)
    received = world.requests[target.partition(".")[0]]

    assert reports
    for report, following in zip(reports, [*reports[1:], None][: len(reports)], strict=True):
        end_s = _at(following.times.first_failure) if following else float("inf")
        since_first = sum(
            _at(report.times.first_failure) - LATENCY_S <= request.at < end_s
            for request in received
        )
        since_detected = sum(
            _at(report.times.detected) < request.at < end_s for request in received
        )
        assert since_detected <= _wasted(report) <= since_first
        assert report.impact.affected + report.impact.protected <= 20
        assert report.waste.after_open == 0


@pytest.mark.parametrize("fault", ["refuse", "dns"])
@pytest.mark.parametrize("lanes", [1, 4])
def test_what_never_reached_the_provider_is_counted_too(fault: str, lanes: int) -> None:
    """The ledger has nothing of it; the fault that stood before the twin counts for it."""
    world, reports = _played("elevenlabs.dial", {fault: True}, lasts_s=200, lanes=lanes)

    assert len(reports) == 1
    assert world.requests["elevenlabs"] == []
    assert _wasted(reports[0]) == sum(world.faults.hits.values())
    assert reports[0].waste.after_open == 0


class _Durable(Watched):
    """A world that knows which failed attempts a kill could not take back any more."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self.failed_attempts: list[str] = []
        self._committed = self._lives_heard = 0

    def _hear(self, at_s: float, stamped: Stamped) -> None:
        if self._lives > self._lives_heard:
            self._lives_heard = self._lives
            del self.failed_attempts[self._committed :]
            self._store.hooks = Hooks(after_commit=self._commit)
        super()._hear(at_s, stamped)
        event = stamped.event
        if isinstance(event, AttemptFinished) and event.http_status == 503:
            self.failed_attempts.append(event.call)

    def _commit(self) -> None:
        self._committed = len(self.failed_attempts)


def _outage_of(lanes: int) -> Scenario:
    return outage("elevenlabs", {"status": 503}, lasts_s=200, lanes=lanes, contacts=20)


@cache
def _steps(lanes: int) -> tuple[int, int]:
    """Return the steps, without a kill, around the outage: its first failure and its end."""
    calm = _Durable(_outage_of(lanes))
    calm.run()
    return calm.steps_at_alerts[0] // 2, calm.steps_at_alerts[-1]


@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("lanes", [1, 6])
def test_a_kill_in_an_outage_loses_and_doubles_no_number(lanes: int, part: int) -> None:
    """Before it is detected, while it lasts and after it; what was in flight nobody knows."""
    first, last = _steps(lanes)
    for number in range(first + part, last, max(1, (last - first) // 8)):
        world = _Durable(_outage_of(lanes))
        assert world.run(Kill(where="step", number=number, restart_after_s=2.0)).finished
        (report,) = world.of("elevenlabs")

        assert _wasted(report) == sum(report.errors.counts) == len(world.failed_attempts), number
        assert 0 <= len(world.requests["elevenlabs"]) - _wasted(report) <= lanes, number
        assert report.impact.affected == len(set(world.failed_attempts)), number
        assert report.impact.affected == sum(report.impact.affected_now.values()), number
        assert report.impact.affected + report.impact.protected <= 20, number
        assert report.waste.after_open == 0, number
