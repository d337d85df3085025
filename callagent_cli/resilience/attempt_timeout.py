"""The timeout of one attempt, at a fraction of a context manager's cost."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeVar

from callagent_cli.errors import ServiceTimeout

T = TypeVar("T")


class _Attempt:
    """One attempt under way: its task, the end of its patience, and how it ended."""

    __slots__ = ("cancelling", "done", "ends_s", "expired", "task")

    def __init__(self, task: "asyncio.Task[object]", ends_s: float) -> None:
        self.task = task
        self.ends_s = ends_s
        self.cancelling = task.cancelling()
        self.done = False
        self.expired = False


class AttemptTimeout:
    """Ends attempts that take longer than `timeout_s` with `ServiceTimeout`.

    All attempts share the timeout, so they expire in the order they began: one timer, for the
    oldest, serves them all, and an attempt that ends in time touches neither timer nor heap.
    Cancellation from outside is told apart as `asyncio.timeout` does it. All of it happens in the
    loop of the first attempt; asking which loop runs can cost a system call.
    """

    __slots__ = ("_attempts", "_loop", "_monotonic", "_timer", "timeout_s")

    def __init__(self, timeout_s: float, monotonic: Callable[[], float]) -> None:
        self.timeout_s = timeout_s
        self._monotonic = monotonic
        self._attempts: deque[_Attempt] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def run(self, attempt: Callable[[], Awaitable[T]], name: str, now_s: float) -> T:
        """Return what `attempt` returns, begun at `now_s` (monotonic seconds)."""
        loop = self._loop
        if loop is None:
            loop = self._loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        assert task is not None  # noqa: S101 — only a task can await.
        entry = _Attempt(task, now_s + self.timeout_s)
        attempts = self._attempts
        while attempts and attempts[0].done:
            attempts.popleft()
        attempts.append(entry)
        if self._timer is None:
            self._timer = loop.call_later(self.timeout_s, self._expire, loop)
        try:
            return await attempt()
        except asyncio.CancelledError:
            if entry.expired and task.cancelling() - 1 <= entry.cancelling:
                message = f"{name}: no answer within {self.timeout_s:g} s"
                raise ServiceTimeout(message) from None
            raise
        finally:
            entry.done = True
            if entry.expired:
                task.uncancel()  # Also when the attempt made another error of the cancellation.

    def _expire(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        now_s = self._monotonic()
        attempts = self._attempts
        while attempts and (attempts[0].done or attempts[0].ends_s <= now_s):
            entry = attempts.popleft()
            if not entry.done:
                entry.expired = True
                entry.task.cancel()
        if attempts:
            delay_s = attempts[0].ends_s - now_s
            self._timer = loop.call_later(delay_s, self._expire, loop)
