"""What the monitor costs: `python tests/benchmarks/bench_monitor.py`; asserts nothing.

1. Fold: microseconds an event, and how much memory a million events leave behind.
2. Screen: a loop that emits events, alone and beside the screen (headless, 120×40): share of a
   core, how late a 5 ms sleep wakes (what a worker's timers feel), events lost.
3. Worker: a real worker at about 1,000 events a second (320 calls at a time against twins in the
   same process), alone, beside the screen, and beside it on a real terminal (tmux); then the same
   with 9,000 more events a second.
4. First frame: CPU seconds of a fresh process until the first paint.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice

from callagent_cli.events import (
    AttemptFinished,
    CallChanged,
    Event,
    HealthChecked,
    RetryScheduled,
    RunStarted,
    Stamped,
)
from callagent_cli.monitor.state import ViewState

SERVICES = ("elevenlabs", "llm", "crm", "sheet", "telegram", "email")
SLEEP_S = 0.005
FIRST_FRAME = """
import asyncio, time
from bench_monitor import headless, lively_state
async def main():
    app = headless(lively_state(0))
    async with app.run_test(size=(120, 40)):
        print(time.process_time())
asyncio.run(main())
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of the loop: share of a core in percent, latenesses in ms, events not folded."""

    core: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    lost: int


def stream() -> Iterator[Event]:
    """Yield the events of a lively run, for ever: moves, attempts, retries, health checks."""
    for index in count():
        call, service = f"call_{index // 8}", SERVICES[index % len(SERVICES)]
        match index % 8:
            case 0:
                yield CallChanged(
                    call=call, old="pending", new="active", step="dial", reason="", name="Ana Ruiz"
                )
            case 6:
                yield RetryScheduled(
                    service=service, call=call, attempt=2, of=4, delay_s=5.0, reason="backoff"
                )
            case 7:
                new = "done" if index % 16 == 7 else "parked"
                yield CallChanged(call=call, old="active", new=new, step="dial", reason="503")
            case 5:
                yield HealthChecked(
                    service=service, health="healthy", duration_s=0.1, next_check_s=10.0
                )
            case _:
                outcome = "ok" if index % 3 else "unavailable"
                yield AttemptFinished(
                    service=service, operation="x", call=call, outcome=outcome, duration_s=0.2
                )


def stamped(events: Iterator[Event]) -> Iterator[Stamped]:
    """Stamp events with the real time."""
    for sequence, event in enumerate(events):
        yield Stamped(time.time(), time.monotonic(), sequence, "run_1", "spring", event)


def lively_state(events: int) -> ViewState:
    """Return a state that has seen a number of events."""
    state = ViewState(SERVICES)
    state.seed({"pending": 100_000})
    started = RunStarted(mode="sandbox", contacts="contacts.csv", lanes=50, version="1")
    for item in stamped(iter([started])):
        state.fold(item)
    for item in islice(stamped(stream()), events):
        state.fold(item)
    return state


def headless(state: ViewState):  # type: ignore[no-untyped-def]  # noqa: ANN201 — Textual is imported only here.
    """Return a monitor of the state with commands that do nothing."""
    from callagent_cli.monitor.app import MonitorApp  # noqa: PLC0415 — the other half runs without.

    class Nothing:
        """Refuses nothing and does nothing."""

        def refusal(self, _command: str) -> str:
            """Refuse nothing."""
            return ""

    return MonitorApp(state, Nothing(), time.time)  # type: ignore[arg-type]


def fold_cost(events: int) -> None:
    """Print what folding costs in time and memory."""
    state = ViewState(SERVICES)
    source = list(islice(stamped(stream()), 100_000))
    begun_s = time.process_time()
    for item in source:
        state.fold(item)
    cost_us = (time.process_time() - begun_s) / len(source) * 1e6
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for item in islice(stamped(stream()), events):
        state.fold(item)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(f"fold: {cost_us:.2f} us an event; {events:,} more events leave {after - before:,} bytes")


async def emit(state: ViewState, rate: int, seconds: float) -> tuple[list[float], int]:
    """Fold `rate` events a second in small portions; return the latenesses and the count."""
    loop = asyncio.get_running_loop()
    source = stamped(stream())
    late_s: list[float] = []
    begun_s = loop.time()
    told = 0
    while (now_s := loop.time()) - begun_s < seconds:
        due = int((now_s - begun_s) * rate)
        for item in islice(source, due - told):
            state.fold(item)
        told = due
        wanted_s = loop.time() + SLEEP_S
        await asyncio.sleep(SLEEP_S)
        late_s.append(loop.time() - wanted_s)
    return late_s, told


async def measure(rate: int, seconds: float, *, screen: bool) -> Measured:
    """Run the loop with or without a screen beside it."""
    state = lively_state(1000)
    before = state.events
    if not screen:
        begun_s = time.process_time()
        late_s, told = await emit(state, rate, seconds)
        used_s = time.process_time() - begun_s
    else:
        async with headless(state).run_test(size=(120, 40)) as pilot:
            await pilot.pause()
            begun_s = time.process_time()
            late_s, told = await emit(state, rate, seconds)
            used_s = time.process_time() - begun_s
    cuts = statistics.quantiles([late * 1000 for late in late_s], n=100)
    lost = told - (state.events - before)
    return Measured(used_s / seconds * 100, cuts[49], cuts[94], cuts[98], lost)


def first_frame() -> None:
    """Print what a fresh process spends until its first frame."""
    done = subprocess.run(
        [sys.executable, "-c", FIRST_FRAME],
        capture_output=True,
        text=True,
        check=True,
        cwd=__file__.rpartition("/")[0] or ".",
    )
    print(f"first frame: {float(done.stdout):.2f} s of CPU")


def beside_worker(seconds: float) -> None:
    """Print what a screen costs a real worker."""
    from _beside_worker import Where, measured  # noqa: PLC0415 — that file imports this one.

    names: dict[Where, str] = {
        "nowhere": "without the screen",
        "headless": "beside the screen",
        "terminal": "beside it in tmux",
    }
    for more_per_s in (0, 9_000):
        for where, name in names.items():
            result = measured(where, more_per_s, seconds)
            if result is None:
                print(f"worker {name}: not measured, there is no tmux")
                continue
            print(
                f"worker {name:<18} at {result.events_s:7,.0f} events/s: {result.core:5.1f} % of a "
                f"core; late by p50 {result.p50_ms:.2f}, p95 {result.p95_ms:.2f}, "
                f"p99 {result.p99_ms:.2f} ms; lost {result.lost}"
            )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--events", type=int, default=1_000_000)
    options = parser.parse_args()
    fold_cost(options.events)
    for rate in (0, 1_000, 10_000):
        for screen in (False, True):
            result = asyncio.run(measure(rate, options.seconds, screen=screen))
            name = "with the screen   " if screen else "without the screen"
            print(
                f"{rate:>6} events/s {name}: {result.core:5.1f} % of a core; late by "
                f"p50 {result.p50_ms:.2f}, p95 {result.p95_ms:.2f}, p99 {result.p99_ms:.2f} ms; "
                f"lost {result.lost}"
            )
    beside_worker(options.seconds)
    first_frame()


if __name__ == "__main__":
    main()
