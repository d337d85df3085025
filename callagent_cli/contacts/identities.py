"""Who stands in the file already: exact, and compact enough for millions of people."""

from array import array
from typing import Final

_FIRST_SLOTS: Final = 1 << 12
_SPREAD: Final = 0x9E3779B97F4A7C15
_WORD: Final = (1 << 64) - 1


class Identities:
    """Remembers the line on which each (number, extension) was accepted first.

    Both are kept as integers in an open-addressing table, at most two thirds full: 12 bytes a slot,
    and 8 more from the first extension on. A million people take about 25 MB, or 40 MB, where a
    `dict` takes over 100 MB. Numbers have at most 15 digits, extensions at most 18.
    """

    def __init__(self) -> None:
        self._keys = array("Q", bytes(8 * _FIRST_SLOTS))
        self._lines = array("I", [0]) * _FIRST_SLOTS
        self._extensions: array[int] | None = None
        self._bits = _FIRST_SLOTS.bit_length() - 1
        self._used = 0

    def __len__(self) -> int:
        return self._used

    def add(self, number: str, extension: str, line: int) -> int:
        """Return the line of the same person before, or 0 and remember `line` (from 1)."""
        key, second = int(number), 0
        if extension:
            second = _whole(extension)
            if self._extensions is None:
                self._extensions = array("Q", bytes(8 * len(self._keys)))
        slot = self._slot(key, second)
        if self._keys[slot]:
            return self._lines[slot]
        self._put(slot, key, second, line)
        self._used += 1
        if self._used * 3 > len(self._keys) * 2:
            self._grow()
        return 0

    def knows(self, number: str, extension: str) -> bool:
        """Say whether this person was added."""
        second = _whole(extension) if extension else 0
        if not self._used or (second and self._extensions is None):
            return False
        return self._keys[self._slot(int(number), second)] != 0

    def line_of(self, number: str) -> int:
        """Return the line that a number without an extension was added with, 0 for none."""
        return self._lines[self._slot(int(number), 0)] if self._used else 0

    def _slot(self, key: int, second: int) -> int:
        """Return where an identity stands, or the empty slot where it belongs."""
        keys, extensions = self._keys, self._extensions
        last = len(keys) - 1
        # Fibonacci hashing (Knuth, The Art of Computer Programming, 6.4).
        slot = ((key + second) * _SPREAD & _WORD) >> (64 - self._bits)
        while keys[slot] and (
            keys[slot] != key or (extensions is not None and extensions[slot] != second)
        ):
            slot = (slot + 1) & last
        return slot

    def _put(self, slot: int, key: int, second: int, line: int) -> None:
        self._keys[slot] = key
        self._lines[slot] = line
        if self._extensions is not None:
            self._extensions[slot] = second

    def _grow(self) -> None:
        keys, lines, extensions = self._keys, self._lines, self._extensions
        slots = 2 * len(keys)
        self._keys = array("Q", bytes(8 * slots))
        self._lines = array("I", [0]) * slots
        if extensions is not None:
            self._extensions = array("Q", bytes(8 * slots))
        self._bits += 1
        for old, key in enumerate(keys):
            if key:
                second = 0 if extensions is None else extensions[old]
                self._put(self._slot(key, second), key, second, lines[old])


def _whole(extension: str) -> int:
    """Return an extension as a number that keeps its leading zeros, and is never 0."""
    return int(f"1{extension}")
