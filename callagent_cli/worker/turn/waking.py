"""When a worker that can do nothing right now looks again."""

import asyncio
from collections.abc import Callable, Iterable
from math import inf
from typing import Final

from callagent_cli.worker.control import Control
from callagent_cli.worker.resources import Resources
from callagent_cli.worker.turn.calendar import Calendar
from callagent_cli.worker.turn.patience import Patience

LOOK_AGAIN_S: Final = 60.0
"""How often a sleeping worker looks around: a suspended machine counts no time meanwhile."""

TICK_S: Final = 0.001
"""No wait is shorter: a loop's clock may not be able to tell a shorter one."""


def sleep_s(waits_s: Iterable[float]) -> float:
    """Return how long to sleep when time changes something after each of these waits.

    What is over already needs more than time: a lane, a service or a person, who sets `wake`.
    Infinity when time alone changes nothing.
    """
    return max(min((wait_s for wait_s in waits_s if wait_s > 0), default=inf), TICK_S)


class Waking:
    """Sleeps until the next due time, until somebody sets `wake`, or until something is new.

    A look at which nothing can be new ends nobody's sleep. `look_up_in_s` says in how many seconds
    the next look-up of a failed call is due, None when there is none.
    """

    def __init__(
        self,
        resources: Resources,
        control: Control,
        calendar: Calendar,
        *,
        patience: Patience,
        look_up_in_s: Callable[[], float | None],
    ) -> None:
        self._resources = resources
        self._wake = control.wake
        self._calendar = calendar
        self._patience = patience
        self._look_up_in_s = look_up_in_s
        self._timer: asyncio.TimerHandle

    async def until_something_moves(self) -> None:
        """Sleep; something moves too when the patience with a wait is over."""
        waits_s = [*self._dues_in_s(), *self._patience.left_s()]
        due_s = asyncio.get_running_loop().time() + sleep_s(waits_s)
        self._look_later(due_s, self._mark())
        try:
            await self._wake.wait()
        finally:
            self._timer.cancel()

    def due_in_s(self) -> float | None:
        """Return in how many seconds a call or a look-up is due; None when none will be."""
        return min((due_s for due_s in self._dues_in_s() if due_s > 0), default=None)

    def _dues_in_s(self) -> list[float]:
        """Return in how many seconds the next call, and the next look-up, is due."""
        resources = self._resources
        now_utc_s = resources.clock.utc()
        due_utc_s = resources.store.next_due(resources.campaign, after_utc_s=now_utc_s)
        look_up_in_s = self._look_up_in_s()
        waits_s = [] if due_utc_s is None else [due_utc_s - now_utc_s]
        return waits_s if look_up_in_s is None else [*waits_s, look_up_in_s]

    def _look_later(self, due_s: float, mark: object) -> None:
        loop = asyncio.get_running_loop()
        look_s = min(due_s, loop.time() + LOOK_AGAIN_S)
        self._timer = loop.call_at(look_s, self._look, due_s, mark)

    def _look(self, due_s: float, mark: object) -> None:
        if asyncio.get_running_loop().time() >= due_s or self._may_be_new(mark):
            self._wake.set()
        else:
            self._look_later(due_s, mark)

    def _mark(self) -> object:
        """Return what stays the same while nothing can move; None when a breaker may by itself."""
        for guard in self._resources.services.guards.values():
            if guard.breaker.state != "closed":
                return None
        return self._resources.store.mark()

    def _may_be_new(self, mark: object) -> bool:
        """Say whether there may be something to do since `mark`, without a due time or a wake."""
        was_set = self._calendar.follow(self._resources.store, self._resources.campaign)
        return was_set or mark is None or self._mark() != mark
