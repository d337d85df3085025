"""What a Guard costs: `python tests/benchmarks/bench_guard.py [--rounds N] [--calls N]`.

All subjects take turns in each round, and a ratio is the median of the rounds' own ratios to a
bare `await`, or for rejections to a bare `raise`, so that a busy machine disturbs all of them
alike. Time is that of this thread, which other processes do not add to. Peers are measured when
they are installed. Ends with exit code 1 when a bar is missed.
"""

import argparse
import asyncio
import gc
import importlib
import statistics
import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from functools import partial
from random import Random
from typing import Any, Final, NamedTuple

import tenacity

from callagent_cli.clock import system_clock
from callagent_cli.errors import CircuitOpen
from callagent_cli.events import Bus, Event
from callagent_cli.resilience.breaker import Breaker, Change
from callagent_cli.resilience.guard import Guard
from callagent_cli.resilience.policy import BreakerPolicy, HealthPolicy, Policy
from callagent_cli.resilience.work import Operation, Work

Body = Callable[[int], Awaitable[None]]

BREAKERS_WEIGHED: Final = 200
WINDOW_S: Final = 60.0
OPERATIONS: Final = ("x.dial", "x.follow", "x.look_up")


class Subject(NamedTuple):
    """Something to measure; `floor` names the subject it is compared to, `bar` the limit."""

    name: str
    body: Body | None
    floor: str = "bare await"
    bar: float | None = None


class Refused(Exception):
    """What the bare comparison raises."""


async def ok() -> int:
    """Succeed."""
    return 1


async def refuse() -> int:
    """Fail at once."""
    raise Refused


def awaiting(make: Callable[[], Awaitable[Any]]) -> Body:
    """Return a body that awaits what `make` returns, over and over."""

    async def body(count: int) -> None:
        for _ in range(count):
            await make()

    return body


def refusing(make: Callable[[], Awaitable[Any]], kind: type[BaseException]) -> Body:
    """Return a body that awaits what `make` returns and catches `kind`, over and over."""

    async def body(count: int) -> None:
        for _ in range(count):
            try:  # noqa: SIM105 — a context manager would be measured as well.
                await make()
            except kind:
                pass

    return body


def floors() -> list[Subject]:
    """Return what everything else is compared to."""
    return [
        Subject("bare await", awaiting(ok)),
        Subject("bare raise", refusing(refuse, Refused), "bare raise"),
    ]


def guards() -> list[Subject]:
    """Return our own subjects: the Guard with everything the worker gives it."""
    clock = system_clock()
    plain, timed, work = Operation("x.a"), Operation("x.a", timeout_s=5.0), Work("call_1")
    silent = Guard("x", Policy(), clock)
    bus = Bus(clock)
    bus.listen(lambda _stamped: None)
    heard = Guard("x", Policy(), clock, emit=bus.emit)
    isolated = Guard("x", Policy(), clock)
    isolated.breaker.isolate("operator", "bench")
    opened = Guard("x", Policy(breaker=BreakerPolicy(open_s=3_600, open_cap_s=3_600)), clock)
    for _ in range(4):
        opened.breaker.fail(opened.breaker.admit(), "x.a", 0.1, clock.monotonic(), reason="503")
    opened.disarm()

    async def asyncio_timeout() -> int:
        async with asyncio.timeout(5):
            return await ok()

    return [
        Subject("Guard", awaiting(partial(silent.run, plain, ok, work)), bar=12),
        Subject("Guard + timeout", awaiting(partial(silent.run, timed, ok, work)), bar=24),
        Subject("Guard + bus, one listener", awaiting(partial(heard.run, plain, ok, work))),
        Subject("Guard + timeout + bus", awaiting(partial(heard.run, timed, ok, work))),
        Subject("asyncio.timeout alone", awaiting(asyncio_timeout)),
        Subject(
            "Guard rejects (open)",
            refusing(partial(opened.run, plain, ok, work), CircuitOpen),
            "bare raise",
            4,
        ),
        Subject(
            "Guard rejects (isolated)",
            refusing(partial(isolated.run, plain, ok, work), CircuitOpen),
            "bare raise",
            4,
        ),
    ]


def module(name: str) -> Any:  # noqa: ANN401 — a module that may not be there has no type.
    """Return an installed module, or None."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def nopanics() -> list[Subject]:
    """Return nopanic's retry + breaker, without and with its timeout, and its rejection."""
    names = ("nopanic", "nopanic + timeout", "nopanic rejects")
    nopanic = module("nopanic")
    if nopanic is None:
        return [Subject(name, None) for name in names]

    def stack(inner: Callable[[], Awaitable[int]]) -> tuple[Any, Any]:
        breaker = nopanic.circuit_breaker(reset_timeout=3_600.0)
        ladder = nopanic.retry(
            attempts=4,
            on=ConnectionError,
            backoff=nopanic.backoff.exponential(5.0),
        )
        return ladder(breaker(inner)), breaker

    async def broken() -> int:
        raise ConnectionError

    plain, _ = stack(ok)
    timed, _ = stack(nopanic.timeout(5.0)(ok))
    rejecting, breaker = stack(ok)
    for _ in range(20):
        coroutine = breaker(broken)()
        try:
            coroutine.send(None)
        except (ConnectionError, nopanic.CircuitOpen):
            continue
    return [
        Subject(names[0], awaiting(plain)),
        Subject(names[1], awaiting(timed)),
        Subject(names[2], refusing(rejecting, nopanic.CircuitOpen), "bare raise"),
    ]


def tenacities() -> list[Subject]:
    """Return tenacity alone, and with pybreaker inside, as many services do it."""
    ladder = tenacity.retry(
        stop=tenacity.stop_after_attempt(4),
        wait=tenacity.wait_exponential(multiplier=5, max=60),
        retry=tenacity.retry_if_exception_type(ConnectionError),
        reraise=True,
    )
    names = ("tenacity + pybreaker", "tenacity + pybreaker rejects")
    alone = Subject("tenacity alone", awaiting(ladder(ok)))
    pybreaker = module("pybreaker")
    if pybreaker is None:
        return [alone, *(Subject(name, None) for name in names)]
    closed, opened = pybreaker.CircuitBreaker(fail_max=4), pybreaker.CircuitBreaker(fail_max=4)
    opened.open()

    @ladder
    async def protected() -> int:
        with closed.calling():
            return await ok()

    @ladder
    async def rejecting() -> int:
        with opened.calling():
            return await ok()

    return [
        alone,
        Subject(names[0], awaiting(protected)),
        Subject(names[1], refusing(rejecting, pybreaker.CircuitBreakerError), "bare raise"),
    ]


async def measured(subjects: list[Subject], *, rounds: int, calls: int) -> dict[str, list[float]]:
    """Return the microseconds of a call of each subject, one number a round."""
    costs: dict[str, list[float]] = {subject.name: [] for subject in subjects}
    for _ in range(rounds):
        for name, body, _, _ in subjects:
            if body is not None:
                began_s = time.thread_time()
                await body(calls)
                costs[name].append((time.thread_time() - began_s) / calls * 1e6)
    return costs


def shown(subjects: list[Subject], costs: dict[str, list[float]]) -> bool:
    """Print the table; return whether every bar was kept."""
    kept = True
    print(f"{'':32}{'us a call':>10}{'ratio':>8}  compared to")
    for name, _, floor, bar in subjects:
        own = costs[name]
        if not own:
            print(f"{name:32}{'not installed':>18}")
            continue
        ratio = statistics.median(a / b for a, b in zip(own, costs[floor], strict=True))
        verdict = "" if bar is None else f"  bar {bar:g}: {'kept' if ratio <= bar else 'MISSED'}"
        kept = kept and (bar is None or ratio <= bar)
        print(f"{name:32}{statistics.median(own):>10.2f}{ratio:>8.1f}  {floor}{verdict}")
    return kept


class Scale:
    """Makes breakers that share what they are handed, so that only they themselves weigh."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.random = Random(1)
        self.policy = BreakerPolicy()
        self.health = HealthPolicy()

    def monotonic(self) -> float:
        """Return the time by hand."""
        return self.now_s

    def full_breaker(self, operations: int) -> Breaker:
        """Return a breaker whose windows are full, of so many operations."""
        breaker = Breaker(
            "x",
            self.policy,
            monotonic=self.monotonic,
            random=self.random,
            health=self.health,
            on_change=_nothing,
        )
        for tenth in range(20):
            self.now_s = 1_000.0 + tenth * WINDOW_S / 10
            for operation in OPERATIONS[:operations]:
                for _ in range(50):
                    breaker.succeed(breaker.admit(), operation, 0.1, self.now_s)
                breaker.fail(breaker.admit(), operation, 0.1, self.now_s, reason="503")
                breaker.succeed(breaker.admit(), operation, 0.1, self.now_s)
        return breaker


def _nothing(_change: Change) -> None:
    """Hear of a change."""


def weighed(make: Callable[[], object]) -> float:
    """Return the bytes of one of many."""
    make()
    gc.collect()
    tracemalloc.start()
    kept = [make() for _ in range(BREAKERS_WEIGHED)]
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size / len(kept)


def weights_shown() -> bool:
    """Print what breakers weigh; return whether the bar was kept."""
    clock = system_clock()

    def emit(_event: Event) -> None:
        """Listen to nothing."""

    scale = Scale()
    full = weighed(lambda: scale.full_breaker(1))
    rows = {
        "an idle breaker": (weighed(lambda: scale.full_breaker(0)), None),
        "a breaker, 1 full window": (full, 2_048.0),
        "a breaker, 3 full windows": (weighed(lambda: scale.full_breaker(3)), None),
        "a whole Guard": (weighed(lambda: Guard("x", Policy(), clock, emit=emit)), None),
    }
    for name, (size, bar) in rows.items():
        verdict = "" if bar is None else f"  bar {bar:g}: {'kept' if size <= bar else 'MISSED'}"
        print(f"{name:32}{size:>10.0f} bytes{verdict}")
    return full <= 2_048


async def compared(rounds: int, calls: int) -> bool:
    """Measure and print everything; return whether every bar was kept."""
    subjects = [*floors(), *guards(), *nopanics(), *tenacities()]
    await measured(subjects, rounds=3, calls=calls)
    return shown(subjects, await measured(subjects, rounds=rounds, calls=calls))


def main() -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--calls", type=int, default=300)
    options = parser.parse_args()
    print(f"Python {sys.version.split()[0]}, {options.rounds} rounds of {options.calls} calls")
    fast = asyncio.run(compared(options.rounds, options.calls))
    small = weights_shown()
    return 0 if fast and small else 1


if __name__ == "__main__":
    sys.exit(main())
