"""The gate that all callers of a service wait at."""

import asyncio
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from resilience_doubles import HandClock, now

from callagent_cli.resilience.gate import SPREAD_MAX_S, Gate
from callagent_cli.simulation.virtual.run import run_virtual


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(-10, 1_000)), max_size=20))
def test_the_longest_wait_asked_for_stays_in_force(closings: list[tuple[float, float]]) -> None:
    """A later, shorter Retry-After never opens the gate earlier."""
    clock = HandClock()
    gate = Gate(clock, Random(1), jitter=True)
    latest_s = float("-inf")

    for pause_s, delay_s in closings:
        clock.advance(pause_s)
        gate.close_for(delay_s)
        latest_s = max(latest_s, clock.now_s + delay_s)
        assert gate.not_before_s == latest_s


@given(wait_s=st.floats(0.001, 10_000), seed=st.integers(0, 2**16))
def test_nobody_wakes_before_its_time_and_all_soon_after(wait_s: float, seed: int) -> None:
    """The spread is only ever added: at most a tenth of the wait, and never above a second."""

    async def main() -> list[float]:
        gate = Gate(now, Random(seed), jitter=True)
        gate.close_for(wait_s)
        woke_s: list[float] = []

        async def caller() -> None:
            await gate.wait(wait_s)
            woke_s.append(now())

        await asyncio.gather(*(caller() for _ in range(20)))
        return woke_s

    woke_s = run_virtual(main())

    assert min(woke_s) >= wait_s
    assert max(woke_s) <= wait_s + min(SPREAD_MAX_S, wait_s / 10) + 1e-9
    assert len(set(woke_s)) > 10


def test_without_jitter_it_is_exact() -> None:
    """`jitter: none` wakes everybody at the very instant."""

    async def main() -> float:
        gate = Gate(now, Random(1), jitter=False)
        await gate.wait(2.5)
        return now()

    assert run_virtual(main()) == 2.5
