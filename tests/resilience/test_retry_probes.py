"""What the comparison found in retries, and one-off findings, each as a probe."""

import asyncio

import pytest
from resilience_doubles import (
    DIAL,
    Service,
    Stage,
    cancelled,
    caught,
    down,
    for_ever,
    now,
    refused,
    settled,
    start,
)

from callagent_cli.errors import CircuitOpen, InvalidPayload
from callagent_cli.resilience.policy import Policy
from callagent_cli.resilience.work import Operation, Work
from callagent_cli.simulation.virtual.run import run_virtual


def test_async_functions_really_count() -> None:
    """Failures of awaited attempts are failures, and the fifth caller does not get through."""

    async def main() -> None:
        stage = Stage()
        service = Service(default=down())
        await stage.fail(service, 10)
        assert len(service.asked_s) == 4

    run_virtual(main())


def test_no_sleep_after_the_last_failure() -> None:
    """Whoever used its last attempt learns so in that moment."""

    async def main() -> None:
        stage = Stage()
        service = Service(default=down())
        with caught(Exception):
            await stage.guard.run(DIAL, service, Work())
        assert now() == service.asked_s[-1]

    run_virtual(main())


@pytest.mark.parametrize("asked_s", [120.0, 0.9])
def test_retry_after_is_honored(asked_s: float) -> None:
    """120 s are waited for, and a fraction of a second neither truncated nor undercut."""

    async def main() -> None:
        stage = Stage(Policy())
        service = Service(down(asked_s))
        await stage.guard.run(DIAL, service, Work())
        waited_s = service.asked_s[1] - service.asked_s[0]
        assert waited_s >= asked_s
        assert waited_s <= max(asked_s + 1.0, 6.25)

    run_virtual(main())


def test_not_all_clients_wake_at_exactly_20_seconds() -> None:
    """The third waits of 200 clients lie between 15 and 25 s, no two of them alike."""

    async def main() -> list[float]:
        waits_s = []
        for seed in range(200):
            stage = Stage(Policy(), seed=seed)
            service = Service(down(), down(), down())
            await stage.guard.run(DIAL, service, Work())
            waits_s.append(service.asked_s[3] - service.asked_s[2])
        return waits_s

    waits_s = run_virtual(main())

    assert 15.0 <= min(waits_s) < 16.0
    assert 24.0 < max(waits_s) <= 25.0
    assert len(set(waits_s)) == 200


def test_the_first_waits_of_a_seed_are_those_of_that_seed() -> None:
    """The same seed gives the same jitter."""

    async def main() -> list[float]:
        service = Service(down(), down())
        await Stage(Policy(), seed=7).guard.run(DIAL, service, Work())
        return service.asked_s

    assert run_virtual(main()) == run_virtual(main())


def test_retry_does_not_spend_attempts_on_rejections() -> None:
    """A ladder that meets its own open breaker stops; nothing more is sent or used up."""

    async def main() -> None:
        stage, work = Stage(), Work()
        service = Service(default=down())
        task = start(lambda: stage.guard.run(DIAL, service, work))
        await settled(1.0)
        stage.trip()
        with caught(CircuitOpen):
            await task
        with caught(CircuitOpen):
            await stage.guard.run(DIAL, service, work)
        assert (len(service.asked_s), work.attempts_used, now()) == (1, 1, 1.0)

    run_virtual(main())


def test_a_cancel_during_a_backoff_sleep_is_delivered() -> None:
    """The task ends as cancelled, and does not finish its ladder as if nothing had been said."""

    async def main() -> None:
        stage, service = Stage(), Service(default=down())
        task = start(lambda: stage.guard.run(DIAL, service, Work()))
        await settled(2.0)
        assert await cancelled(task)
        await asyncio.sleep(100)
        assert (now(), len(service.asked_s)) == (102.0, 1)

    run_virtual(main())


def test_the_deadline_is_never_overshot() -> None:
    """An attempt that could not end in time is not started, whatever its wait."""

    async def main() -> None:
        stage = Stage(Policy())
        dial = Operation("voice.dial", timeout_s=10.0, deadline_s=40.0)
        service = Service(default=for_ever)
        with caught(Exception):
            await stage.guard.run(dial, service, Work())
        assert service.asked_s[-1] + 10.0 <= 40.0
        assert now() <= 40.0

    run_virtual(main())


def test_one_malformed_request_marks_nobody_as_down() -> None:
    """A hundred contacts refused for different reasons do not touch the breaker."""

    async def main() -> None:
        stage = Stage()
        for number in range(100):
            with caught(InvalidPayload):
                answer = refused(code=f"reason_{number % 7}")
                await stage.guard.run(DIAL, Service(answer), Work(str(number)))
        assert stage.state == "closed"

    run_virtual(main())
