"""Bytes that are written first and read later: in memory while they are few, else on disk."""

import weakref
from collections.abc import Iterator
from io import BytesIO
from tempfile import TemporaryFile
from typing import BinaryIO, Final

MEMORY_BYTES: Final = 4_000_000
_PIECE_BYTES: Final = 65_536


class Spool:
    """Grows at its end, and is read from its beginning as often as one likes, until it is closed.

    What does not fit into 4 MB goes to a temporary file without a name, which is gone when this is.
    """

    def __init__(self) -> None:
        self._file: BinaryIO = BytesIO()
        self._size = 0
        self._in_memory = True

    def write(self, body: bytes) -> None:
        """Add bytes at the end; raises `OSError` when the disk refuses them."""
        self._file.seek(self._size)
        self._file.write(body)
        self._size += len(body)
        if self._in_memory and self._size > MEMORY_BYTES:
            self._move()

    def pieces(self) -> Iterator[bytes]:
        """Yield everything from the beginning; several readers may take turns."""
        position = 0
        while position < self._size:
            self._file.seek(position)
            piece = self._file.read(_PIECE_BYTES)
            position += len(piece)
            yield piece

    def close(self) -> None:
        """Forget everything."""
        self._file.close()
        self._size = 0

    def _move(self) -> None:
        file = TemporaryFile()  # noqa: SIM115 — closed with this object.
        weakref.finalize(self, file.close)
        for piece in self.pieces():
            file.write(piece)
        self._file, self._in_memory = file, False
