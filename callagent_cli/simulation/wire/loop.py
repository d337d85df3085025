"""A real event loop whose time runs faster, so that worker and providers age together.

Every timer of the process shrinks alike: retries, breakers, timeouts of the client, the length of
a phone call. What is not on the loop (the kernel, the disk, the processor) does not, which is why
the lag of the loop has to be measured.
"""

import asyncio
import selectors
from collections.abc import Callable, Mapping
from typing import Any, Final

SPEED_MAX: Final = 20.0
"""Above this, timers grow so short that the lag of an ordinary machine makes false timeouts."""

_BEAT_S: Final = 0.025
"""How often, in real seconds, the loop's lag is measured."""

_SHARE_WITHIN: Final = 0.99

_HICCUP_WEIGHT: Final = 0.2
"""What one late beat counts for in the verdict: it spoils a world at five times the usual lag."""


Beat = Callable[[float], None]
"""Takes the second of the world, about forty times a second of whoever waits."""


class _ScaledSelector(selectors.BaseSelector):
    """A selector that waits a fraction of the time it is asked to."""

    def __init__(self, speed: float) -> None:
        self._real = selectors.DefaultSelector()
        self._speed = speed

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:  # noqa: ANN401 — as `BaseSelector`.
        """Watch a file."""
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:  # noqa: ANN401 — as `BaseSelector`.
        """Watch a file no more."""
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:  # noqa: ANN401 — as `BaseSelector`.
        """Change what a file is watched for."""
        return self._real.modify(fileobj, events, data)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for files for at most `timeout` seconds of the world."""
        return self._real.select(None if timeout is None else timeout / self._speed)

    def close(self) -> None:
        """Release everything."""
        self._real.close()

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        """Return the files that are watched."""
        return self._real.get_map()


class ScaledLoop(asyncio.SelectorEventLoop):
    """A loop whose `time` begins at 0 and passes `speed` times as fast as the world's."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._start_s: float | None = None
        super().__init__(_ScaledSelector(speed))

    def time(self) -> float:
        """Return the seconds of the world."""
        real_s = super().time()
        if self._start_s is None:
            self._start_s = real_s
        return (real_s - self._start_s) * self._speed


class Fidelity:
    """Measures how late a loop runs, in seconds of the world."""

    def __init__(self, speed: float) -> None:
        self._beat_s = _BEAT_S * speed
        self._lags_s: list[float] = []

    async def measure(self, beat: Beat | None = None) -> None:
        """Beat until cancelled, and tell whoever wants to know."""
        loop = asyncio.get_running_loop()
        while True:
            due_s = loop.time() + self._beat_s
            await asyncio.sleep(self._beat_s)
            self._lags_s.append(max(0.0, loop.time() - due_s))
            if beat is not None:
                beat(loop.time())

    @property
    def usual_s(self) -> float:
        """The lag that 99 of 100 beats did not exceed."""
        if not self._lags_s:
            return 0.0
        return sorted(self._lags_s)[int((len(self._lags_s) - 1) * _SHARE_WITHIN)]

    @property
    def judged_s(self) -> float:
        """The lag that a verdict goes by: the usual one, or a fifth of the worst if that is more.

        Half of the smallest timeout at once can make a false timeout of a slow answer, just as a
        tenth of it all the time can.
        """
        return max(self.usual_s, _HICCUP_WEIGHT * self.worst_s)

    @property
    def slack_s(self) -> float:
        """How far apart two things may be found that happened at once.

        A stretch without the processor that falls between two beats is seen by neither of them.
        """
        return self.worst_s + self._beat_s

    @property
    def worst_s(self) -> float:
        """The longest lag."""
        return max(self._lags_s, default=0.0)
