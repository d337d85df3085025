"""An event loop without a world: when nothing is ready, its clock jumps to the next timer.

It has no selector, sockets, threads or executors, so the same seed gives the same run, and a day
passes as fast as the work in it can be computed. `virtual.run` runs one to its end, or cuts it.
"""

import asyncio
import contextvars
import heapq
import sys
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from itertools import count
from typing import Any, Final, NoReturn, TypeVar
from weakref import WeakSet

from callagent_cli.simulation.virtual.handle import VirtualHandle, VirtualTask

T = TypeVar("T")

NEVER: Final = sys.maxsize
STEPS_PER_INSTANT_MAX: Final = 100_000
"""Steps without time moving on after which a run is taken for one that spins for ever.

A thousand lanes that come back at once take a thousand.
"""

_CANCELLED_TIMERS_MIN: Final = 1_000
_TASKS_NAMED_MAX: Final = 5
_BANNED: Final = (
    "run_in_executor getaddrinfo getnameinfo create_connection create_server "
    "create_unix_connection create_unix_server create_datagram_endpoint sendfile start_tls "
    "connect_accepted_socket connect_read_pipe connect_write_pipe subprocess_shell "
    "subprocess_exec add_reader remove_reader add_writer remove_writer sock_recv sock_recv_into "
    "sock_recvfrom sock_recvfrom_into sock_sendall sock_sendto sock_connect sock_accept "
    "sock_sendfile add_signal_handler remove_signal_handler"
)


class SimulationStopped(Exception):
    """Base of what ends a virtual run before its main coroutine does; `at_s` is when."""

    def __init__(self, message: str, *, at_s: float, step: int) -> None:
        super().__init__(message)
        self.at_s = at_s
        self.step = step


class SimulationKilled(SimulationStopped):
    """The run was cut as if the process had been killed; nothing was unwound."""


class SimulationHorizon(SimulationStopped):
    """The next thing would happen after the horizon."""


class SimulationDeadlock(SimulationStopped):
    """Nothing is ready and nothing is scheduled: every task waits for another."""


class SimulationSpins(SimulationStopped):
    """Very many steps were run without time moving on."""


class BannedCall(RuntimeError):
    """Code in virtual time asked for the real world; the run ends, whoever swallows this."""


class VirtualLoop(asyncio.BaseEventLoop):
    """A loop in virtual time, which begins at 0 s.

    `horizon_s` is the last instant at which something may happen. `steps` counts the callbacks
    that were run: the same world has the same steps, so a step names a moment exactly.
    """

    # What `asyncio.BaseEventLoop` has and its stubs do not tell.
    _ready: deque[asyncio.Handle]
    _closed: bool
    _stopping: bool
    _thread_id: int | None
    _asyncgens: WeakSet[AsyncGenerator[Any, Any]]
    _check_closed: Callable[[], None]

    def __init__(self, *, horizon_s: float = float("inf")) -> None:
        super().__init__()
        self.set_debug(False)
        self.steps = 0
        self.horizon_s = horizon_s
        self._now_s = 0.0
        self._timers: list[tuple[float, int, VirtualHandle]] = []
        self._order = count()
        self._task_numbers = count(1)
        self._cancelled_timers = 0
        self._stop_before = NEVER
        self._banned: BannedCall | None = None
        self._instant_began = 0

    def time(self) -> float:
        """Return the virtual seconds since the loop was made."""
        return self._now_s

    def kill_at(self, step: int) -> None:
        """Cut the run before its `step`-th callback (counted from 0)."""
        self._stop_before = step

    def kill(self) -> None:
        """Cut the run before its next callback; the running one goes on to its next `await`."""
        self._stop_before = self.steps

    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: object = None,
        context: contextvars.Context | None = None,
        **_: object,
    ) -> asyncio.Task[T]:
        """Start a task; its hash, and its name unless one is given, come from a counter."""
        self._check_closed()
        number = next(self._task_numbers)
        task_name = f"task-{number}" if name is None else str(name)
        return VirtualTask(coro, number=number, loop=self, name=task_name, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[..., object],
        *args: object,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Schedule a callback; callbacks of the same instant run in the order of these calls."""
        if self._closed:
            self._check_closed()
        timer = VirtualHandle(when, callback, args, self, context=context)
        heapq.heappush(self._timers, (when, next(self._order), timer))
        timer._scheduled = True  # noqa: SLF001 — as `BaseEventLoop` marks what is in its heap.
        return timer

    def call_later(
        self,
        delay: float,
        callback: Callable[..., object],
        *args: object,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Schedule a callback `delay` seconds from the loop's present instant."""
        return self.call_at(self._now_s + delay, callback, *args, context=context)

    def call_soon(
        self,
        callback: Callable[..., object],
        *args: object,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        """Schedule a callback of this very instant."""
        if self._closed:
            self._check_closed()
        handle = VirtualHandle(self._now_s, callback, args, self, context=context)
        self._ready.append(handle)
        return handle

    def call_soon_threadsafe(
        self,
        callback: Callable[..., object],
        *args: object,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        """Schedule a callback from the loop's own thread; any other thread is refused."""
        if self.is_running() and self._thread_id != threading.get_ident():
            self._ban("call_soon_threadsafe from another thread")
        return self.call_soon(callback, *args, context=context)

    def close(self) -> None:
        """Close the loop and forget its timers."""
        super().close()
        self._timers.clear()

    def timer_cancelled(self) -> None:
        """Take note that a timer will never run; the heap is rebuilt when most are like that."""
        self._cancelled_timers += 1
        if self._cancelled_timers > max(_CANCELLED_TIMERS_MIN, len(self._timers) // 2):
            # The order numbers keep equal instants in order, so that the heap may be rebuilt.
            self._timers = [entry for entry in self._timers if not entry[2].cancelled()]
            heapq.heapify(self._timers)
            self._cancelled_timers = 0

    def _run_once(self) -> None:
        ready = self._ready
        if not ready and not self._stopping:
            if self.steps >= self._stop_before:
                self._stop()
            self._jump()
        if self._timers and self._timers[0][0] <= self._now_s:
            self._ready_timers()
        if self.steps - self._instant_began > STEPS_PER_INSTANT_MAX:
            self._stop_with(SimulationSpins, f"{STEPS_PER_INSTANT_MAX} steps in one instant")
        for _ in range(len(ready)):
            if self.steps >= self._stop_before:
                self._stop()
            handle = ready.popleft()
            if not handle._cancelled:  # noqa: SLF001 — an attribute is read faster than a call.
                self.steps += 1
                handle._run()  # noqa: SLF001 — as `BaseEventLoop` runs its handles.

    def _jump(self) -> None:
        """Move the clock to the first timer that is not cancelled."""
        timers = self._timers
        while timers and timers[0][2]._cancelled:  # noqa: SLF001 — as above.
            heapq.heappop(timers)[2]._scheduled = False  # noqa: SLF001 — as above.
            self._cancelled_timers -= 1
        if not timers:
            self._stop_with(SimulationDeadlock, f"nothing can happen any more: {self._waiting()}")
        when = timers[0][0]
        if when > self.horizon_s:
            text = f"nothing more happens before the horizon of {self.horizon_s:g} s"
            self._stop_with(SimulationHorizon, text)
        if when > self._now_s:
            self._now_s = when
            self._instant_began = self.steps

    def _ready_timers(self) -> None:
        timers = self._timers
        now_s = self._now_s
        append = self._ready.append
        while timers and timers[0][0] <= now_s:
            handle = heapq.heappop(timers)[2]
            handle._scheduled = False  # noqa: SLF001 — as above.
            if handle._cancelled:  # noqa: SLF001 — as above.
                self._cancelled_timers -= 1
            else:
                append(handle)

    def _waiting(self) -> str:
        tasks = sorted(asyncio.all_tasks(self), key=hash)
        names = ", ".join(
            f"{task.get_name()} ({_place(task)})" for task in tasks[:_TASKS_NAMED_MAX]
        )
        unnamed = len(tasks) - _TASKS_NAMED_MAX
        more = f" and {unnamed} more" if unnamed > 0 else ""
        return f"{names}{more} wait" if tasks else "there are no tasks"

    def _stop(self) -> NoReturn:
        if self._banned is not None:
            raise self._banned
        self._stop_with(SimulationKilled, f"killed before step {self.steps}")

    def _stop_with(self, kind: type[SimulationStopped], text: str) -> NoReturn:
        raise kind(f"{text} (at {self._now_s:g} s)", at_s=self._now_s, step=self.steps)

    def _ban(self, name: str) -> NoReturn:
        self._banned = BannedCall(f"`{name}` reaches out of virtual time")
        self._stop_before = self.steps  # The run ends even if the caller swallows the error.
        raise self._banned

    def _process_events(self, event_list: object) -> None:
        """Do nothing: there is no selector."""

    def _write_to_self(self) -> None:
        """Do nothing: there is no other thread to wake this one."""


def _banned_method(name: str) -> Callable[..., NoReturn]:
    def refuse(self: VirtualLoop, *_args: object, **_options: object) -> NoReturn:
        self._ban(name)

    refuse.__name__ = name
    refuse.__doc__ = f"Refuse `{name}`."
    return refuse


for _name in _BANNED.split():
    setattr(VirtualLoop, _name, _banned_method(_name))


def _place(task: asyncio.Task[Any]) -> str:
    """Return the innermost function and line in which a task waits."""
    place = "nowhere"
    coroutine: Any = task.get_coro()
    while (frame := getattr(coroutine, "cr_frame", None)) is not None:
        place = f"{frame.f_code.co_name}:{frame.f_lineno}"
        coroutine = coroutine.cr_await
    return place


def running_loop() -> VirtualLoop:
    """Return the virtual loop that runs right now; raises `TypeError` on any other loop."""
    loop = asyncio.get_running_loop()
    if not isinstance(loop, VirtualLoop):
        raise TypeError("this needs virtual time")
    return loop
