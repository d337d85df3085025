"""How many requests may be in flight, who goes next, and how the limit moves."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from resilience_doubles import cancelled, now, settled, start

from callagent_cli.resilience.slots import Slots
from callagent_cli.simulation.virtual.run import run_virtual


def test_a_free_slot_is_taken_at_once_and_no_more_than_there_are() -> None:
    """Three slots admit three."""
    slots = Slots(3)

    assert [slots.try_acquire() for _ in range(4)] == [True, True, True, False]
    slots.release()
    assert slots.try_acquire()


def test_calls_already_begun_go_first() -> None:
    """Whoever came first waits for a call that has begun, and is next after it."""

    async def main() -> list[str]:
        slots = Slots(1)
        order: list[str] = []
        slots.try_acquire()

        async def caller(name: str, *, begun: bool) -> None:
            await slots.acquire(begun=begun)
            order.append(name)
            slots.release()

        tasks = [
            start(lambda name=name, begun=begun: caller(name, begun=begun))  # type: ignore[misc]
            for name, begun in (("new 1", False), ("new 2", False), ("begun", True))
        ]
        await settled()
        slots.release()
        await asyncio.gather(*tasks)
        return order

    assert run_virtual(main()) == ["begun", "new 1", "new 2"]


def test_nobody_overtakes_those_who_wait() -> None:
    """A free slot belongs to the queue, also in the moment before it wakes."""

    async def main() -> bool:
        slots = Slots(1)
        slots.try_acquire()
        waiting = start(lambda: slots.acquire(begun=False))
        await settled()
        slots.release()
        overtook = slots.try_acquire()
        await waiting
        return overtook

    assert not run_virtual(main())


def test_a_slot_handed_to_a_cancelled_caller_goes_on_to_the_next() -> None:
    """The cancellation came after the slot was handed over, and before the caller woke."""

    async def main() -> int:
        slots = Slots(1)
        slots.try_acquire()
        first = start(lambda: slots.acquire(begun=False))
        second = start(lambda: slots.acquire(begun=False))
        await settled()
        slots.release()
        assert await cancelled(first)
        await second
        slots.release()
        return slots.in_flight

    assert run_virtual(main()) == 0


def test_a_caller_cancelled_in_the_queue_leaves_it() -> None:
    """Its turn is nobody's turn."""

    async def main() -> int:
        slots = Slots(1)
        slots.try_acquire()
        first = start(lambda: slots.acquire(begun=True))
        await settled()
        assert await cancelled(first)
        slots.release()
        assert slots.try_acquire()
        return slots.in_flight

    assert run_virtual(main()) == 1


def test_a_slot_that_frees_in_the_moment_of_a_cancellation_goes_to_the_next() -> None:
    """The cancelled caller is still in the queue when the slot is handed out."""

    async def main() -> int:
        slots = Slots(1)
        slots.try_acquire()
        first = start(lambda: slots.acquire(begun=False))
        second = start(lambda: slots.acquire(begun=False))
        await settled()
        first.cancel()
        slots.release()
        await second
        assert first.cancelled()
        return slots.in_flight

    assert run_virtual(main()) == 1


def test_busy_lowers_the_limit_below_what_was_in_flight() -> None:
    """Seven were in flight when the provider refused one: six are what it takes."""
    told: list[tuple[int, str]] = []
    slots = Slots(16, on_change=lambda limit, why: told.append((limit, why)))
    for _ in range(7):
        slots.try_acquire()

    slots.busy()

    assert told == [(6, "the provider's own limit")]
    assert slots.lowered


def test_busy_never_lowers_the_limit_below_one() -> None:
    """One request at a time must remain possible."""
    slots = Slots(4)
    slots.try_acquire()

    slots.busy()
    slots.busy()

    assert slots.limit == 1


@pytest.mark.parametrize("limit", [1, 2, 3, 10])
def test_a_lowered_limit_grows_by_one_per_round_of_successes(limit: int) -> None:
    """About as many successes as the limit add one to it."""
    slots = Slots(limit + 2)
    for _ in range(limit + 1):
        slots.try_acquire()
    slots.busy()
    successes = 0

    while slots.limit == limit:
        slots.succeeded()
        successes += 1

    assert limit <= successes <= limit + 1
    assert slots.lowered


def test_a_limit_grown_back_is_lowered_no_more() -> None:
    """At the configured number there is nothing left to grow."""
    slots = Slots(2)
    slots.try_acquire()
    slots.busy()

    slots.succeeded()

    assert (slots.limit, slots.lowered) == (2, False)


def ramp_steps(configured: int, ramp_s: float) -> list[tuple[float, int]]:
    """Return when the limit had which value during a ramp."""

    async def main() -> list[tuple[float, int]]:
        steps: list[tuple[float, int]] = []
        slots = Slots(configured, on_change=lambda limit, _why: steps.append((now(), limit)))
        slots.ramp(ramp_s)
        await asyncio.sleep(2 * ramp_s + 1)
        return steps

    return run_virtual(main())


def test_a_ramp_starts_at_one_and_reaches_the_configured_number_after_its_time() -> None:
    """Sixteen slots come back over 60 s, one every 4 s."""
    steps = ramp_steps(16, 60.0)

    assert [limit for _, limit in steps] == list(range(1, 17))
    assert [at_s for at_s, _ in steps] == pytest.approx([4.0 * number for number in range(16)])


@given(configured=st.integers(2, 40), ramp_s=st.floats(0.1, 600))
def test_every_ramp_is_even_and_complete(configured: int, ramp_s: float) -> None:
    """Any number over any time: from one, in equal steps, to the configured number."""
    steps = ramp_steps(configured, ramp_s)

    assert [limit for _, limit in steps] == list(range(1, configured + 1))
    assert steps[-1][0] == pytest.approx(ramp_s)


@pytest.mark.parametrize(("configured", "ramp_s"), [(1, 60.0), (8, 0.0)])
def test_there_is_nothing_to_ramp_with_one_slot_or_no_time(configured: int, ramp_s: float) -> None:
    """One slot cannot be fewer, and no time is no ramp."""
    assert ramp_steps(configured, ramp_s) == []


def test_a_ramp_lets_those_who_wait_go_one_after_the_other() -> None:
    """Ten callers at the moment of the recovery reach the service one per step."""

    async def main() -> list[float]:
        slots = Slots(5)
        slots.ramp(40.0)
        went_s: list[float] = []

        async def caller() -> None:
            await slots.acquire(begun=False)
            went_s.append(now())

        tasks = [start(caller) for _ in range(5)]
        await asyncio.gather(*tasks)
        return went_s

    assert run_virtual(main()) == [0.0, 10.0, 20.0, 30.0, 40.0]


def test_a_second_ramp_replaces_the_first() -> None:
    """An outage during a ramp makes it start again."""

    async def main() -> list[tuple[float, int]]:
        steps: list[tuple[float, int]] = []
        slots = Slots(3, on_change=lambda limit, _why: steps.append((now(), limit)))
        slots.ramp(10.0)
        await asyncio.sleep(7)
        slots.ramp(10.0)
        await asyncio.sleep(30)
        return steps

    assert run_virtual(main()) == [(0.0, 1), (5.0, 2), (7.0, 1), (12.0, 2), (17.0, 3)]


def test_stopping_ends_a_ramp_where_it_is() -> None:
    """After the stop nothing moves by itself."""

    async def main() -> int:
        slots = Slots(5)
        slots.ramp(40.0)
        await asyncio.sleep(15)
        slots.stop()
        await asyncio.sleep(100)
        return slots.limit

    assert run_virtual(main()) == 2


def test_ramp_and_busy_hold_at_the_same_time() -> None:
    """The smallest of the limits counts."""

    async def main() -> tuple[int, int]:
        slots = Slots(10)
        for _ in range(4):
            slots.try_acquire()
        slots.busy()
        slots.ramp(9.0)
        early = slots.limit
        await asyncio.sleep(20)
        return early, slots.limit

    assert run_virtual(main()) == (1, 3)


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(
            ["begun", "new", "release", "cancel", "cancel+release", "busy", "ok", "ramp", "wait"]
        ),
        st.integers(0, 30),
        st.booleans(),
    ),
    max_size=60,
)


class Crowd:
    """Callers that hold a slot until they are told to let go."""

    def __init__(self, limit: int) -> None:
        self.slots = Slots(limit)
        self.tasks: list[asyncio.Task[None]] = []
        self.holders: list[asyncio.Event] = []

    async def caller(self, *, begun: bool) -> None:
        """Take a slot, keep it until told, give it back."""
        await self.slots.acquire(begun=begun)
        let_go = asyncio.Event()
        self.holders.append(let_go)
        try:
            await let_go.wait()
        finally:
            self.holders.remove(let_go)
            self.slots.release()

    def act(self, action: str, number: int) -> None:
        """Do one of the things that may happen."""
        if action in {"begun", "new"}:
            self.tasks.append(start(lambda: self.caller(begun=action == "begun")))
        if "cancel" in action and self.tasks:
            self.tasks[number % len(self.tasks)].cancel()
        if "release" in action and self.holders:
            self.holders[number % len(self.holders)].set()
        if action == "busy" and self.slots.in_flight:
            self.slots.busy()
        if action == "ok" and self.slots.lowered:
            self.slots.succeeded()
        if action == "ramp":
            self.slots.ramp(10.0)


@given(limit=st.integers(1, 5), actions=ACTIONS)
def test_no_slot_leaks_and_no_wake_up_is_lost(
    limit: int, actions: list[tuple[str, int, bool]]
) -> None:
    """In any order of callers, cancellations and limits, whoever waits does so for a reason."""

    async def main() -> None:
        crowd = Crowd(limit)
        slots = crowd.slots
        highest = 0
        for action, number, yields in actions:
            before = slots.in_flight
            crowd.act(action, number)
            assert slots.in_flight <= max(before, slots.limit)
            if action == "wait":
                await asyncio.sleep(number)
            elif yields:
                await settled()
                highest = max(highest, slots.in_flight)
                waiting = sum(not task.done() for task in crowd.tasks) - len(crowd.holders)
                assert slots.in_flight == len(crowd.holders)
                assert waiting == 0 or slots.in_flight >= slots.limit
        assert highest <= limit
        while not all(task.done() for task in crowd.tasks):
            for holder in list(crowd.holders):
                holder.set()
            await settled(1.0)
        await asyncio.gather(*crowd.tasks, return_exceptions=True)
        assert slots.in_flight == 0
        assert slots.try_acquire()

    run_virtual(main())
