"""Counts over the last minutes and a percentile over the last attempts, in bounded memory."""

from collections import deque
from collections.abc import Sequence

SAMPLES = 256
"""Durations kept for the percentile; enough for a p95, small enough to sort at each paint."""


class Ring:
    """Counts in `slots` consecutive spans of `width_s` seconds, the oldest overwritten."""

    __slots__ = ("_counts", "_newest", "_width_s")

    def __init__(self, slots: int, width_s: float = 1.0) -> None:
        self._counts = [0] * slots
        self._width_s = width_s
        self._newest = -1

    def add(self, at_s: float, count: int = 1) -> None:
        """Count something that happened at `at_s`."""
        index = int(at_s // self._width_s)
        if index != self._newest:
            index = self._move_to(index)
        self._counts[index % len(self._counts)] += count

    def _move_to(self, index: int) -> int:
        """Make room for `index`; return the span that the count belongs to."""
        slots, behind = len(self._counts), self._newest - index
        if 0 < behind < slots:
            return index
        if behind >= slots or -behind >= slots:
            # The clock was set back by more than the window, or nothing came for longer than it.
            self._counts = [0] * slots
        else:
            for passed in range(self._newest + 1, index + 1):
                self._counts[passed % slots] = 0
        self._newest = index
        return index

    def spans(self, now_s: float, group: int = 1) -> tuple[int, ...]:
        """Return the counts up to now, oldest first, in groups of `group` spans.

        Groups begin at multiples of their length, so that a past group never changes again; the
        newest one is still filling.
        """
        slots = len(self._counts)
        newest_group = int(now_s // self._width_s) // group
        first = (newest_group - slots // group + 1) * group
        counts = [self._at(index) for index in range(first, first + slots)]
        return tuple(sum(counts[begin : begin + group]) for begin in range(0, slots, group))

    def total(self, now_s: float, last_s: float | None = None) -> int:
        """Return the count of the last `last_s` seconds (all spans when it is not given)."""
        slots = len(self._counts)
        wanted = slots if last_s is None else min(slots, int(last_s // self._width_s))
        newest = int(now_s // self._width_s)
        if newest == self._newest and wanted == slots:
            return sum(self._counts)
        return sum(self._at(index) for index in range(newest - wanted + 1, newest + 1))

    def _at(self, index: int) -> int:
        slots = len(self._counts)
        if index > self._newest or index <= self._newest - slots:
            return 0
        return self._counts[index % slots]


class Durations:
    """The durations of the last attempts, for a percentile over the last minute."""

    __slots__ = ("_samples",)

    def __init__(self) -> None:
        self._samples: deque[tuple[float, float]] = deque(maxlen=SAMPLES)

    def add(self, at_s: float, duration_s: float) -> None:
        """Keep the duration of an attempt that ended at `at_s`."""
        self._samples.append((at_s, duration_s))

    def percentile(self, share: float, now_s: float, last_s: float = 60.0) -> float | None:
        """Return the nearest-rank percentile of the last `last_s` seconds; none without samples."""
        after_s = now_s - last_s
        recent = sorted([taken for at_s, taken in self._samples if at_s > after_s])
        return recent[_rank(recent, share)] if recent else None


def _rank(values: Sequence[float], share: float) -> int:
    return min(len(values) - 1, int(share * len(values)))
