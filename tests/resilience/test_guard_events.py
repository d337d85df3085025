"""What the Guard tells its listeners, and that it tells all of it with the same keys."""

import asyncio

import pytest
from resilience_doubles import (
    DIAL,
    Service,
    Stage,
    caught,
    down,
    now,
    settled,
    throttled,
    wrong_key,
)

from callagent_cli.errors import ServiceError, ServiceUnavailable
from callagent_cli.events import (
    AttemptFinished,
    BreakerChanged,
    GateClosed,
    RetryScheduled,
    ServiceDegraded,
    ServiceEvent,
    SlotsChanged,
)
from callagent_cli.resilience.work import Work
from callagent_cli.simulation.virtual.run import run_virtual


def test_an_attempt_is_told_with_everything_known_of_it() -> None:
    """Call, attempt of how many, outcome, error, status, request and duration."""

    async def main() -> AttemptFinished:
        stage = Stage()

        async def slow() -> None:
            await asyncio.sleep(1.5)
            raise ServiceUnavailable("503", status=503, request_id="req_7")

        with caught(ServiceError):
            await stage.guard.run(DIAL, slow, Work("call_1", attempts_used=1, retries=False))
        return stage.events(AttemptFinished)[0]

    event = run_virtual(main())

    assert (event.service, event.operation, event.call) == ("voice", "voice.dial", "call_1")
    assert (event.attempt, event.of, event.duration_s) == (2, 4, 1.5)
    assert (event.outcome, event.error_class) == ("unavailable", "ServiceUnavailable")
    assert (event.error_message, event.http_status, event.request_id) == ("503", 503, "req_7")
    assert (event.breaker_state, event.trial) == ("closed", False)


def test_a_success_is_told_as_ok() -> None:
    """It has no error, and the number of its attempt."""

    async def main() -> list[AttemptFinished]:
        stage = Stage()
        await stage.guard.run(DIAL, Service(down()), Work("call_1"))
        return stage.events(AttemptFinished)

    failed, fine = run_virtual(main())

    assert (failed.attempt, fine.attempt) == (1, 2)
    assert (fine.outcome, fine.error_class, fine.http_status) == ("ok", "", None)


def test_a_wait_is_told_before_it_begins() -> None:
    """The delay, its reason, and which attempt comes after it."""

    async def main() -> tuple[float, RetryScheduled]:
        stage = Stage()
        await stage.guard.run(DIAL, Service(down(12.0)), Work("call_1"))
        told = [(at_s, event) for at_s, event in stage.told if isinstance(event, RetryScheduled)]
        return told[0]

    at_s, event = run_virtual(main())

    assert at_s == 0.0
    assert (event.delay_s, event.reason, event.attempt, event.of) == (12.0, "retry_after", 2, 4)
    assert (event.outcome, event.http_status) == ("unavailable", 503)


def test_a_move_is_told_with_the_error_that_led_to_it() -> None:
    """Opening names the failure, half-opening still does, and closing does not any more."""

    async def main() -> list[BreakerChanged]:
        stage = Stage()
        await stage.fail(Service(default=down()), 4)
        await settled(stage.breaker.retry_after_s)
        for _ in range(2):
            await stage.guard.run(DIAL, Service(), Work())
        stage.breaker.isolate("operator", "tripped by ann")
        return stage.events(BreakerChanged)

    opened, half, closed, isolated = run_virtual(main())

    assert (opened.old, opened.new, opened.breaker_state) == ("closed", "open", "open")
    assert (opened.error_class, opened.http_status) == ("ServiceUnavailable", 503)
    assert opened.open_s == opened.delay_s
    assert opened.open_s == pytest.approx(30.0, rel=0.1)
    assert (half.new, half.error_message) == ("half_open", "503")
    assert (closed.new, closed.open_s) == ("closed", None)
    assert (isolated.owner, isolated.reason, isolated.error_class) == (
        "operator",
        "tripped by ann",
        "",
    )


def test_an_isolation_is_told_after_the_attempt_that_caused_it() -> None:
    """First what happened, then what followed."""

    async def main() -> list[str]:
        stage = Stage()
        with caught(ServiceError):
            await stage.guard.run(DIAL, Service(wrong_key()), Work())
        return [type(event).__name__ for _, event in stage.told]

    assert run_virtual(main()) == ["AttemptFinished", "BreakerChanged"]


def test_limits_are_told() -> None:
    """A closed gate says for how long and why."""

    async def main() -> GateClosed:
        stage = Stage()
        await stage.guard.run(DIAL, Service(throttled(3.0)), Work())
        return stage.events(GateClosed)[0]

    event = run_virtual(main())

    assert (event.delay_s, event.reason, event.breaker_state) == (3.0, "429", "closed")


def test_doubt_is_told_once_in_each_direction() -> None:
    """Marking twice and taking back twice are one event each."""

    async def main() -> list[ServiceDegraded]:
        stage = Stage()
        stage.guard.recover(reason="fine")
        stage.guard.degrade(reason="slow")
        stage.guard.degrade(reason="slower")
        stage.guard.recover(reason="fine")
        stage.guard.recover(reason="finer")
        assert now() == 0.0
        return stage.events(ServiceDegraded)

    told = run_virtual(main())

    assert [(event.degraded, event.reason) for event in told] == [(True, "slow"), (False, "fine")]


def test_all_events_of_a_service_carry_its_name() -> None:
    """Whatever is told in an outage and its recovery belongs to the service."""

    async def main() -> list[ServiceEvent]:
        stage = Stage()
        await stage.fail(Service(default=down(1.0)), 4)
        stage.breaker.reset("by hand")
        await settled(100.0)
        return stage.events(ServiceEvent)

    told = run_virtual(main())

    assert {event.service for event in told} == {"voice"}
    assert {SlotsChanged, GateClosed, BreakerChanged} <= {type(event) for event in told}
