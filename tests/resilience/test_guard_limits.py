"""What the Guard makes of limits: gate, slots, budget and deadline."""

import asyncio

import pytest
from resilience_doubles import (
    DIAL,
    EXACT,
    FOLLOW,
    Service,
    Stage,
    busy_here,
    cancelled,
    caught,
    down,
    for_ever,
    now,
    settled,
    start,
    throttled,
)

from callagent_cli.errors import Deferred, RateLimited, ServiceError, ServiceUnavailable
from callagent_cli.events import GateClosed, RetryScheduled, SlotsChanged
from callagent_cli.resilience.policy import BreakerPolicy, BudgetPolicy, Policy, RetryPolicy
from callagent_cli.resilience.work import Operation, Work
from callagent_cli.simulation.virtual.run import run_virtual


def test_a_rate_limit_stops_all_callers_until_its_time_and_uses_no_attempt() -> None:
    """One caller is told to wait 12 s; another that comes later waits as well."""

    async def main() -> None:
        stage, work = Stage(), Work()
        service = Service(throttled(12.0))
        first = start(lambda: stage.guard.run(DIAL, service, work))
        await settled(3.0)
        second = start(lambda: stage.guard.run(FOLLOW, service, Work()))
        await asyncio.gather(first, second)
        assert service.asked_s == [0.0, 12.0, 12.0]
        assert work.attempts_used == 0
        assert stage.state == "closed"
        assert [event.delay_s for event in stage.events(GateClosed)] == [12.0]

    run_virtual(main())


def test_a_rate_limit_without_a_time_closes_the_gate_for_the_ladders_wait() -> None:
    """5 s the first time, 10 s the second, for all callers."""

    async def main() -> None:
        stage = Stage()
        service = Service(throttled(), throttled())
        await stage.guard.run(DIAL, service, Work())
        assert service.asked_s == [0.0, 5.0, 15.0]
        assert [event.delay_s for event in stage.events(GateClosed)] == [5.0, 10.0]

    run_virtual(main())


def test_a_rate_limit_can_be_met_more_often_than_there_are_attempts() -> None:
    """Ten limits in a row fail nobody."""

    async def main() -> None:
        stage, work = Stage(), Work()
        service = Service(*(throttled(2.0) for _ in range(10)))
        assert await stage.guard.run(DIAL, service, work) == "fine"
        assert (now(), work.attempts_used) == (20.0, 0)

    run_virtual(main())


def test_the_gate_also_keeps_the_wait_of_a_caller_that_gives_up() -> None:
    """The last attempt of a call is told to wait 100 s: the next call keeps that wait."""

    async def main() -> None:
        stage = Stage()
        service = Service(down(100.0))
        with caught(ServiceUnavailable):
            await stage.guard.run(DIAL, service, Work(attempts_used=3))
        await stage.guard.run(DIAL, service, Work())
        assert service.asked_s == [0.0, 100.0]

    run_virtual(main())


def test_the_gate_also_keeps_the_wait_that_a_failed_trial_was_told() -> None:
    """A healthy check half-opens the breaker, and the next trial still waits for its time."""

    async def main() -> None:
        stage = Stage(Policy(breaker=BreakerPolicy(open_s=5.0), retry=EXACT.retry))
        service = Service(*(down() for _ in range(4)), down(200.0))
        await stage.fail(service, 4)
        await settled(6.0)
        await stage.fail(service, 1)
        await settled(20.0)
        assert stage.state == "half_open"
        asked_s = service.asked_s[-1]
        await stage.guard.run(DIAL, service, Work())
        assert service.asked_s[-1] == asked_s + 200.0

    run_virtual(main())


def test_a_wait_longer_than_the_deadline_defers_at_once() -> None:
    """Neither the caller that is told nor one that comes later sleeps for an hour."""

    async def main() -> None:
        stage = Stage()
        dial = Operation("voice.dial", deadline_s=150.0)
        service = Service(throttled(3_600.0))
        with caught(Deferred) as told:
            await stage.guard.run(dial, service, Work())
        await settled(600.0)
        with caught(Deferred) as later:
            await stage.guard.run(dial, service, Work())
        assert (told[0].delay_s, later[0].delay_s) == (3_600.0, 3_000.0)
        assert isinstance(told[0].__cause__, RateLimited)
        assert service.asked_s == [0.0]

    run_virtual(main())


def test_a_gate_that_closes_for_longer_meanwhile_defers_those_who_wait() -> None:
    """Whoever waits for 10 s and then learns of an hour more is deferred at 10 s."""

    async def main() -> None:
        stage = Stage()
        stage.guard.gate.close_for(10.0)
        dial = Operation("voice.dial", deadline_s=150.0)
        task = start(lambda: stage.guard.run(dial, Service(), Work()))
        await settled(1.0)
        stage.guard.gate.close_for(3_600.0)
        with caught(Deferred):
            await task
        assert now() == 10.0

    run_virtual(main())


def test_no_attempt_starts_that_could_not_end_before_the_deadline() -> None:
    """With 60 s in all and 30 s an attempt, the third one would not fit."""

    async def main() -> None:
        stage = Stage()
        dial = Operation("voice.dial", timeout_s=30.0, deadline_s=60.0)
        service = Service(default=down())
        work = Work()
        with caught(Deferred) as errors:
            await stage.guard.run(dial, service, work)
        assert service.asked_s == [0.0, 5.0, 15.0]
        assert now() == 15.0
        assert errors[0].delay_s == 20.0
        assert work.attempts_used == 3

    run_virtual(main())


def test_whoever_gets_a_slot_after_the_gate_closed_waits_again() -> None:
    """The slot is given back, and taken again when the gate is open."""

    async def main() -> None:
        stage = Stage(Policy(slots=1, retry=EXACT.retry))
        service = Service(throttled(50.0))
        stage.guard.slots.try_acquire()
        task = start(lambda: stage.guard.run(DIAL, service, Work()))
        await settled(1.0)
        stage.guard.gate.close_for(20.0)
        stage.guard.slots.release()
        await settled(1.0)
        assert stage.guard.slots.in_flight == 0
        await task
        assert service.asked_s == [21.0, 71.0]

    run_virtual(main())


def test_our_own_limit_lowers_the_slots_and_waits_for_one_to_free() -> None:
    """The refused request goes out again in the moment another one ends, and uses no attempt."""

    async def main() -> None:
        stage, work = Stage(), Work()
        ends = asyncio.Event()
        longer = start(lambda: stage.guard.run(DIAL, Service(ends.wait), Work()))
        await settled()
        service = Service(busy_here())
        task = start(lambda: stage.guard.run(DIAL, service, work))
        await settled(3.0)
        assert stage.guard.slots.limit == 1
        ends.set()
        await asyncio.gather(longer, task)
        assert service.asked_s == [0.0, 3.0]
        assert work.attempts_used == 0
        assert stage.events(SlotsChanged)[0].slots == 1

    run_virtual(main())


def test_our_own_limit_with_nothing_of_ours_in_flight_waits_as_the_ladder_says() -> None:
    """Somebody else uses the account: there is no end of ours to wait for."""

    async def main() -> None:
        stage = Stage()
        service = Service(busy_here(), busy_here())
        await stage.guard.run(DIAL, service, Work())
        assert service.asked_s == [0.0, 5.0, 15.0]

    run_virtual(main())


def test_successes_give_lowered_slots_back() -> None:
    """One request at a time succeeding raises the limit step by step."""

    async def main() -> None:
        stage = Stage(Policy(slots=4, retry=EXACT.retry))
        await stage.guard.run(DIAL, Service(busy_here()), Work())
        assert stage.guard.slots.limit == 2
        for _ in range(10):
            await stage.guard.run(DIAL, Service(), Work())
        assert stage.guard.slots.limit == 4

    run_virtual(main())


def test_no_more_requests_are_in_flight_than_there_are_slots() -> None:
    """Fifty callers, three slots, 1 s each: the service never sees more than three."""

    async def main() -> None:
        stage = Stage(Policy(slots=3))
        in_flight, highest = 0, 0

        async def answer() -> None:
            nonlocal in_flight, highest
            in_flight += 1
            highest = max(highest, in_flight)
            await asyncio.sleep(1.0)
            in_flight -= 1

        await asyncio.gather(*(stage.guard.run(DIAL, answer, Work()) for _ in range(50)))
        assert highest == 3
        assert now() == 17.0

    run_virtual(main())


CROWDED = Policy(
    retry=RetryPolicy(jitter="none"),
    breaker=BreakerPolicy(failures=1_000, minimum_attempts=1_000),
    budget=BudgetPolicy(ratio=0.01, window_s=10.0, floor_per_s=0.5),
    slots=100,
)


def test_a_retry_beyond_the_budget_waits_and_uses_no_attempt() -> None:
    """Twenty calls fail at once; five retries go out in each ten seconds, and nobody fails."""

    async def main() -> None:
        stage = Stage(CROWDED)
        service = Service(*(down() for _ in range(20)))
        works = [Work(str(number)) for number in range(20)]
        results = await asyncio.gather(*(stage.guard.run(DIAL, service, work) for work in works))
        assert results == ["fine"] * 20
        assert [work.attempts_used for work in works] == [1] * 20
        retries_s = service.asked_s[20:]
        for at_s in retries_s:
            assert sum(at_s - 9.0 < other_s <= at_s for other_s in retries_s) <= 5
        reasons = [event.reason for event in stage.events(RetryScheduled)]
        assert reasons.count("backoff") == 20
        assert "budget" in reasons

    run_virtual(main())


def test_the_budget_holds_as_well_when_retries_queue_for_slots() -> None:
    """A share is taken when the retry is granted, so that a queue cannot overdraw it."""

    async def main() -> None:
        stage = Stage(CROWDED)
        service = Service(*(down() for _ in range(20)))
        tasks = [start(lambda: stage.guard.run(DIAL, service, Work())) for _ in range(20)]
        await settled(4.0)
        for _ in range(100):
            stage.guard.slots.try_acquire()
        await settled(4.0)
        granted = stage.guard.slots._new
        assert len(granted) == 5
        for _ in range(100):
            stage.guard.slots.release()
        await asyncio.gather(*tasks)

    run_virtual(main())


def test_a_wait_for_the_budget_past_the_deadline_defers() -> None:
    """There is no time left to wait for a share."""

    async def main() -> None:
        stage = Stage(CROWDED)
        for _ in range(5):
            stage.guard.budget.take(0.0)
        service = Service(down(), default=for_ever)
        dial = Operation("voice.dial", timeout_s=1.0, deadline_s=6.5)
        stage.guard.budget.take(4.9)
        with caught(Deferred):
            await stage.guard.run(dial, service, Work())
        assert now() == 5.0

    run_virtual(main())


@pytest.mark.parametrize("where", ["gate", "slot"])
def test_a_cancellation_while_waiting_to_enter_is_delivered(where: str) -> None:
    """Whoever is cancelled at the gate or in the queue leaves no trace."""

    async def main() -> None:
        stage = Stage(Policy(slots=1))
        if where == "gate":
            stage.guard.gate.close_for(60.0)
        else:
            stage.guard.slots.try_acquire()
        task = start(lambda: stage.guard.run(DIAL, Service(), Work()))
        await settled(1.0)
        assert await cancelled(task)
        assert stage.guard.slots.in_flight == (where == "slot")

    run_virtual(main())


def test_jitter_keeps_the_waits_of_many_callers_apart() -> None:
    """Of a hundred told to wait 60 s those with a budget come back apart, the rest later."""

    async def main() -> None:
        stage = Stage(Policy(slots=1_000))

        async def limit() -> None:
            await asyncio.sleep(0.5)
            raise throttled(60.0)

        service = Service(*(limit for _ in range(100)))
        callers = (stage.guard.run(DIAL, service, Work()) for _ in range(100))
        await asyncio.gather(*callers)
        first_s, again_s = service.asked_s[:100], service.asked_s[100:]
        assert set(first_s) == {0.0}
        assert min(again_s) >= 60.5
        at_once_s = [at_s for at_s in again_s if at_s <= 61.5]
        assert len(set(at_once_s)) == len(at_once_s) == 10  # More do not fit the budget.

    run_virtual(main())


def test_a_limit_is_an_error_of_the_attempt_where_nothing_is_retried() -> None:
    """`retries: false` hands the limit on, and the gate is closed all the same."""

    async def main() -> None:
        stage = Stage()
        with caught(ServiceError):
            await stage.guard.run(DIAL, Service(throttled()), Work(retries=False))
        assert stage.guard.gate.not_before_s == 5.0

    run_virtual(main())
