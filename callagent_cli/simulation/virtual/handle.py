"""What a virtual loop runs: its tasks, and its callbacks with or without a timer."""

import asyncio
import contextvars
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from callagent_cli.simulation.virtual.loop import VirtualLoop


class VirtualTask(asyncio.Task[Any]):
    """A task whose name and hash are counted, so that the order of sets of tasks is the same."""

    def __init__(self, coro: Any, *, number: int, **options: Any) -> None:  # noqa: ANN401 — as `asyncio.Task`.
        self._number = number  # `Task.__init__` already asks for the hash.
        super().__init__(coro, **options)

    def __hash__(self) -> int:
        return self._number


class VirtualHandle(asyncio.TimerHandle):
    """A callback of this instant or a later one; there is no debug mode to keep anything for."""

    __slots__ = ()
    # What `asyncio.TimerHandle` has and its stubs do not tell.
    _context: contextvars.Context
    _loop: "VirtualLoop"
    _callback: Callable[..., object] | None
    _scheduled: bool
    _when: float
    _repr: str | None
    _source_traceback: object

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        args: tuple[object, ...],
        loop: "VirtualLoop",
        *,
        context: contextvars.Context | None,
    ) -> None:
        self._when = when
        self._callback = callback
        self._args = args
        self._loop = loop
        self._context = contextvars.copy_context() if context is None else context
        self._cancelled = self._scheduled = False
        self._repr = self._source_traceback = None

    def cancel(self) -> None:
        """Make the callback not happen; a timer that has run, as that of a sleep, is let be."""
        if not self._cancelled:
            self._cancelled = True
            self._callback, self._args = None, ()
            if self._scheduled:
                self._loop.timer_cancelled()
