"""A virtual run that is cut as if the process had been killed."""

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callagent_cli.simulation.virtual.loop import SimulationKilled, VirtualLoop
from callagent_cli.simulation.virtual.run import release_killed, run_virtual


@pytest.fixture(autouse=True)
def _graves() -> Iterator[None]:
    """Free what the killed runs of a test left behind."""
    yield
    release_killed()


async def _ticks(log: list[str]) -> None:
    try:
        while True:
            await asyncio.sleep(1)
            log.append("tick")
    finally:
        log.append("unwound")


def test_a_kill_runs_no_finally_block() -> None:
    """Neither at the kill nor when memory is collected does anything unwind."""
    log: list[str] = []

    async def main() -> None:
        ticking = asyncio.create_task(_ticks(log))
        await asyncio.sleep(2.5)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.kill()
        await ticking

    with pytest.raises(SimulationKilled) as caught:
        run_virtual(main())
    gc.collect()

    assert log == ["tick", "tick"]
    assert caught.value.at_s == 2.5


def test_a_killed_run_leaves_no_warning_behind(capfd: pytest.CaptureFixture[str]) -> None:
    """No "Task was destroyed", no "never awaited", no error of a dying generator."""

    async def generate() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.sleep(10)
        finally:
            await asyncio.sleep(1)

    async def reads() -> None:
        async for _ in generate():
            await asyncio.sleep(5)

    async def main() -> None:
        tasks = [asyncio.create_task(reads()) for _ in range(3)]
        await asyncio.sleep(1)
        tasks += [asyncio.create_task(reads()) for _ in range(3)]  # Never gets its first step.
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.kill()
        await tasks[0]

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with pytest.raises(SimulationKilled):
            run_virtual(main())
        gc.collect()
        release_killed()
        gc.collect()

    assert not seen
    assert capfd.readouterr().err == ""


@given(st.integers(min_value=0, max_value=60))
def test_a_kill_stops_before_the_named_step(step: int) -> None:
    """Exactly `step` callbacks run, and what they did is what an uncut run did up to there."""
    whole: list[int] = []
    cut: list[int] = []

    async def main(log: list[int]) -> None:
        for number in range(80):
            log.append(number)
            await asyncio.sleep(0)

    run_virtual(main(whole))
    with pytest.raises(SimulationKilled) as caught:
        run_virtual(main(cut), kill_at=step)

    assert step == caught.value.step
    assert whole[:step] == cut


def test_a_kill_beyond_the_end_changes_nothing() -> None:
    """A run that is over first returns its result."""

    async def main() -> str:
        await asyncio.sleep(1)
        return "done"

    assert run_virtual(main(), kill_at=10_000) == "done"


def test_another_run_follows_a_killed_one() -> None:
    """The next loop begins at zero, in the same thread, as if nothing had been."""

    async def main() -> float:
        await asyncio.sleep(4)
        return asyncio.get_running_loop().time()

    with pytest.raises(SimulationKilled):
        run_virtual(main(), kill_at=1)

    assert run_virtual(main()) == 4.0
