"""The retry budget: how many of a service's recent attempts may have been retries."""

from collections.abc import Callable

from callagent_cli.resilience.policy import BudgetPolicy
from callagent_cli.resilience.window import Window


class Budget:
    """Counts attempts and retries over a sliding window; a retry beyond the share waits.

    The share is AWS's and Envoy's idea, windowed as nopanic does it, so that a service with few
    calls is not refused its first retries: `floor_per_s` retries a second are always allowed.
    `attempted` counts one first attempt that goes out at that instant (monotonic seconds).
    """

    __slots__ = ("_floor", "_policy", "_window", "attempted")

    def __init__(self, policy: BudgetPolicy) -> None:
        self._policy = policy
        self._floor = policy.floor_per_s * policy.window_s
        self._window = Window(policy.window_s)
        self.attempted: Callable[[float], None] = self._window.add

    def take(self, now_s: float) -> float:
        """Count a retry and return 0 if there is a share for it, else return `wait_s`."""
        wait_s = self.wait_s(now_s)
        if wait_s <= 0:
            self._window.add(now_s, failed=True)
        return wait_s

    def wait_s(self, now_s: float) -> float:
        """Return 0 when a retry may go out, else the seconds until a share may be free."""
        window = self._window
        window.advance(now_s)
        if window.failures < max(self._policy.ratio * window.attempts, self._floor):
            return 0.0
        return window.next_slice_s - now_s
