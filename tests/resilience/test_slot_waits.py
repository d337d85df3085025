"""How long a request waits for a slot of its service, and who has the slot in the end."""

import asyncio

import pytest
from resilience_doubles import DIAL, Service, Stage, caught, now, settled, start

from callagent_cli.errors import Deferred
from callagent_cli.resilience.policy import Policy
from callagent_cli.resilience.work import Operation, Work
from callagent_cli.simulation.virtual.run import run_virtual


def test_a_wait_for_a_slot_past_the_deadline_defers() -> None:
    """Whoever found none in time leaves the queue, and the next slot goes to the next in it."""

    async def main() -> None:
        stage = Stage(Policy(slots=1))
        stage.guard.slots.try_acquire()
        hasty = Operation("voice.dial", timeout_s=1.0, deadline_s=6.5)
        patient = start(lambda: stage.guard.run(DIAL, Service(), Work()))
        with caught(Deferred) as error:
            await stage.guard.run(hasty, Service(), Work())
        assert (now(), error[0].delay_s) == (6.5, 0.0)
        stage.guard.slots.release()
        assert await patient == "fine"
        assert stage.guard.slots.in_flight == 0

    run_virtual(main())


def test_a_slot_in_time_is_taken_and_the_clock_of_the_wait_stops() -> None:
    """A request that entered within its deadline is not cut off by the wait it had."""

    async def main() -> None:
        stage = Stage(Policy(slots=1))
        stage.guard.slots.try_acquire()
        dial = Operation("voice.dial", timeout_s=60.0, deadline_s=6.5)
        task = start(lambda: stage.guard.run(dial, slow, Work()))
        await settled(6.0)
        stage.guard.slots.release()
        assert await task == "slow"
        assert now() == 16.0

    async def slow() -> str:
        await asyncio.sleep(10.0)
        return "slow"

    run_virtual(main())


@pytest.mark.parametrize("when", ["before the slot", "with the slot"])
def test_a_cancellation_in_the_turn_of_a_hand_over_loses_no_slot(when: str) -> None:
    """Cancelled in the same turn in which its wait ended, a caller leaves every slot free."""

    async def main() -> None:
        slots = Stage(Policy(slots=1)).guard.slots
        slots.try_acquire()
        task = start(lambda: slots.acquire(begun=False, within_s=5.0))
        await settled(1.0)
        if when == "before the slot":
            task.cancel()
            slots.release()
        else:
            slots.release()
            task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        assert slots.in_flight == 0
        assert slots.try_acquire()

    run_virtual(main())


@pytest.mark.parametrize("first", ["the slot", "the end of the wait"])
def test_a_slot_that_comes_free_as_the_wait_ends_is_not_lost(first: str) -> None:
    """Whatever comes first in that turn holds, and the slot is somebody's or free."""

    async def main() -> None:
        slots = Stage(Policy(slots=1)).guard.slots
        slots.try_acquire()
        loop = asyncio.get_running_loop()
        if first == "the slot":
            loop.call_later(5.0, slots.release)
        task = start(lambda: slots.acquire(begun=False, within_s=5.0))
        if first != "the slot":
            await settled()
            loop.call_later(5.0, slots.release)
        assert await task is (first == "the slot")
        await settled()
        assert slots.in_flight == (first == "the slot")

    run_virtual(main())


def test_a_cancellation_as_the_wait_ends_leaves_the_queue_empty() -> None:
    """There is nothing to give back."""

    async def main() -> None:
        slots = Stage(Policy(slots=1)).guard.slots
        slots.try_acquire()
        task = start(lambda: slots.acquire(begun=True, within_s=5.0))
        await settled()
        asyncio.get_running_loop().call_later(5.0, task.cancel)
        await asyncio.wait([task])
        assert task.cancelled()
        assert now() == 5.0
        slots.release()
        assert slots.try_acquire()

    run_virtual(main())
