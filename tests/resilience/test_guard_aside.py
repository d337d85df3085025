"""Requests beside the traffic: never evidence, and only while the breaker is closed."""

import asyncio

import pytest
from resilience_doubles import (
    DIAL,
    FOLLOW,
    Service,
    Stage,
    cancelled,
    caught,
    down,
    for_ever,
    now,
    settled,
    start,
    throttled,
    wrong_key,
)

from callagent_cli.errors import CircuitOpen, ServiceError, ServiceTimeout
from callagent_cli.events import AttemptFinished, ServiceDegraded
from callagent_cli.resilience.policy import Policy
from callagent_cli.resilience.work import Operation, Work
from callagent_cli.simulation.virtual.run import run_virtual


def test_it_returns_what_it_learns_and_is_told_as_an_attempt() -> None:
    """A success is reported like every other attempt."""

    async def main() -> None:
        stage = Stage()
        assert await stage.guard.aside(FOLLOW, Service(), Work("call_1")) == "fine"
        assert [event.outcome for event in stage.events(AttemptFinished)] == ["ok"]
        assert stage.guard.slots.in_flight == 0

    run_virtual(main())


@pytest.mark.parametrize("answer", [down(), wrong_key()])
def test_its_failures_only_mark_the_service_as_degraded(answer: ServiceError) -> None:
    """Ten failures open nothing, are not retried, use no attempt, and are marked once."""

    async def main() -> None:
        stage, work = Stage(), Work()
        service = Service(default=answer)
        for _ in range(10):
            with caught(ServiceError):
                await stage.guard.aside(FOLLOW, service, work)
        assert stage.state == "closed"
        assert stage.guard.degraded
        assert [event.degraded for event in stage.events(ServiceDegraded)] == [True]
        assert (work.attempts_used, now()) == (0, 0.0)

    run_virtual(main())


def test_its_successes_clear_no_failures() -> None:
    """Three failures of following stay three, whatever succeeds beside them."""

    async def main() -> None:
        stage = Stage()
        await stage.fail(Service(default=down()), 3, FOLLOW)
        for _ in range(10):
            await stage.guard.aside(FOLLOW, Service(), Work())
        await stage.fail(Service(default=down()), 1, FOLLOW)
        assert stage.state == "open"

    run_virtual(main())


def test_it_is_refused_unless_the_breaker_is_closed() -> None:
    """Open, half-open and isolated breakers let nothing pass beside the trial."""

    async def main() -> None:
        stage = Stage()
        service = Service()
        stage.trip()
        with caught(CircuitOpen):
            await stage.guard.aside(FOLLOW, service, Work())
        stage.breaker.observe_health("healthy")
        with caught(CircuitOpen):
            await stage.guard.aside(FOLLOW, service, Work())
        assert stage.breaker.trial_is_free
        stage.breaker.isolate("operator", "by hand")
        with caught(CircuitOpen):
            await stage.guard.aside(FOLLOW, service, Work())
        assert service.asked_s == []

    run_virtual(main())


def test_it_is_refused_when_the_breaker_opens_while_it_waits() -> None:
    """It waits at the gate and for a slot like everybody, and asks again after that."""

    async def main() -> None:
        stage = Stage(Policy(slots=1))
        service = Service()
        stage.guard.gate.close_for(10.0)
        task = start(lambda: stage.guard.aside(FOLLOW, service, Work()))
        await settled(5.0)
        stage.trip()
        with caught(CircuitOpen):
            await task
        assert service.asked_s == []
        assert stage.guard.slots.in_flight == 0

    run_virtual(main())


def test_a_wait_that_it_is_told_holds_for_all() -> None:
    """A look-up that meets the rate limit closes the gate for the dials as well."""

    async def main() -> None:
        stage = Stage()
        with caught(ServiceError):
            await stage.guard.aside(FOLLOW, Service(throttled(30.0)), Work())
        service = Service()
        await stage.guard.run(DIAL, service, Work())
        assert service.asked_s == [pytest.approx(30.0, abs=1.01)]
        assert service.asked_s[0] >= 30.0

    run_virtual(main())


def test_it_has_the_timeout_of_its_operation() -> None:
    """A look-up that hangs ends after its 10 s and gives its slot back."""

    async def main() -> None:
        stage = Stage()
        look_up = Operation("voice.look_up", timeout_s=10.0)
        with caught(ServiceTimeout):
            await stage.guard.aside(look_up, Service(for_ever), Work())
        assert now() == 10.0
        assert stage.guard.slots.in_flight == 0

    run_virtual(main())


def test_a_cancelled_one_gives_its_slot_back() -> None:
    """Cancellation is delivered and leaves nothing in flight."""

    async def main() -> None:
        stage = Stage()
        task = asyncio.create_task(stage.guard.aside(FOLLOW, Service(for_ever), Work()))
        await settled(1.0)
        assert await cancelled(task)
        assert stage.guard.slots.in_flight == 0
        assert not stage.guard.degraded

    run_virtual(main())
