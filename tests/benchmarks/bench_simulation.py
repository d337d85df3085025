"""How fast worlds are computed, beside the pieces they are made of; one core, CPU seconds."""

import asyncio
import resource
import sys
import time
from collections.abc import Callable
from typing import Final

from callagent_cli.simulation.explore import try_world
from callagent_cli.simulation.explore_worlds import random_world
from callagent_cli.simulation.judge.verdict import judge
from callagent_cli.simulation.scenario.loader import find_scenario, library, load_scenario
from callagent_cli.simulation.virtual_loop import run_virtual
from callagent_cli.simulation.world import World

TASKS: Final = 200
SLEEPS: Final = 250
SEEDS: Final = 200
DAY: Final = "day-long-outage"


def _cpu_s(work: Callable[[], object]) -> float:
    began_s = time.process_time()
    work()
    return time.process_time() - began_s


async def _sleeps() -> None:
    async def one(number: int) -> None:
        for count in range(SLEEPS):
            await asyncio.sleep((number + count) % 7 + 0.5)

    await asyncio.gather(*(one(number) for number in range(TASKS)))


def _bench_loop() -> bool:
    took_s = min(_cpu_s(lambda: run_virtual(_sleeps())) for _ in range(3))
    rate = TASKS * SLEEPS / took_s
    print(f"loop: {rate:,.0f} sleeps/s (at least 100,000)")
    return rate >= 100_000


def _bench_library() -> bool:
    whole_s = 0.0
    for path in library():
        if path.stem == DAY:
            continue
        scenario = load_scenario(path).scenario
        evidence = []
        run_s = _cpu_s(lambda: evidence.append(World(scenario, scenario.seed).run()))  # noqa: B023 — called at once.
        judge_s = _cpu_s(lambda: judge(evidence[0]))  # noqa: B023 — called at once.
        whole_s += run_s + judge_s
        events = len(evidence[0].events)
        print(f"  {path.stem:<22} {run_s:6.3f} s + judge {judge_s:6.3f} s, {events:6} events")
    print(f"library without {DAY}: {whole_s:.2f} s (at most 2)")
    return whole_s <= 2


def _bench_exploration() -> bool:
    took_s = _cpu_s(lambda: [try_world(random_world(seed)) for seed in range(SEEDS)])
    print(f"exploration: {SEEDS / took_s:.1f} seeds/s a core (at least 40)")
    return SEEDS / took_s >= 40


def _bench_day() -> bool:
    scenario = load_scenario(find_scenario(DAY)).scenario
    evidence = []
    run_s = _cpu_s(lambda: evidence.append(World(scenario, scenario.seed).run()))
    judge_s = _cpu_s(lambda: judge(evidence[0]))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    events = len(evidence[0].events)
    print(
        f"{DAY}: {run_s:.1f} s + judge {judge_s:.1f} s (at most 30), {events:,} events, "
        f"peak memory {peak_mb:.0f} MB"
    )
    return run_s + judge_s <= 30


def main() -> int:
    """Print every figure; return 1 when one misses its bound."""
    held = [_bench_loop(), _bench_library(), _bench_exploration(), _bench_day()]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
