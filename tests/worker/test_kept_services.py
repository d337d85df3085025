"""What is kept of the services while a worker runs, and when it is written."""

from random import Random
from typing import Any

import msgspec
import pytest
from worker_stage import CAMPAIGN, Stage

from callagent_cli.clock import EPOCH_OF_SIMULATIONS_S, Clock
from callagent_cli.events import BreakerChanged, Bus, Event, GateClosed, HealthChecked
from callagent_cli.simulation.virtual.run import run_virtual
from callagent_cli.store.documents import SERVICE, ServiceDocument, read_services
from callagent_cli.worker.kept.services import ServiceDocuments
from callagent_cli.worker.resources import Resources

HEALTHY = HealthChecked(service="crm", health="healthy", duration_s=0.1, next_check_s=10.0)


class Kept:
    """The documents of one run; must be made inside the running loop."""

    def __init__(self, stage: Stage) -> None:
        self.now_s = 5.0
        self.clock = Clock(
            lambda: self.now_s, lambda: EPOCH_OF_SIMULATIONS_S + self.now_s, Random(7)
        )
        self.bus = Bus(self.clock, campaign=CAMPAIGN)
        self.resources = Resources(
            settings=stage.settings,
            clock=self.clock,
            bus=self.bus,
            store=stage.store,
            services=stage._services(self.clock, self.bus),
            campaign=CAMPAIGN,
        )
        ServiceDocuments(self.resources, {}).restore()

    def stored(self) -> ServiceDocument:
        """Return what the store knows of the CRM."""
        return read_services(self.resources.store.documents(SERVICE))["crm"]


def test_a_check_without_news_is_written_with_the_next_beat() -> None:
    """It costs no commit of its own: the pulse writes each second anyway."""

    async def main() -> None:
        kept = Kept(Stage())
        kept.bus.emit(HEALTHY)
        first = kept.stored()
        kept.bus.emit(msgspec.structs.replace(HEALTHY, next_check_s=11.0))
        assert kept.stored() == first
        kept.resources.beat()
        assert kept.stored().next_check_utc_s == kept.clock.utc() + 11.0
        assert kept.stored().health == "healthy"

    run_virtual(main())


NEWS: dict[str, dict[str, Any]] = {
    "the first check": {},
    "another health": {"health": "unhealthy"},
    "another error": {"error_message": "the key is wrong"},
}


@pytest.mark.parametrize("news", NEWS)
def test_a_check_with_news_is_written_at_once(news: str) -> None:
    """What an operator asks `status` for, and what a restart goes on with, does not wait."""

    async def main() -> None:
        kept = Kept(Stage())
        if NEWS[news]:
            kept.bus.emit(HEALTHY)
            kept.resources.beat()
        said = msgspec.structs.replace(HEALTHY, next_check_s=12.0, **NEWS[news])
        kept.bus.emit(said)
        assert kept.stored().next_check_utc_s == kept.clock.utc() + 12.0
        assert kept.stored().health == said.health

    run_virtual(main())


def test_a_check_of_an_open_breaker_is_written_as_long_as_its_open_time_runs() -> None:
    """A restart goes on with what is left of it; once it is over there is nothing new to keep."""

    async def main() -> None:
        kept = Kept(Stage())
        breaker = kept.resources.services.guards["crm"].breaker
        unhealthy = msgspec.structs.replace(HEALTHY, health="unhealthy", breaker_state="open")
        breaker.isolate("quota", "no credit", operation="crm.record")
        kept.bus.emit(unhealthy)
        left_s = breaker.retry_after_s
        kept.now_s += 10.0
        kept.bus.emit(unhealthy)
        assert kept.stored().checked_utc_s == kept.clock.utc()
        assert kept.stored().open_until_utc_s == kept.clock.utc() + left_s - 10.0
        kept.now_s += left_s
        kept.bus.emit(unhealthy)
        over = kept.stored()
        assert over.open_until_utc_s is None
        kept.now_s += 10.0
        kept.bus.emit(unhealthy)
        assert kept.stored() == over
        kept.resources.beat()
        assert kept.stored().checked_utc_s == kept.clock.utc()

    run_virtual(main())


OTHERS: list[tuple[Event, str, object]] = [
    (GateClosed(service="crm", delay_s=30.0, reason="asked to"), "gate_until_utc_s", 35.0),
    (
        BreakerChanged(service="crm", old="closed", new="open", reason="x", error_message="503"),
        "error_message",
        "503",
    ),
]


@pytest.mark.parametrize(("event", "field", "expected"), OTHERS)
def test_what_a_service_asked_for_is_written_at_once(
    event: Event, field: str, expected: object
) -> None:
    """A worker that is killed now keeps the wait, and the reason, after its restart."""

    async def main() -> None:
        kept = Kept(Stage())
        kept.bus.emit(event)
        found = getattr(kept.stored(), field)
        assert found == (
            EPOCH_OF_SIMULATIONS_S + expected if isinstance(expected, float) else expected
        )

    run_virtual(main())


def test_a_wait_that_was_asked_for_outlives_a_kill() -> None:
    """The next worker asks nothing of the service before the time it named."""

    async def main() -> None:
        stage = Stage()
        Kept(stage).bus.emit(GateClosed(service="crm", delay_s=30.0, reason="asked to"))
        guard = Kept(stage).resources.services.guards["crm"]
        assert guard.gate.not_before_s >= 35.0

    run_virtual(main())


def test_a_shorter_wait_does_not_end_a_longer_one_after_a_restart() -> None:
    """Of two answers that came at once, the later names fewer seconds: the longer wait is kept."""

    async def main() -> None:
        stage = Stage()
        kept = Kept(stage)
        gate = kept.resources.services.guards["crm"].gate
        for delay_s in (30.0, 5.0):
            gate.close_for(delay_s)
            kept.bus.emit(GateClosed(service="crm", delay_s=delay_s, reason="asked to"))
        assert kept.stored().gate_until_utc_s == EPOCH_OF_SIMULATIONS_S + 35.0

    run_virtual(main())
