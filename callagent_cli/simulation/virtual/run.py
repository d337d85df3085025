"""Runs a coroutine in virtual time: to its end, or cut before any step.

A cut is what a power failure does to a process: nothing is unwound.
"""

import asyncio
import atexit
import sys
import warnings
from collections.abc import AsyncGenerator, Coroutine
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar

from callagent_cli.simulation.virtual.loop import BannedCall, SimulationStopped, VirtualLoop

T = TypeVar("T")


class _Remains(NamedTuple):
    """Everything that was running when a run was cut."""

    tasks: list[asyncio.Task[Any]]
    handles: list[object]
    generators: list[AsyncGenerator[Any, Any]]


_remains: list[_Remains] = []


def run_virtual(
    main: Coroutine[Any, Any, T], *, horizon_s: float = float("inf"), kill_at: int | None = None
) -> T:
    """Run a coroutine in virtual time and return its result.

    Raises `SimulationKilled` when the run was cut at `kill_at` or by `VirtualLoop.kill`,
    `SimulationHorizon` when it would go on after `horizon_s`, `SimulationDeadlock`,
    `SimulationSpins`, `BannedCall`, or what `main` raises. Whatever cuts the run leaves its tasks
    as they are: no `finally` block of theirs runs before `release_killed`.
    """
    loop = VirtualLoop(horizon_s=horizon_s)
    if kill_at is not None:
        loop.kill_at(kill_at)
    try:
        result = loop.run_until_complete(main)
        _finish(loop)
    except (SimulationStopped, BannedCall):
        _bury(loop)
        raise
    except Exception:
        _finish_or_bury(loop)
        raise
    except BaseException:
        _bury(loop)  # Ctrl-C: what still runs might never end.
        raise
    finally:
        loop.close()
    return result


def release_killed() -> None:
    """Free the memory of all killed runs.

    Closing their coroutines runs their `finally` blocks: call it only when nobody looks any more
    at what those runs shared with others. Whatever goes wrong in them is silenced.
    """
    hook = sys.unraisablehook
    sys.unraisablehook = lambda _: None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for remains in _remains:
                _close(remains)
            _remains.clear()
    finally:
        sys.unraisablehook = hook


def _finish(loop: VirtualLoop) -> None:
    """Cancel what `main` left behind and let it unwind, as `asyncio.run` does."""
    left = sorted(asyncio.all_tasks(loop), key=hash)
    for task in left:
        task.cancel()
    loop.run_until_complete(_unwound(left))
    for task in left:
        if not task.cancelled() and (error := task.exception()) is not None:
            loop.call_exception_handler(
                {"message": "a task failed while it unwound", "exception": error, "task": task}
            )
    loop.run_until_complete(loop.shutdown_asyncgens())


async def _unwound(tasks: list[asyncio.Task[Any]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)


def _finish_or_bury(loop: VirtualLoop) -> None:
    try:
        _finish(loop)
    except (SimulationStopped, BannedCall):
        _bury(loop)


def _bury(loop: VirtualLoop) -> None:
    """Keep everything that was running from the garbage collector, which would unwind it."""
    tasks = sorted(asyncio.all_tasks(loop), key=hash)
    for task in tasks:
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001 — the loop offers no other way.
    handles: list[object] = [*loop._ready, *loop._timers]  # noqa: SLF001 — as above.
    generators = list(loop._asyncgens)  # noqa: SLF001 — as above.
    _remains.append(_Remains(tasks, handles, generators))


def _close(remains: _Remains) -> None:
    for task in remains.tasks:
        coroutine: Any = task.get_coro()
        # A `finally` block that awaits, or that finds its world gone, raises here.
        with suppress(Exception, asyncio.CancelledError, GeneratorExit):
            coroutine.close()
    remains.generators.clear()


atexit.register(release_killed)
