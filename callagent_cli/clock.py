"""Time and chance, handed to everything that needs either."""

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from random import Random

EPOCH_OF_SIMULATIONS_S = datetime(2026, 1, 5, 9, 0, tzinfo=UTC).timestamp()
"""Where a simulation's calendar begins: a Monday at 09:00 UTC."""


@dataclass(frozen=True, slots=True)
class Clock:
    """The running loop's time, the calendar, and the only source of randomness.

    `monotonic` counts seconds from an arbitrary start and never goes back; `utc` gives seconds
    since 1970 and may be stepped; `random` decides jitter, ids and everything drawn by lot.
    """

    monotonic: Callable[[], float]
    utc: Callable[[], float]
    random: Random

    def new_id(self, prefix: str) -> str:
        """Return an id that is unique in practice, such as `dial_5f3a…` (16 hex digits)."""
        return f"{prefix}_{self.random.getrandbits(64):016x}"

    def apart(self, name: str) -> "Clock":
        """Return a clock of the same time with lots of its own: who draws them changes nobody's.

        They follow from the name and from what this clock would draw next; it draws nothing.
        """
        _, state, _ = self.random.getstate()
        return Clock(self.monotonic, self.utc, Random(f"{name}/{hash(state)}"))


def system_clock() -> Clock:
    """Return the clock of a real run on a standard loop."""
    seed = int.from_bytes(os.urandom(16), "big")
    # The standard loops read this very function; asking it directly saves a call per reading.
    return Clock(time.monotonic, time.time, Random(seed))


def utc_text(utc_s: float) -> str:
    """Return an instant as ISO 8601 in UTC with milliseconds: `2026-01-05T09:00:00.000Z`."""
    minute, rest_s = divmod(utc_s, 60)
    second = int(rest_s)
    microseconds = round((rest_s - second) * 1_000_000)
    if microseconds == 1_000_000:  # noqa: PLR2004 — rounded up to the next second.
        return utc_text(math.ceil(utc_s))
    return f"{_minute_text(minute)}:{second:02d}.{microseconds // 1000:03d}Z"


def utc_text_or_none(utc_s: float | None) -> str | None:
    """Return an instant as `utc_text` does; None stands for one that has not come."""
    return None if utc_s is None else utc_text(utc_s)


@lru_cache(maxsize=64)
def _minute_text(minute: float) -> str:
    """Return a minute since 1970 as text; the lines of a log share theirs with their neighbors."""
    return datetime.fromtimestamp(minute * 60, UTC).isoformat(timespec="minutes")[:16]
