"""The timeout of an attempt: one timer for all, and cancellation told apart."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from resilience_doubles import caught, down, for_ever, now, settled, start

from callagent_cli.errors import ServiceError, ServiceTimeout
from callagent_cli.resilience.attempt_timeout import AttemptTimeout
from callagent_cli.resilience.outcome import Outcome
from callagent_cli.simulation.virtual.run import run_virtual


async def after(delay_s: float) -> float:
    """Return when it is over."""
    await asyncio.sleep(delay_s)
    return now()


def test_an_attempt_in_time_returns_what_it_returns() -> None:
    """Nothing stands between the attempt and its caller."""

    async def main() -> float:
        return await AttemptTimeout(5.0, now).run(lambda: after(4.9), "voice.dial", now())

    assert run_virtual(main()) == 4.9


def test_an_attempt_out_of_time_ends_with_a_timeout() -> None:
    """It says which operation had how long."""

    async def main() -> tuple[ServiceTimeout, float]:
        with caught(ServiceTimeout) as errors:
            await AttemptTimeout(5.0, now).run(for_ever, "voice.dial", now())
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        return errors[0], now()

    error, at_s = run_virtual(main())

    assert at_s == 5.0
    assert error.outcome is Outcome.TIMEOUT
    assert error.message == "voice.dial: no answer within 5 s"


def test_the_errors_of_an_attempt_pass() -> None:
    """A 503 stays a 503."""

    async def refuse() -> None:
        raise down()

    async def main() -> None:
        with caught(ServiceError) as errors:
            await AttemptTimeout(5.0, now).run(refuse, "voice.dial", now())
        assert errors[0].status == 503

    run_virtual(main())


def test_a_cancellation_from_outside_stays_one() -> None:
    """It is delivered, and no timeout is made of it."""

    async def main() -> bool:
        timeout = AttemptTimeout(5.0, now)
        task = start(lambda: timeout.run(for_ever, "voice.dial", now()))
        await settled(1.0)
        task.cancel()
        await asyncio.wait({task})
        return task.cancelled()

    assert run_virtual(main())


def test_a_cancellation_in_the_moment_of_the_timeout_wins() -> None:
    """Whoever cancelled the task finds it cancelled, although its time was over as well."""

    async def main() -> bool:
        timeout = AttemptTimeout(5.0, now)
        task = start(lambda: timeout.run(for_ever, "voice.dial", now()))
        await settled()
        asyncio.get_running_loop().call_at(5.0, task.cancel)
        await asyncio.wait({task})
        return task.cancelled()

    assert run_virtual(main())


def test_an_attempt_that_makes_another_error_of_its_end_leaves_the_task_clean() -> None:
    """A door that turns cancellation into its own error does not leave the task half cancelled."""

    async def stubborn() -> None:
        try:
            await for_ever()
        except asyncio.CancelledError:
            raise down() from None

    async def main() -> int:
        with caught(ServiceError):
            await AttemptTimeout(5.0, now).run(stubborn, "voice.dial", now())
        task = asyncio.current_task()
        assert task is not None
        return task.cancelling()

    assert run_virtual(main()) == 0


def test_a_timeout_inside_a_task_that_was_cancelled_before_is_still_a_timeout() -> None:
    """A cancellation that the task survived earlier does not disguise it."""

    async def survivor() -> str:
        try:
            await for_ever()
        except asyncio.CancelledError:
            with caught(ServiceTimeout):
                await AttemptTimeout(5.0, now).run(for_ever, "voice.dial", now())
        return "timed out"

    async def main() -> str:
        task = start(survivor)
        await settled()
        task.cancel()
        return await task

    assert run_virtual(main()) == "timed out"


@given(
    starts=st.lists(st.tuples(st.floats(0, 20), st.floats(0, 12)), min_size=1, max_size=20),
    timeout_s=st.floats(0.5, 10),
)
def test_each_attempt_has_its_own_time_though_one_timer_serves_all(
    starts: list[tuple[float, float]], timeout_s: float
) -> None:
    """Whatever begins when and takes how long: late ones end at their time, others are left."""

    async def main() -> None:
        timeout = AttemptTimeout(timeout_s, now)

        async def caller(begin_s: float, takes_s: float) -> None:
            await asyncio.sleep(begin_s)
            began_s = now()
            try:
                await timeout.run(lambda: after(takes_s), "voice.dial", began_s)
            except ServiceTimeout:
                assert takes_s >= timeout_s - 1e-9
                assert now() == pytest.approx(began_s + timeout_s)
            else:
                assert takes_s <= timeout_s + 1e-9
                assert now() == pytest.approx(began_s + takes_s)

        await asyncio.gather(*(caller(*one) for one in starts))

    run_virtual(main())


def test_it_remembers_no_attempt_that_ended() -> None:
    """A thousand attempts in time leave at most one entry behind."""

    async def main() -> int:
        timeout = AttemptTimeout(5.0, now)
        for _ in range(1_000):
            await timeout.run(lambda: after(0.0), "voice.dial", now())
        return len(timeout._attempts)

    assert run_virtual(main()) == 1
