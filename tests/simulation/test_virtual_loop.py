"""The virtual loop: exact jumps, order, bans, ends, and that it repeats itself."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callagent_cli.simulation.virtual.loop import (
    BannedCall,
    SimulationDeadlock,
    SimulationHorizon,
    SimulationSpins,
    VirtualLoop,
)
from callagent_cli.simulation.virtual.run import run_virtual


def now() -> float:
    """Return the running loop's time."""
    return asyncio.get_running_loop().time()


@given(st.lists(st.floats(min_value=0, max_value=1e6, allow_nan=False), max_size=30))
def test_the_clock_jumps_exactly_to_each_timer(delays: list[float]) -> None:
    """A sleeper wakes at the very float that was asked for, however long the sleep."""
    woke: list[float] = []

    async def sleeper(delay: float) -> None:
        await asyncio.sleep(delay)
        woke.append(now())

    async def main() -> None:
        await asyncio.gather(*(sleeper(delay) for delay in delays))

    run_virtual(main())

    assert sorted(delays) == woke


def test_the_ladder_of_waits_is_exact() -> None:
    """Sleeping 5, 10 and 20 s after 0.2 s ends at the sums, without drift."""

    async def main() -> list[float]:
        instants = []
        for delay in (0.2, 5, 10, 20):
            await asyncio.sleep(delay)
            instants.append(now())
        return instants

    assert run_virtual(main()) == [0.2, 5.2, 15.2, 35.2]


def test_timers_of_one_instant_run_in_the_order_they_were_set() -> None:
    """Equal instants are first in, first out, also when many were cancelled in between."""

    async def main() -> list[int]:
        order: list[int] = []
        loop = asyncio.get_running_loop()
        timers = [loop.call_at(7.0, order.append, number) for number in range(5000)]
        for timer in timers[1::2]:
            timer.cancel()
        await asyncio.sleep(8)
        return order

    assert list(range(0, 5000, 2)) == run_virtual(main())


def test_a_timer_in_the_past_runs_at_once_and_the_clock_stays() -> None:
    """Nothing takes the clock back."""

    async def main() -> tuple[float, list[float]]:
        seen: list[float] = []
        await asyncio.sleep(10)
        asyncio.get_running_loop().call_at(3.0, lambda: seen.append(now()))
        await asyncio.sleep(1)
        return now(), seen

    assert run_virtual(main()) == (11.0, [10.0])


def test_timeouts_queues_events_and_task_groups_work() -> None:
    """What asyncio offers on top of timers and futures works as on any loop."""

    async def main() -> tuple[str, list[int], float]:
        queue: asyncio.Queue[int] = asyncio.Queue(maxsize=1)
        done = asyncio.Event()
        taken: list[int] = []

        async def produce() -> None:
            for number in range(3):
                await queue.put(number)
                await asyncio.sleep(1)
            done.set()

        async def consume() -> None:
            while len(taken) < 3:
                taken.append(await queue.get())

        try:
            async with asyncio.timeout(2.5):
                await asyncio.sleep(60)
        except TimeoutError:
            result = f"timed out at {now()}"
        async with asyncio.TaskGroup() as group:
            group.create_task(produce())
            group.create_task(consume())
        await done.wait()
        return result, taken, now()

    assert run_virtual(main()) == ("timed out at 2.5", [0, 1, 2], 5.5)


def test_a_failure_in_a_task_group_cancels_the_others() -> None:
    """An exception of main comes out as it is, after everything has unwound."""
    unwound: list[str] = []

    async def waits() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            unwound.append("waits")

    async def fails() -> None:
        await asyncio.sleep(1)
        raise ValueError("broken")

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(waits())
            group.create_task(fails())

    with pytest.raises(ExceptionGroup) as caught:
        run_virtual(main())

    assert unwound == ["waits"]
    assert isinstance(caught.value.exceptions[0], ValueError)


def test_what_main_leaves_behind_is_cancelled_and_unwound() -> None:
    """Tasks and generators that are still running when main returns are closed in order."""
    unwound: list[str] = []

    async def forever(name: str) -> None:
        try:
            await asyncio.sleep(1e9)
        finally:
            await asyncio.sleep(0)
            unwound.append(name)

    async def main() -> str:
        main.tasks = [asyncio.create_task(forever(name)) for name in "abc"]  # type: ignore[attr-defined]
        await asyncio.sleep(1)
        return "result"

    assert run_virtual(main()) == "result"
    assert unwound == ["a", "b", "c"]


async def _in_a_thread() -> None:
    await asyncio.to_thread(print)


async def _subprocess() -> None:
    await asyncio.create_subprocess_exec("true")


async def _address() -> None:
    await asyncio.get_running_loop().getaddrinfo("example.invalid", 80)


async def _connect() -> None:
    await asyncio.open_connection("127.0.0.1", 9)


async def _serve() -> None:
    await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)


async def _socket() -> None:
    with socket.socket() as door:
        await asyncio.get_running_loop().sock_recv(door, 1)


async def _executor() -> None:
    await asyncio.get_running_loop().run_in_executor(None, print)


@pytest.mark.parametrize(
    "escape", [_in_a_thread, _subprocess, _address, _connect, _serve, _socket, _executor]
)
def test_nothing_reaches_out_of_virtual_time(escape: Callable[[], Any]) -> None:
    """Threads, executors, processes, names and sockets are refused."""
    with pytest.raises(BannedCall):
        run_virtual(escape())


def test_a_banned_call_ends_the_run_even_if_it_is_swallowed() -> None:
    """Nobody can hide that it asked for the real world."""

    async def main() -> str:
        try:
            await _executor()
        except Exception:  # noqa: BLE001 — the very thing that must not help.
            await asyncio.sleep(1)
        return "went on"

    with pytest.raises(BannedCall, match="run_in_executor"):
        run_virtual(main())


def test_a_deadlock_is_told_with_the_places_that_wait() -> None:
    """When nothing is ready and nothing is scheduled, the error names task, function and line."""

    async def waits_for_ever() -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        await asyncio.sleep(3)
        async with asyncio.TaskGroup() as group:
            group.create_task(waits_for_ever(), name="lane 1")

    with pytest.raises(SimulationDeadlock, match=r"lane 1 \(wait:\d+\)") as caught:
        run_virtual(main())

    assert caught.value.at_s == 3


def test_the_horizon_ends_a_run_before_what_comes_after_it() -> None:
    """Something at the horizon still happens; something after it does not."""
    seen: list[float] = []

    async def main() -> None:
        while True:
            await asyncio.sleep(10)
            seen.append(now())

    with pytest.raises(SimulationHorizon):
        run_virtual(main(), horizon_s=30)

    assert seen == [10, 20, 30]


def test_a_run_that_spins_in_one_instant_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop that never lets time move on does not hang the simulation."""
    monkeypatch.setattr("callagent_cli.simulation.virtual.loop.STEPS_PER_INSTANT_MAX", 1000)

    async def main() -> None:
        for _ in count():
            await asyncio.sleep(0)

    with pytest.raises(SimulationSpins):
        run_virtual(main())


def test_tasks_are_named_and_hashed_by_a_counter() -> None:
    """The order of a set of tasks is the same in every run."""

    async def nothing() -> None:
        await asyncio.sleep(1)

    async def main() -> tuple[list[str], list[int]]:
        tasks = {asyncio.create_task(nothing()) for _ in range(50)}
        done, _ = await asyncio.wait(tasks)
        return [task.get_name() for task in done], [hash(task) for task in done]

    first, second = run_virtual(main()), run_virtual(main())

    assert first == second
    assert first[1] == list(range(2, 52))


def test_a_task_keeps_the_name_it_is_given() -> None:
    """Names given by the caller win over the counted ones."""

    async def main() -> str:
        return await asyncio.create_task(_own_name(), name="lane 3")

    assert run_virtual(main()) == "lane 3"


async def _own_name() -> str:
    task = asyncio.current_task()
    return task.get_name() if task else ""


_SCRIPT = """
import asyncio
from callagent_cli.simulation.virtual.run import run_virtual
async def one(n, log):
    await asyncio.sleep(n % 7)
    log.append(n)
async def main():
    log = []
    pending = {asyncio.create_task(one(n, log)) for n in range(100)}
    while pending:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        log.append(sorted(t.get_name() for t in done)[0])
        log.extend(t.get_name() for t in done)
    return log
print(run_virtual(main()))
"""


def test_a_run_repeats_itself_under_any_hash_seed() -> None:
    """Two processes with different PYTHONHASHSEEDs print the same."""
    printed = {
        subprocess.run(
            [sys.executable, "-c", _SCRIPT],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(printed) == 1


def test_the_same_world_takes_the_same_steps() -> None:
    """A step names a moment: the count repeats."""

    async def main() -> int:
        await asyncio.gather(*(asyncio.sleep(number) for number in range(20)))
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        return loop.steps

    assert run_virtual(main()) == run_virtual(main())


def test_a_day_of_sleeps_needs_no_day() -> None:
    """Time costs nothing: a hundred years pass in one step."""

    async def main() -> float:
        await asyncio.sleep(100 * 365 * 86400)
        return now()

    assert run_virtual(main()) == 100 * 365 * 86400
