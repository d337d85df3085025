"""Says how far many worlds are, when they take longer than 2 s."""

import time
from typing import Final

from callagent_cli.cli.simulate.labels import labeled
from callagent_cli.cli.text import diagnostics

_TELL_EVERY_S: Final = 2.0


class Meter:
    """Counts worlds, and tells on standard error how many there are of how many.

    `unit` is what there is one of for each world, such as `seeds`. To be told while a long world
    lets none be ready, call `tell` now and then.
    """

    def __init__(self, name: str, count: int, unit: str) -> None:
        self._name, self._count, self._unit = name, count, unit
        self._done = self._broken = 0
        self._told_s = time.monotonic()

    def take(self, *, broken: bool) -> None:
        """Count a world."""
        self._done += 1
        self._broken += broken
        self.tell()

    def tell(self) -> None:
        """Tell, if it is time."""
        if time.monotonic() - self._told_s >= _TELL_EVERY_S:
            self._told_s = time.monotonic()
            text = f"{self._name}: {self._done} of {self._count} {self._unit}"
            diagnostics.note(labeled(f"{text}, {self._broken} broken" if self._broken else text))
