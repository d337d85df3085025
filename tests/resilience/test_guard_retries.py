"""The Guard's ladder: when attempts go out, what ends it, and what it costs the call."""

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
    lost,
    now,
    refused,
    settled,
    start,
    throttled,
)

from callagent_cli.clock import system_clock
from callagent_cli.errors import CircuitOpen, OutcomeUnknown, ServiceError, ServiceUnavailable
from callagent_cli.resilience.guard import Guard
from callagent_cli.resilience.policy import Policy
from callagent_cli.resilience.work import Operation, Work
from callagent_cli.simulation.virtual.run import run_virtual


class NotedWork(Work):
    """A call that notes what the Guard tells it."""

    def __init__(self, *, attempts_used: int = 0) -> None:
        super().__init__("call_1", attempts_used=attempts_used)
        self.notes: list[object] = []

    def on_wait(self, delay_s: float, reason: str) -> None:
        """Note a wait."""
        self.notes.append((delay_s, reason))

    def on_attempt(self) -> None:
        """Note that it is over."""
        self.notes.append(now())


def test_a_success_is_returned_and_leaves_nothing_behind() -> None:
    """One request, no wait, no slot held, no attempt used."""

    async def main() -> None:
        stage, service, work = Stage(), Service(), Work()
        assert await stage.guard.run(DIAL, service, work) == "fine"
        assert service.asked_s == [0.0]
        assert (stage.guard.slots.in_flight, work.attempts_used) == (0, 0)

    run_virtual(main())


def test_attempts_go_out_after_5_10_and_20_seconds() -> None:
    """Three failures, then a success at 35 s; the call is told of each wait and its end."""

    async def main() -> None:
        stage, work = Stage(), NotedWork()
        service = Service(down(), down(), down())
        assert await stage.guard.run(DIAL, service, work) == "fine"
        assert service.asked_s == [0.0, 5.0, 15.0, 35.0]
        assert work.attempts_used == 3
        assert work.notes == [
            (5.0, "backoff"),
            5.0,
            (10.0, "backoff"),
            15.0,
            (20.0, "backoff"),
            35.0,
        ]

    run_virtual(main())


def test_four_attempts_of_one_call_open_the_breaker_exactly_as_they_end() -> None:
    """The call ends with its error and not with a refusal, and nobody sleeps after the last one."""

    async def main() -> None:
        stage, work = Stage(), Work()
        service = Service(default=down())
        with caught(ServiceUnavailable, CircuitOpen) as errors:
            await stage.guard.run(DIAL, service, work)
        assert isinstance(errors[0], ServiceUnavailable)
        assert service.asked_s == [0.0, 5.0, 15.0, 35.0]
        assert now() == 35.0
        assert stage.state == "open"
        assert work.attempts_used == 4

    run_virtual(main())


def test_attempts_used_before_a_restart_are_not_given_again() -> None:
    """A call that had used two goes on with the third wait of its ladder."""

    async def main() -> None:
        stage, work = Stage(), Work(attempts_used=2)
        service = Service(default=down())
        with caught(ServiceUnavailable):
            await stage.guard.run(DIAL, service, work)
        assert service.asked_s == [0.0, 20.0]

    run_virtual(main())


def test_calls_in_backoff_are_refused_the_moment_the_breaker_opens() -> None:
    """With four lanes the first failures open it; everybody parks with one attempt used."""

    async def main() -> None:
        stage = Stage()
        service = Service(default=down())
        works = [Work(str(number)) for number in range(4)]
        tasks = [
            start(lambda work=work: stage.guard.run(DIAL, service, work))  # type: ignore[misc]
            for work in works
        ]
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(result) for result in results] == [CircuitOpen] * 4
        assert len(service.asked_s) == 4
        assert now() == 0.0
        assert [work.attempts_used for work in works] == [1, 1, 1, 1]
        causes = [result.__cause__ for result in results if isinstance(result, CircuitOpen)]
        assert all(isinstance(cause, ServiceUnavailable) for cause in causes)

    run_virtual(main())


def test_a_wait_goes_on_when_the_breaker_opened_and_closed_within_the_same_moment() -> None:
    """A trip undone at once does not send the retry out before its time."""

    async def main() -> None:
        stage, service = Stage(), Service(down())
        task = start(lambda: stage.guard.run(DIAL, service, Work()))
        await settled(2.0)
        stage.breaker.isolate("operator", "by hand")
        stage.breaker.reset("by hand")
        assert await task == "fine"
        assert service.asked_s == [0.0, 5.0]

    run_virtual(main())


def test_two_reasons_to_wake_in_one_moment_are_one() -> None:
    """The breaker opens and is isolated at once; the call in backoff is refused once."""

    async def main() -> None:
        stage, service = Stage(), Service(down())
        task = start(lambda: stage.guard.run(DIAL, service, Work()))
        await settled(2.0)
        stage.trip()
        stage.breaker.isolate("operator", "by hand")
        with caught(CircuitOpen) as errors:
            await task
        assert (errors[0].state, now()) == ("isolated", 2.0)

    run_virtual(main())


def test_a_wait_that_ends_in_half_open_finds_the_trial_taken() -> None:
    """The breaker opened and half-opened while the call slept on; another call is the trial."""

    async def main() -> None:
        stage, service, work = Stage(), Service(down()), Work()
        task = start(lambda: stage.guard.run(DIAL, service, work))
        await settled(2.0)
        stage.trip()
        stage.breaker.observe_health("healthy")
        trial = stage.breaker.admit()
        with caught(CircuitOpen) as errors:
            await task
        assert (errors[0].state, errors[0].trial) == ("half_open", False)
        assert service.asked_s == [0.0]
        assert stage.breaker._trials == [trial]

    run_virtual(main())


def test_no_retries_where_something_else_stands_in() -> None:
    """`retries: false` ends it with the first failure, which counts as an attempt."""

    async def main() -> None:
        stage, work = Stage(), Work(retries=False)
        service = Service(default=down())
        with caught(ServiceUnavailable):
            await stage.guard.run(DIAL, service, work)
        assert service.asked_s == [0.0]
        assert work.attempts_used == 1

    run_virtual(main())


def test_what_another_try_cannot_help_is_neither_retried_nor_counted() -> None:
    """A refused payload uses no attempt and is no evidence."""

    async def main() -> None:
        stage, work = Stage(), Work()
        service = Service(default=refused())
        with caught(ServiceError) as errors:
            await stage.guard.run(DIAL, service, work)
        assert errors[0].code == "bad_number"
        assert len(service.asked_s) == 1
        assert work.attempts_used == 0
        assert stage.state == "closed"

    run_virtual(main())


def test_an_unknown_outcome_is_evidence_and_not_retried() -> None:
    """The fourth lost answer opens the breaker; none of them is repeated."""

    async def main() -> None:
        stage = Stage()
        service = Service(default=lost())
        for _ in range(4):
            work = Work()
            with caught(OutcomeUnknown):
                await stage.guard.run(DIAL, service, work)
            assert work.attempts_used == 1
        assert len(service.asked_s) == 4
        assert stage.state == "open"

    run_virtual(main())


def test_a_bug_in_an_attempt_passes_and_leaves_nothing_behind() -> None:
    """What is no `ServiceError` is not the Guard's: no evidence, no retry, the slot is free."""

    async def main() -> None:
        stage = Stage()
        for _ in range(5):
            with caught(ZeroDivisionError):
                await stage.guard.run(DIAL, Service(ZeroDivisionError()), Work())
        assert stage.state == "closed"
        assert stage.guard.slots.in_flight == 0

    run_virtual(main())


def test_a_refusal_from_within_an_attempt_is_no_evidence() -> None:
    """An attempt that asks the breaker again, and finds it moved, proves nothing."""

    async def main() -> None:
        stage = Stage()

        async def two_requests() -> None:
            generation = stage.breaker.generation
            stage.breaker.isolate("operator", "by hand")
            stage.breaker.check(generation)

        work = Work()
        with caught(CircuitOpen):
            await stage.guard.run(DIAL, two_requests, work)
        assert (stage.guard.slots.in_flight, work.attempts_used) == (0, 0)

    run_virtual(main())


@pytest.mark.parametrize("answer", [down(), throttled(7.0)])
def test_a_cancellation_during_a_wait_is_delivered(answer: ServiceError) -> None:
    """The task ends as cancelled at once, and the Guard forgets the sleeper."""

    async def main() -> None:
        stage = Stage()
        service = Service(answer)
        task = start(lambda: stage.guard.run(DIAL, service, Work()))
        await settled(3.0)
        assert await cancelled(task)
        assert now() == 3.0
        assert stage.guard._sleepers == []
        await settled(100.0)
        assert service.asked_s == [0.0]

    run_virtual(main())


def test_a_cancelled_attempt_is_no_evidence() -> None:
    """Ten cancelled attempts leave the breaker closed and all slots free."""

    async def main() -> None:
        stage = Stage()
        stage.breaker.fail(stage.breaker.admit(), "voice.dial", 1.0, now(), reason="503")
        for _ in range(10):
            task = start(lambda: stage.guard.run(DIAL, Service(for_ever), Work()))
            await settled(1.0)
            assert await cancelled(task)
        assert stage.state == "closed"
        assert stage.guard.slots.in_flight == 0

    run_virtual(main())


def test_an_operation_with_a_timeout_ends_its_attempts_and_retries_them() -> None:
    """Two attempts hang for 30 s each, the third answers."""

    async def main() -> None:
        stage = Stage()
        service = Service(for_ever, for_ever)
        dial = Operation("voice.dial", timeout_s=30.0)
        assert await stage.guard.run(dial, service, Work()) == "fine"
        assert service.asked_s == [0.0, 35.0, 75.0]

    run_virtual(main())


def test_it_works_on_a_standard_loop_with_nobody_listening() -> None:
    """Without a listener and with the clock of a real run, a success is a success."""

    async def main() -> str:
        guard = Guard("voice", Policy(), system_clock())

        async def answer() -> str:
            return "fine"

        return await guard.run(Operation("voice.dial", timeout_s=5.0), answer, Work())

    assert asyncio.run(main()) == "fine"
