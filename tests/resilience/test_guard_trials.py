"""Trials through the Guard: what a failed one costs, and what closes the breaker again."""

import asyncio

import msgspec
import pytest
from resilience_doubles import (
    DIAL,
    FOLLOW,
    Service,
    Stage,
    busy_here,
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

from callagent_cli.errors import CircuitOpen, OutcomeUnknown, ServiceError, ServiceUnavailable
from callagent_cli.events import AttemptFinished, BreakerChanged, SlotsChanged
from callagent_cli.resilience.policy import BreakerPolicy, Policy
from callagent_cli.resilience.work import Operation, Work
from callagent_cli.simulation.virtual.run import run_virtual


async def half_open_stage(policy: Policy | None = None) -> Stage:
    """Return a stage whose breaker opened over dialing and half-opened after its time."""
    stage = Stage(policy or Policy())
    stage.trip()
    await settled(stage.breaker.retry_after_s)
    assert stage.state == "half_open"
    return stage


def test_an_open_breaker_refuses_before_anything_is_waited_for() -> None:
    """Neither gate nor slots hold up a caller that would not be admitted."""

    async def main() -> None:
        stage = Stage(Policy(slots=1))
        stage.trip()
        stage.guard.slots.try_acquire()
        stage.guard.gate.close_for(60.0)
        service = Service()
        with caught(CircuitOpen) as errors:
            await stage.guard.run(DIAL, service, Work())
        assert now() == 0.0
        assert service.asked_s == []
        assert 27.0 <= errors[0].retry_after_s <= 33.0

    run_virtual(main())


def test_a_failed_trial_uses_no_attempt_and_says_that_it_was_the_trial() -> None:
    """The call parks again; its error tells the new open time and the service's answer."""

    async def main() -> None:
        stage = await half_open_stage()
        work = Work(attempts_used=2)
        with caught(CircuitOpen) as errors:
            await stage.guard.run(DIAL, Service(down()), work)
        error = errors[0]
        assert (error.trial, error.state) == (True, "open")
        assert 54.0 <= error.retry_after_s <= 66.0
        assert isinstance(error.__cause__, ServiceUnavailable)
        assert work.attempts_used == 2
        assert stage.events(AttemptFinished)[-1].trial

    run_virtual(main())


def test_a_trial_with_an_unknown_outcome_says_so() -> None:
    """Whoever may have been rung must be looked up; that comes before parking."""

    async def main() -> None:
        stage = await half_open_stage()
        work = Work()
        with caught(OutcomeUnknown):
            await stage.guard.run(DIAL, Service(lost()), work)
        assert stage.state == "open"
        assert work.attempts_used == 1

    run_virtual(main())


def test_two_successful_trials_close_it_and_the_slots_ramp_up() -> None:
    """The service comes back with one slot; the full number is there after a minute."""

    async def main() -> None:
        stage = await half_open_stage()
        for _ in range(2):
            await stage.guard.run(DIAL, Service(), Work())
        assert stage.moves() == ["open", "half_open", "closed"]
        assert stage.guard.slots.limit == 1
        await settled(60.0)
        assert stage.guard.slots.limit == 16
        assert [event.slots for event in stage.events(SlotsChanged)] == list(range(1, 17))

    run_virtual(main())


def test_a_second_caller_is_refused_while_the_trial_is_under_way() -> None:
    """It is told when the trial's lease ends."""

    async def main() -> None:
        stage = await half_open_stage()
        trial = start(lambda: stage.guard.run(DIAL, Service(for_ever), Work()))
        await settled()
        with caught(CircuitOpen) as errors:
            await stage.guard.run(DIAL, Service(), Work())
        assert errors[0].retry_after_s == pytest.approx(35.0)
        assert await cancelled(trial)

    run_virtual(main())


@pytest.mark.parametrize("timeout_s", [10.0, 90.0])
def test_the_lease_follows_the_timeout_of_the_operation(timeout_s: float) -> None:
    """An attempt that may take 90 s keeps its permit for 95."""

    async def main() -> None:
        stage = await half_open_stage()
        dial = Operation("voice.dial", timeout_s=timeout_s, deadline_s=1_000.0)
        trial = start(lambda: stage.guard.run(dial, Service(for_ever), Work()))
        await settled()
        with caught(CircuitOpen) as errors:
            await stage.guard.run(DIAL, Service(), Work())
        assert errors[0].retry_after_s == pytest.approx(timeout_s + 5.0)
        assert await cancelled(trial)

    run_virtual(main())


def test_callers_that_queued_for_a_slot_meet_the_same_limit() -> None:
    """Ten callers got past the first question together; one of them becomes the trial."""

    async def main() -> None:
        stage = await half_open_stage(Policy(slots=10))
        for _ in range(10):
            stage.guard.slots.try_acquire()
        service = Service(default=for_ever)
        tasks = [start(lambda: stage.guard.run(DIAL, service, Work())) for _ in range(10)]
        await settled()
        for _ in range(10):
            stage.guard.slots.release()
        await settled()
        assert len(service.asked_s) == 1
        refusals = [task for task in tasks if task.done()]
        assert [type(task.exception()) for task in refusals] == [CircuitOpen] * 9
        await asyncio.gather(*(cancelled(task) for task in tasks if not task.done()))

    run_virtual(main())


@pytest.mark.parametrize("answer", [refused(), busy_here(), throttled(1.0)])
def test_a_trial_that_teaches_nothing_gives_its_permit_back(answer: ServiceError) -> None:
    """A refused payload or a limit neither closes nor opens it; the next call is the trial."""

    async def main() -> None:
        stage = await half_open_stage()
        with caught(ServiceError):
            await stage.guard.run(DIAL, Service(answer), Work(retries=False))
        assert stage.state == "half_open"
        assert stage.breaker.trial_is_free

    run_virtual(main())


def test_a_throttled_trial_may_try_again_itself() -> None:
    """It waits for its time and is admitted as a trial a second time."""

    async def main() -> None:
        stage = await half_open_stage()
        assert await stage.guard.run(DIAL, Service(throttled(4.0)), Work()) == "fine"
        assert [event.trial for event in stage.events(AttemptFinished)] == [True, True]

    run_virtual(main())


def test_a_trial_that_fails_after_another_one_did_uses_no_attempt_either() -> None:
    """With two trials the first failure opens the breaker; the second one parks as well."""

    async def main() -> None:
        stage = await half_open_stage(Policy(breaker=BreakerPolicy(trials=2)))
        ends = asyncio.Event()

        async def late() -> None:
            await ends.wait()
            raise down()

        work = Work()
        second = start(lambda: stage.guard.run(DIAL, Service(late), work))
        await settled()
        with caught(CircuitOpen):
            await stage.guard.run(DIAL, Service(down()), Work())
        open_s = stage.breaker.retry_after_s
        ends.set()
        with caught(CircuitOpen) as errors:
            await second
        assert errors[0].trial
        assert work.attempts_used == 0
        assert stage.breaker.retry_after_s == open_s

    run_virtual(main())


def test_a_late_trial_is_an_ordinary_attempt_once_the_breaker_has_closed() -> None:
    """A person reset it meanwhile: the call goes on with its ladder."""

    async def main() -> None:
        stage = await half_open_stage()
        ends = asyncio.Event()

        async def late() -> None:
            await ends.wait()
            raise down()

        work = Work()
        service = Service(late)
        task = start(lambda: stage.guard.run(DIAL, service, work))
        await settled()
        stage.breaker.reset("by hand")
        ends.set()
        assert await task == "fine"
        assert work.attempts_used == 1

    run_virtual(main())


def test_trials_of_another_operation_do_not_close_it() -> None:
    """Following works while dialing is down: that is no recovery."""

    async def main() -> None:
        stage = await half_open_stage()
        for _ in range(5):
            await stage.guard.run(FOLLOW, Service(), Work())
        assert stage.state == "half_open"

    run_virtual(main())


def test_time_alone_moves_it_to_half_open() -> None:
    """Nobody has to ask: a timer moves it, so that waiting calls learn of it."""

    async def main() -> None:
        stage = Stage()
        stage.trip()
        at_s = stage.breaker.retry_after_s
        await settled(300.0)
        half_open = [
            told_s
            for told_s, event in stage.told
            if isinstance(event, BreakerChanged) and event.new == "half_open"
        ]
        assert half_open == [pytest.approx(at_s)]

    run_virtual(main())


def test_the_timer_waits_again_when_it_is_not_time_yet() -> None:
    """Fresh failing checks keep it open past its open time; the timer asks once more."""

    async def main() -> None:
        stage = Stage()
        stage.trip()
        await settled(20.0)
        stage.breaker.observe_health("unhealthy")
        stage.guard.arm()
        await settled(29.0)
        assert stage.state == "open"
        await settled(2.0)
        assert stage.state == "half_open"

    run_virtual(main())


def test_an_open_time_that_was_over_before_a_restart_is_over_at_once() -> None:
    """The timer moves a restored breaker that nobody asks."""

    async def main() -> None:
        before = await half_open_stage()
        record = msgspec.structs.replace(before.breaker.record(), state="open")
        stage = Stage()
        stage.breaker.restore(record)
        stage.guard.arm()
        await settled()
        assert stage.state == "half_open"

    run_virtual(main())


def test_disarming_stops_everything_that_moves_by_itself() -> None:
    """At the end of a run the breaker stays as it is stored."""

    async def main() -> None:
        stage = Stage()
        stage.trip()
        stage.guard.disarm()
        stage.guard.disarm()
        await settled(1_000.0)
        assert stage.state == "open"

    run_virtual(main())
