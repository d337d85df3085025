"""How long a run that nothing moves any more still waits before it ends."""

from typing import Final

from callagent_cli.clock import Clock

LAST_LOOK_UPS_S: Final = 120.0
"""How long a run that is otherwise done waits for its open look-ups."""


class Patience:
    """Two limits, each counted from when its wait began; None as `max_wait_s` is no limit."""

    def __init__(self, clock: Clock, max_wait_s: float | None) -> None:
        self._clock = clock
        self._max_wait_s = max_wait_s
        self._waiting_since_s: float | None = None
        self._closing_since_s: float | None = None

    def moved(self) -> None:
        """Note that a call moved, and not only a trial: the wait begins anew."""
        self._waiting_since_s = None

    def waited_s(self) -> float:
        """Return how long nothing has moved but trials; asked for the first time, it begins."""
        now_s = self._clock.monotonic()
        if self._waiting_since_s is None:
            self._waiting_since_s = now_s
        return now_s - self._waiting_since_s

    def is_waited_out(self, waited_s: float) -> bool:
        """Say whether a run that has waited so long waits no more."""
        return self._max_wait_s is not None and waited_s >= self._max_wait_s

    def begin_closing(self) -> bool:
        """Note that only look-ups are left; return whether that is so for the first time."""
        begins = self._closing_since_s is None
        if begins:
            self._closing_since_s = self._clock.monotonic()
        return begins

    def stop_closing(self) -> None:
        """Note that there is more to do than look-ups."""
        self._closing_since_s = None

    @property
    def is_closed(self) -> bool:
        """Whether the last look-ups have had their time."""
        since_s = self._closing_since_s
        return since_s is not None and self._clock.monotonic() - since_s >= LAST_LOOK_UPS_S

    def left_s(self) -> list[float]:
        """Return in how many seconds each wait that has begun is over."""
        now_s = self._clock.monotonic()
        limits = (
            (self._waiting_since_s, self._max_wait_s),
            (self._closing_since_s, LAST_LOOK_UPS_S),
        )
        return [
            limit_s - (now_s - since_s)
            for since_s, limit_s in limits
            if since_s is not None and limit_s is not None
        ]
