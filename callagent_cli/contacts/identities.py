"""Who stands in the file already: exact, and compact enough for millions of people."""

from array import array
from typing import Final

_FIRST_SLOTS: Final = 1 << 12
_SPREAD: Final = 0x9E3779B97F4A7C15
_WORD: Final = (1 << 64) - 1


class Identities:
    """Remembers the line on which each (number, extension) was accepted first.

    Numbers are kept as integers in an open-addressing table of 12 bytes a slot, at most two
    thirds full: about 25 MB for a million people, where a `dict` takes over 100 MB. The few with
    an extension live in an ordinary dictionary.
    """

    def __init__(self) -> None:
        self._keys = array("Q", bytes(8 * _FIRST_SLOTS))
        self._lines = array("I", [0]) * _FIRST_SLOTS
        self._bits = _FIRST_SLOTS.bit_length() - 1
        self._used = 0
        self._with_extension: dict[tuple[str, str], int] = {}

    def __len__(self) -> int:
        return self._used + len(self._with_extension)

    def add(self, number: str, extension: str, line: int) -> int:
        """Return the line of the same person before, or 0 and remember `line` (from 1)."""
        if extension:
            known = self._with_extension.setdefault((number, extension), line)
            return 0 if known == line else known
        key = int(number)
        slot = self._slot(key)
        if self._keys[slot]:
            return self._lines[slot]
        self._keys[slot] = key
        self._lines[slot] = line
        self._used += 1
        if self._used * 3 > len(self._keys) * 2:
            self._grow()
        return 0

    def line_of(self, number: str) -> int:
        """Return the line that a number without an extension was added with, 0 for none."""
        return self._lines[self._slot(int(number))] if self._used else 0

    def _slot(self, key: int) -> int:
        keys = self._keys
        last = len(keys) - 1
        slot = (key * _SPREAD & _WORD) >> (64 - self._bits)  # Fibonacci hashing (Knuth, 6.4).
        while keys[slot] and keys[slot] != key:
            slot = (slot + 1) & last
        return slot

    def _grow(self) -> None:
        old_keys, old_lines = self._keys, self._lines
        slots = 2 * len(old_keys)
        self._keys = array("Q", bytes(8 * slots))
        self._lines = array("I", [0]) * slots
        self._bits += 1
        for key, line in zip(old_keys, old_lines, strict=True):
            if key:
                slot = self._slot(key)
                self._keys[slot] = key
                self._lines[slot] = line
