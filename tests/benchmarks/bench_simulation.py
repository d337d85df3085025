"""How fast worlds are computed, beside the pieces they are made of; one core, CPU seconds."""

import asyncio
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, Final

import msgspec
import pytest

from callagent_cli.simulation.explore.explore import try_seeds
from callagent_cli.simulation.explore.random_world import random_world
from callagent_cli.simulation.judge.evidence import Case, Evidence, Watcher
from callagent_cli.simulation.judge.log import Log
from callagent_cli.simulation.judge.verdict import judge, watchers_of
from callagent_cli.simulation.judge.watch import Watch
from callagent_cli.simulation.scenario.loader import find_scenario, library, load_scenario
from callagent_cli.simulation.sweep.sweep import judge_seed
from callagent_cli.simulation.virtual.run import run_virtual
from callagent_cli.simulation.worlds import stage
from callagent_cli.simulation.worlds.world import World

TASKS: Final = 200
SLEEPS: Final = 250
SEEDS: Final = 200
SEEDS_SHARED: Final = 60
DAY: Final = "day-long-outage"
FIRST: Final = "elevenlabs-503"


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
        found = []
        took_s = _cpu_s(lambda: found.append(judge_seed((scenario, scenario.seed))))  # noqa: B023 — called at once.
        whole_s += took_s
        print(f"  {path.stem:<22} {took_s:6.3f} s, {found[0].status}")
    print(f"library without {DAY}: {whole_s:.2f} s (at most 2)")
    return whole_s <= 2


def _bench_exploration() -> bool:
    took_s = _cpu_s(lambda: try_seeds(list(range(SEEDS))))
    print(f"exploration: {SEEDS / took_s:.1f} seeds/s a core (at least 40)")
    return SEEDS / took_s >= 40


def _bench_first_output() -> bool:
    took_s = min(_first_byte_s() for _ in range(5))
    print(f"first output of `simulate {FIRST}`: {took_s:.2f} s (at most 0.5)")
    return took_s <= 0.5


def _first_byte_s() -> float:
    command = [sys.executable, "-m", "callagent_cli", "simulate", FIRST]
    began_s = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read(1)
        took_s = time.perf_counter() - began_s
        process.stdout.read()
    return took_s


def _explored(watched: Callable[[Case], list[Watcher]]) -> float:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage, "watchers_of", watched)
        if watched is _nobody:
            patch.setattr(Watch, "hear", lambda _watch, _stamped: None)
            patch.setattr(Log, "_search", lambda _log, _text: None)
        worlds = [random_world(seed) for seed in range(SEEDS_SHARED)]
        return _cpu_s(
            lambda: [World(each.scenario(), each.seed).run(*each.kills) for each in worlds]
        )


def _nobody(_case: Case) -> list[Watcher]:
    return []


def _bench_judging() -> bool:
    whole_s, alone_s = (
        min(_explored(watched) for _ in range(3)) for watched in (watchers_of, _nobody)
    )
    share = 1 - alone_s / whole_s
    print(f"judging: {share:.0%} of an explored world (at most 20 %)")
    return share <= 0.2


def _day(contacts: int) -> None:
    """Run the long outage with so many contacts, and print what it took as JSON."""
    scenario = load_scenario(find_scenario(DAY)).scenario
    replace = msgspec.structs.replace
    scenario = replace(scenario, campaign=replace(scenario.campaign, contacts=contacts))
    world = Measured(scenario, scenario.seed)
    evidence = world.run()
    verdict_s = _cpu_s(lambda: judge(evidence))
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "cpu_s": used.ru_utime + used.ru_stime,
                "verdict_s": verdict_s,
                "events": evidence.log.lines,
                "peak_mb": used.ru_maxrss / 1024,
                "store_mb": world.store_mb,
            }
        )
    )


class Measured(World):
    """A world that says how big its store became."""

    store_mb = 0.0

    def _evidence(self, **given: Any) -> Evidence:  # noqa: ANN401 — handed on as they are.
        pages, size = (
            self._store._database.read(f"PRAGMA {name}")[0][0]
            for name in ("page_count", "page_size")
        )
        self.store_mb = pages * size / 1_048_576
        return super()._evidence(**given)


def _bench_day() -> bool:
    found = {}
    for contacts in (5_000, 10_000, 20_000):
        run = subprocess.run(
            [sys.executable, __file__, str(contacts)], check=True, capture_output=True, text=True
        )
        found[contacts] = day = json.loads(run.stdout)
        print(
            f"{DAY}, {contacts:,} contacts: {day['cpu_s']:.1f} s with its start, of which verdict "
            f"{day['verdict_s']:.3f} s; {day['events']:,} events; peak memory "
            f"{day['peak_mb']:.0f} MB, of which store {day['store_mb']:.0f} MB"
        )
    grown = (found[20_000]["peak_mb"] - found[10_000]["peak_mb"]) * 1_048_576 / 10_000
    store = (found[20_000]["store_mb"] - found[10_000]["store_mb"]) * 1_048_576 / 10_000
    full = found[10_000]
    print(
        f"{DAY}: at most 30 s and 150 MB; each contact more takes {grown:,.0f} bytes, "
        f"of which store {store:,.0f}"
    )
    return bool(full["cpu_s"] <= 30 and full["peak_mb"] <= 150)


def main() -> int:
    """Print every figure; return 1 when one misses its bound."""
    benches = (
        _bench_loop,
        _bench_first_output,
        _bench_library,
        _bench_exploration,
        _bench_judging,
        _bench_day,
    )
    held = [bench() for bench in benches]
    return 0 if all(held) else 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _day(int(sys.argv[1]))
    else:
        sys.exit(main())
