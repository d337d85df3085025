"""How many requests one service may have in flight, and who goes next when one is free."""

import asyncio
from collections import deque
from collections.abc import Callable
from math import inf


class Slots:
    """A limit on requests in flight that ramps up after an outage and bends to the provider.

    Requests of calls already begun go before those of calls that have yet to ring. `busy` lowers
    the limit below what was in flight when the provider said so; successes raise it again by
    about one per round, while `lowered`. `ramp` starts at one slot and adds them evenly.
    """

    __slots__ = (
        "_begun",
        "_busy_limit",
        "_credit",
        "_new",
        "_on_change",
        "_ramp_limit",
        "_timer",
        "configured",
        "in_flight",
        "limit",
        "lowered",
    )

    def __init__(
        self, configured: int, *, on_change: Callable[[int, str], None] = lambda _limit, _why: None
    ) -> None:
        self.configured = configured
        self.limit = configured
        self.in_flight = 0
        self.lowered = False
        self._busy_limit = configured
        self._ramp_limit = configured
        self._credit = 0.0
        self._on_change = on_change
        self._begun: deque[asyncio.Future[bool]] = deque()
        self._new: deque[asyncio.Future[bool]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def try_acquire(self) -> bool:
        """Take a slot if one is free and nobody waits for it."""
        if self.in_flight < self.limit and not self._begun and not self._new:
            self.in_flight += 1
            return True
        return False

    async def acquire(self, *, begun: bool, within_s: float = inf) -> bool:
        """Take a slot, waiting for one if need be; calls already begun go first.

        Return whether there was one within `within_s` seconds.
        """
        if self.try_acquire():
            return True
        queue = self._begun if begun else self._new
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[bool] = loop.create_future()
        queue.append(turn)
        timer = None if within_s == inf else loop.call_later(within_s, _too_late, queue, turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn in queue:
                queue.remove(turn)
            elif not turn.cancelled() and turn.result():
                self.release()  # The slot was handed over in the moment of the cancellation.
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def release(self) -> None:
        """Give a slot back; the next in line takes it at once."""
        self.in_flight -= 1
        if self._begun or self._new:
            self._hand_over()

    def succeeded(self) -> None:
        """Let the limit that `busy` lowered grow back by about one per round of successes."""
        self._credit += 1 / self._busy_limit
        if self._credit >= 1:
            self._credit = 0.0
            self._busy_limit += 1
            self.lowered = self._busy_limit < self.configured
            self._apply("the provider accepts more again")

    def busy(self) -> None:
        """Lower the limit: the provider refused one of the requests now in flight as too many."""
        self._credit = 0.0
        self._busy_limit = max(1, min(self._busy_limit, self.in_flight - 1))
        self.lowered = self._busy_limit < self.configured
        self._apply("the provider's own limit")

    def ramp(self, ramp_s: float) -> None:
        """Start again from one slot and reach the configured number after `ramp_s` seconds."""
        self.stop()
        if ramp_s > 0 and self.configured > 1:
            self._ramp_limit = 1
            self._apply("ramp after an outage")
            self._timer = self._later(ramp_s / (self.configured - 1))

    def stop(self) -> None:
        """End a ramp that is under way, without waking anybody."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _later(self, step_s: float) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(step_s, self._grow, step_s)

    def _grow(self, step_s: float) -> None:
        self._ramp_limit += 1
        done = self._ramp_limit >= self.configured
        self._timer = None if done else self._later(step_s)
        self._apply("ramp after an outage")

    def _apply(self, reason: str) -> None:
        limit = min(self.configured, self._busy_limit, self._ramp_limit)
        if limit != self.limit:
            self.limit = limit
            self._on_change(limit, reason)
            self._hand_over()

    def _hand_over(self) -> None:
        while self.in_flight < self.limit and (self._begun or self._new):
            turn = (self._begun or self._new).popleft()
            if not turn.done():
                self.in_flight += 1
                turn.set_result(True)


def _too_late(queue: deque[asyncio.Future[bool]], turn: asyncio.Future[bool]) -> None:
    """End the wait of whoever nobody handed a slot to."""
    if not turn.done():
        queue.remove(turn)
        turn.set_result(False)
