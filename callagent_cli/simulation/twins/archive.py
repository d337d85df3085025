"""What a twin must still know of thousands of calls, in the memory of a few."""

import zlib
from array import array
from collections.abc import Iterator, Sequence
from typing import Final, Generic, TypeVar, overload

import msgspec

T = TypeVar("T", bound=msgspec.Struct)

FRESH: Final = 512
"""So many of the latest values are kept as they are: those are asked for again and again."""

PACK: Final = 128
_NOTHING_OPEN: Final = -1
_NOBODY: Final = -1
_SLOTS_MIN: Final = 64

_encode = msgspec.json.Encoder().encode


class Archive(Sequence[T], Generic[T]):
    """Values in the order they were added; all but the latest are compressed, many together."""

    def __init__(self, kind: type[T]) -> None:
        self._decode = msgspec.json.Decoder(kind).decode
        self._packs: list[bytes] = []
        self._fresh: list[T] = []
        self._open_number = _NOTHING_OPEN
        self._open: list[bytes] = []

    def append(self, value: T) -> int:
        """Add a value; return its position."""
        self._fresh.append(value)
        if len(self._fresh) == FRESH + PACK:
            text = b"\n".join(_encode(each) for each in self._fresh[:PACK])
            self._packs.append(zlib.compress(text))
            del self._fresh[:PACK]
        return len(self) - 1

    def __len__(self) -> int:
        return len(self._packs) * PACK + len(self._fresh)

    @overload
    def __getitem__(self, position: int) -> T: ...

    @overload
    def __getitem__(self, position: slice) -> list[T]: ...

    def __getitem__(self, position: int | slice) -> T | list[T]:
        if isinstance(position, slice):
            return [self[each] for each in range(*position.indices(len(self)))]
        packed, fresh = len(self._packs) * PACK, self._fresh
        size = packed + len(fresh)
        if not -size <= position < size:
            raise IndexError(position)
        position %= size
        if position >= packed:
            return fresh[position - packed]
        number, place = divmod(position, PACK)
        return self._decode(self._opened(number)[place])

    def __iter__(self) -> Iterator[T]:
        for position in range(len(self)):
            yield self[position]

    def _opened(self, number: int) -> list[bytes]:
        if number != self._open_number:
            self._open = zlib.decompress(self._packs[number]).split(b"\n")
            self._open_number = number
        return self._open


class Positions:
    """Finds the positions of a text in a list of texts, and keeps only their hashes.

    An open hash table: a slot holds the last position of a hash, and each position leads to the
    one before it. Two texts may share a hash, so whoever asks compares what stands there.
    """

    def __init__(self) -> None:
        self._hashes = array("q")
        self._before = array("i")
        self._slots = array("i", [_NOBODY]) * _SLOTS_MIN

    def append(self, text: str) -> None:
        """Add the text of the next position."""
        if len(self._hashes) * 2 >= len(self._slots):
            self._grow()
        key = hash(text)
        slot = self._slot(key)
        self._before.append(self._slots[slot])
        self._slots[slot] = len(self._hashes)
        self._hashes.append(key)

    def latest_first(self, text: str) -> list[int]:
        """Return where the text stands, and maybe some others of the same hash."""
        found: list[int] = []
        position = self._slots[self._slot(hash(text))]
        while position != _NOBODY:
            found.append(position)
            position = self._before[position]
        return found

    def _slot(self, key: int) -> int:
        """Return the slot of a hash, or the free one where it belongs."""
        slots, hashes = self._slots, self._hashes
        last = len(slots) - 1
        slot = key & last
        while slots[slot] != _NOBODY and hashes[slots[slot]] != key:
            slot = (slot + 1) & last
        return slot

    def _grow(self) -> None:
        self._slots = array("i", [_NOBODY]) * (2 * len(self._slots))
        for position, key in enumerate(self._hashes):
            self._slots[self._slot(key)] = position
