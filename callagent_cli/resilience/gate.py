"""The not-before time that all callers of one service share."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Final

SPREAD_MAX_S: Final = 1.0
"""Callers that wait for one instant are spread over at most this long behind it."""


class Gate:
    """Closed until an instant; whoever comes earlier waits, and wakes a little apart from the rest.

    The spread is only ever added: a Retry-After is a floor.
    """

    __slots__ = ("_monotonic", "_random", "_spread_s", "not_before_s")

    def __init__(self, monotonic: Callable[[], float], random: Random, *, jitter: bool) -> None:
        self._monotonic = monotonic
        self._random = random
        self._spread_s = SPREAD_MAX_S if jitter else 0.0
        self.not_before_s = float("-inf")

    def close_for(self, delay_s: float) -> None:
        """Let nobody pass for `delay_s`; an earlier, longer wait stays in force."""
        self.not_before_s = max(self.not_before_s, self._monotonic() + delay_s)

    async def wait(self, wait_s: float) -> None:
        """Sleep for `wait_s`, what remains until the gate opens, and a little longer.

        Somebody may have closed it for longer meanwhile: look again.
        """
        spread_s = min(self._spread_s, wait_s / 10)
        await asyncio.sleep(wait_s + self._random.uniform(0, spread_s))
