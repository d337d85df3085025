"""A sliding window of attempts: how many of the last minute failed, and how many were slow."""

from array import array
from typing import Final

SLICES: Final = 10
"""A window moves in steps of a tenth of its length, as that of failsafe-go does."""

_KINDS: Final = 3


class Window:
    """Counts attempts, failed and slow ones over the last nine to ten tenths of `window_s`.

    `attempts`, `failures` and `slow` are the sums over the window. Only the sums are written on
    an attempt; what they were when the slice began, kept in its place among the past ones, tells
    what to put away when it ends, at `next_slice_s`.
    """

    __slots__ = (
        "_head",
        "_past",
        "_window_s",
        "attempts",
        "failures",
        "next_slice_s",
        "slow",
    )

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._past = array("I", bytes(4 * _KINDS * SLICES))
        self._head = 0
        self.next_slice_s = window_s / SLICES
        self.attempts = 0
        self.failures = 0
        self.slow = 0

    def add(self, now_s: float, *, failed: bool = False, slow: bool = False) -> None:
        """Count one attempt that ended at `now_s` (monotonic seconds)."""
        if now_s >= self.next_slice_s:
            self.advance(now_s)
        self.attempts += 1
        if failed:
            self.failures += 1
        if slow:
            self.slow += 1

    def advance(self, now_s: float) -> None:
        """Put the current slice away if it has ended, and drop those that have left the window."""
        if now_s < self.next_slice_s:
            return
        slice_s = self._window_s / SLICES
        head = int(now_s / slice_s)
        # A quotient that was rounded down must not name a slice that has ended.
        head += (head + 1) * slice_s <= now_s
        if not self.attempts or head >= self._head + SLICES:
            self._begin_at(head)
            return
        past = self._past
        at = self._head % SLICES * _KINDS
        past[at] = self.attempts - past[at]
        past[at + 1] = self.failures - past[at + 1]
        past[at + 2] = self.slow - past[at + 2]
        for slice_ in range(self._head + 1, head + 1):
            at = slice_ % SLICES * _KINDS
            self.attempts -= past[at]
            self.failures -= past[at + 1]
            self.slow -= past[at + 2]
            past[at] = past[at + 1] = past[at + 2] = 0
        at = head % SLICES * _KINDS
        past[at], past[at + 1], past[at + 2] = self.attempts, self.failures, self.slow
        self._head = head
        self.next_slice_s = (head + 1) * slice_s

    def _begin_at(self, head: int) -> None:
        """Begin with nothing: all of it has left the window."""
        self._past = array("I", bytes(4 * _KINDS * SLICES))
        self.attempts = self.failures = self.slow = 0
        self._head = head
        self.next_slice_s = (head + 1) * (self._window_s / SLICES)
