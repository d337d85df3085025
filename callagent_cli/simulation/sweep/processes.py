"""Work that is shared out over all cores: the processes share nothing but jobs and results."""

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Final, TypeVar

J = TypeVar("J")
R = TypeVar("R")

_WAITING_PER_CORE: Final = 4
"""Jobs handed out ahead of time, so that no process waits for its next one."""

IDLE_EVERY_S: Final = 1.0

Idle = Callable[[], None]
"""Called about once a second while no result is ready, for whoever tells how far it is."""


def cores_there_are() -> int:
    """Return how many processes can work at the same time."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def fan_out(
    work: Callable[[J], R], jobs: Iterable[J], *, cores: int = 0, idle: Idle | None = None
) -> Iterator[R]:
    """Yield the results of `work` over the jobs as they are ready; 0 cores means all there are.

    Jobs are taken only as fast as they are worked. Leaving early drops what is not ready: nobody
    waits for a long world that was interrupted. On one core, and with no `idle` to call meanwhile,
    everything happens in this process.
    """
    cores = cores or cores_there_are()
    if cores == 1 and idle is None:
        yield from map(work, jobs)
        return
    # A fresh process knows nothing of this one's threads, loops and open files.
    context = get_context("spawn")
    others = context.active_children()
    pool = ProcessPoolExecutor(cores, mp_context=context, initializer=_belong_to_the_first)
    complete = False
    try:
        ahead = cores * _WAITING_PER_CORE
        yield from _results(pool, work, iter(jobs), ahead=ahead, idle=idle)
        complete = True
    finally:
        if not complete:
            for process in context.active_children():
                if process not in others:
                    process.kill()
        pool.shutdown(cancel_futures=True)


def _results(
    pool: ProcessPoolExecutor,
    work: Callable[[J], R],
    jobs: Iterator[J],
    *,
    ahead: int,
    idle: Idle | None,
) -> Iterator[R]:
    timeout_s = None if idle is None else IDLE_EVERY_S
    running: set[Future[R]] = set()
    exhausted = False
    while running or not exhausted:
        while not exhausted and len(running) < ahead:
            job = next(jobs, None)
            exhausted = job is None
            if job is not None:
                with _undisturbed():
                    running.add(pool.submit(work, job))
        if running:
            done, running = wait(running, timeout_s, return_when=FIRST_COMPLETED)
            if not done and idle is not None:
                idle()
            for future in done:
                yield future.result()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let a Ctrl-C wait until this is over: a pool that has half begun cannot be shut down."""
    heed = signal.getsignal(signal.SIGINT)
    if not callable(heed):
        yield
        return
    heard: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _frame: heard.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, heed)
    if heard:
        signal.raise_signal(signal.SIGINT)


def _belong_to_the_first() -> None:
    """Let only the first process hear of an end: it ends the others, and they end with it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    Thread(target=_end_with_the_first, name="end with the first", daemon=True).start()


def _end_with_the_first() -> None:
    first = parent_process()
    if first is not None:
        first.join()
        os._exit(1)
