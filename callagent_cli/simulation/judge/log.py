"""The log of a world as it is written: counted, fingerprinted and searched, but not kept."""

import hashlib
from collections.abc import Callable, Iterable
from typing import Final

_BATCH_LINES: Final = 128
_BEGINNING: Final = 8
_SHAPE: Final = bytes(ord("0") if 48 <= code <= 57 else ord(" ") for code in range(256))  # noqa: PLR2004 — the codes of 0 and 9.
"""Turns every digit into 0 and everything else into a blank: long numbers are found as zeros."""

_NOTHING: Final = b"0"


class Log:
    """Takes the lines of all runs of a world, as the sink of their journals.

    `secrets` are texts that no line may show. Nothing is kept but the line where the first one
    was found.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self.dropped = 0
        self.leak = ""
        self.leak_line = 0
        self._secrets = [text.encode() for text in secrets if text]
        # The keys of one world begin alike: one look finds out that none of them is there.
        self._beginnings = {secret[:_BEGINNING] for secret in self._secrets}
        self._numbers: set[bytes] = set()
        self._lengths: set[int] = set()
        self._zeros = _NOTHING
        self._hash = hashlib.sha256()
        self._batch: list[bytes] = []
        self._lines = 0
        self._copies: list[Callable[[bytes], object]] = []

    def forbid_number(self, number: str) -> None:
        """Forbid a phone number, as E.164 and as its digits only."""
        digits = number.lstrip("+").encode()
        self._numbers.add(digits)
        if len(digits) not in self._lengths:
            self._lengths.add(len(digits))
            self._zeros = b"0" * min(self._lengths)

    def copy_to(self, take: Callable[[bytes], object]) -> None:
        """Hand everything that is written from now on to someone else too, many lines at once."""
        self._copies.append(take)

    def write(self, line: bytes) -> None:
        """Take one line, which ends in a line feed."""
        self._batch.append(line)
        if len(self._batch) >= _BATCH_LINES:
            self.settle()

    def close(self, timeout_s: float) -> None:
        """Stay open: the next run of the world writes here too."""

    def settle(self) -> None:
        """Look at the lines that were gathered."""
        text = b"".join(self._batch)
        self._hash.update(text)
        if not self.leak:
            self._search(text)
        self._lines += len(self._batch)
        self._batch = []
        for take in self._copies:
            take(text)

    @property
    def lines(self) -> int:
        """How many lines there are."""
        return self._lines + len(self._batch)

    @property
    def sha256(self) -> str:
        """The fingerprint by which two runs of one seed are compared, byte for byte."""
        self.settle()
        return self._hash.hexdigest()

    def _search(self, text: bytes) -> None:
        found: list[tuple[int, int]] = []
        if any(beginning in text for beginning in self._beginnings):
            found += [(text.find(each), len(each)) for each in self._secrets if each in text]
        if self._numbers:
            found += self._numbers_in(text)
        if found:
            at, length = min(found)
            self.leak = f"a secret or full number of {length} characters"
            self.leak_line = self._lines + text.count(b"\n", 0, at) + 1

    def _numbers_in(self, text: bytes) -> Iterable[tuple[int, int]]:
        """Yield where the numbers stand, and how long they are."""
        shape = text.translate(_SHAPE)
        start = shape.find(self._zeros)
        while start >= 0:
            end = shape.find(b" ", start)
            digits = text[start : end if end >= 0 else len(text)]
            for length in self._lengths:
                for skipped in range(len(digits) - length + 1):
                    if digits[skipped : skipped + length] in self._numbers:
                        at = start + skipped
                        plus = text[at - 1 : at] == b"+"
                        yield at - plus, length + plus
            start = shape.find(self._zeros, start + len(digits))
