"""The health checker: how often it asks, and what follows from what it hears."""

import asyncio
from collections.abc import Callable
from itertools import pairwise

import pytest
from resilience_doubles import (
    Service,
    Stage,
    cancelled,
    caught,
    down,
    for_ever,
    now,
    settled,
    start,
    wrong_key,
)

from callagent_cli.errors import ServiceError
from callagent_cli.events import Health, HealthChecked, ServiceDegraded
from callagent_cli.resilience.health import HealthChecker
from callagent_cli.simulation.virtual.run import run_virtual


def judge(error: ServiceError | None) -> Health:
    """Judge as the worker does: a wrong key proves nothing about the service."""
    if error is None:
        return "healthy"
    return "unknown" if error.status is None else "unhealthy"


def checker_of(
    stage: Stage, check: Service, idle: Callable[[], bool] = lambda: False
) -> HealthChecker:
    """Return a checker of the stage's service."""
    return HealthChecker(stage.guard, check, stage.clock, judge=judge, idle=idle, emit=stage.hear)


def test_it_asks_every_ten_seconds_with_jitter() -> None:
    """The first check goes out at once, the others 9 to 11 s apart, and not evenly."""

    async def main() -> None:
        stage, check = Stage(), Service()
        task = start(checker_of(stage, check).run)
        await settled(300.0)
        assert await cancelled(task)
        asked_s = check.asked_s
        gaps_s = [later - earlier for earlier, later in pairwise(asked_s)]
        assert asked_s[0] == 0.0
        assert all(9.0 <= gap_s <= 11.0 for gap_s in gaps_s)
        assert len(set(gaps_s)) > 10
        told = stage.events(HealthChecked)
        assert [event.next_check_s for event in told[:-1]] == pytest.approx(gaps_s)

    run_virtual(main())


def test_a_person_may_ask_for_a_check_at_once() -> None:
    """The check goes out in that moment, and the next one as usual after it."""

    async def main() -> None:
        stage, check = Stage(), Service()
        checker = checker_of(stage, check)
        task = start(checker.run)
        await settled(3.0)
        checker.check_soon()
        await settled()
        assert check.asked_s == [0.0, 3.0]
        await settled(8.0)
        assert len(check.asked_s) == 2
        await settled(4.0)
        assert len(check.asked_s) == 3
        assert await cancelled(task)

    run_virtual(main())


def test_it_says_what_it_found() -> None:
    """Each check is an event with health, duration and the error there was."""

    async def main() -> None:
        stage = Stage()

        async def slow() -> None:
            await asyncio.sleep(2.0)
            raise down()

        checker = checker_of(stage, Service(slow))
        assert (checker.health, checker.checked_utc_s) == ("unknown", None)
        await checker.check_once(next_check_s=10.0)
        await checker.check_once(next_check_s=10.0)
        failed, fine = stage.events(HealthChecked)
        assert (failed.health, failed.duration_s, failed.http_status) == ("unhealthy", 2.0, 503)
        assert (failed.outcome, failed.error_class) == ("unavailable", "ServiceUnavailable")
        assert (failed.operation, failed.breaker_state) == ("voice.health", "closed")
        assert (fine.health, fine.outcome, fine.error_message) == ("healthy", "ok", "")
        assert checker.health == "healthy"
        assert checker.checked_utc_s == stage.clock.utc()

    run_virtual(main())


def test_failing_while_closed_marks_the_service_and_no_more() -> None:
    """A hundred failing checks open nothing; a healthy one takes the mark back."""

    async def main() -> None:
        stage = Stage()
        checker = checker_of(stage, Service(*(down() for _ in range(100))))
        for _ in range(101):
            await checker.check_once(next_check_s=10.0)
        assert stage.state == "closed"
        told = [(event.degraded, event.reason) for event in stage.events(ServiceDegraded)]
        assert told == [(True, "503"), (False, "a health check was healthy")]

    run_virtual(main())


def test_an_unknown_answer_is_not_unhealthy() -> None:
    """A check that proves nothing neither marks a service nor takes a mark back."""

    async def main() -> None:
        stage = Stage()
        unknown = wrong_key()
        unknown.status = None
        checker = checker_of(stage, Service(unknown, down(), unknown))
        await checker.check_once(next_check_s=10.0)
        assert not stage.guard.degraded
        await checker.check_once(next_check_s=10.0)
        await checker.check_once(next_check_s=10.0)
        assert stage.guard.degraded

    run_virtual(main())


def test_the_first_healthy_check_after_an_outage_allows_a_trial() -> None:
    """A service back after 12 s is tried at the next check, long before its open time is over."""

    async def main() -> None:
        stage = Stage()
        check = Service(default=down())
        task = start(checker_of(stage, check).run)
        stage.trip()
        await settled(12.0)
        check.default = None
        await settled(11.0)
        assert stage.state == "half_open"
        assert await cancelled(task)

    run_virtual(main())


def test_an_idle_service_is_closed_by_two_healthy_checks() -> None:
    """Nobody calls; the breaker closes all the same, and the mark of doubt goes with it."""

    async def main() -> None:
        stage = Stage()
        stage.guard.degrade(reason="503")
        stage.trip()
        checker = checker_of(stage, Service(), idle=lambda: True)
        await checker.check_once(next_check_s=10.0)
        assert stage.state == "half_open"
        await checker.check_once(next_check_s=10.0)
        assert stage.state == "closed"
        assert not stage.guard.degraded

    run_virtual(main())


def test_with_failing_checks_a_trial_is_possible_after_15_minutes() -> None:
    """The check itself may be what is broken."""

    async def main() -> None:
        stage = Stage()
        stage.trip()
        task = start(checker_of(stage, Service(default=down())).run)
        await settled(899.0)
        assert stage.state == "open"
        await settled(20.0)
        assert stage.state == "half_open"
        assert await cancelled(task)

    run_virtual(main())


def test_a_checker_that_hangs_makes_health_stale_and_not_the_service_down() -> None:
    """While no answer comes, the open time alone decides."""

    async def main() -> None:
        stage = Stage()
        task = start(checker_of(stage, Service(down(), default=for_ever)).run)
        await settled()
        stage.trip()
        open_s = stage.breaker.retry_after_s
        await settled(open_s)
        assert stage.state == "half_open"
        assert await cancelled(task)

    run_virtual(main())


def test_a_bug_in_a_check_is_not_hidden() -> None:
    """What is no `ServiceError` ends the checker, for its owner to see."""

    async def main() -> float:
        stage = Stage()
        with caught(ZeroDivisionError):
            await checker_of(stage, Service(ZeroDivisionError())).run()
        return now()

    assert run_virtual(main()) == 0.0
