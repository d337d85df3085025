"""The shared texts of a workbook, kept in a file: there may be millions of them.

Element names are those of ECMA-376, part 1, 18.4.
"""

import re
import tempfile
from array import array
from collections.abc import Callable
from typing import BinaryIO, Final

from callagent_cli.contacts.files.xml import DEPTH_MAX, feed, names_beside, parser_of

TEXT_MAX: Final = 300_000
"""Characters kept of one text: more than a row may have, so that the row is still too large."""

_BUFFER: Final = 1 << 18
_WINDOW: Final = 1 << 14
_BYTES_MAX: Final = (1 << 32) - 1
_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_NUMBER: Final = re.compile(r"\d\D{0,4}\d\D{0,4}\d")
_WORD: Final = re.compile(r"[^\W\d_]{3}")
"""No remark about a number is shorter, and no number to call has fewer than three digits."""

_SURROGATES: Final = range(0xD800, 0xE000)


def unescaped(text: str) -> str:
    """Return a text with its `_x000D_` as the characters they stand for (ECMA-376, ST_Xstring)."""
    return _ESCAPED.sub(_character, text) if "_x" in text else text


def _character(found: re.Match[str]) -> str:
    code = int(found[1], 16)
    return found[0] if code in _SURROGATES else chr(code)


class SharedStrings:
    """Texts by their number, in a temporary file that nobody else can open.

    In memory are 4 bytes for each text and one window of the file: a sheet names its texts mostly
    in the order in which they are stored. `remarks` says of a text with a number and words in it
    whether the words are a remark about the number, `has_remarks` whether those of any text are.
    """

    def __init__(self, remarks: Callable[[str], object] = bool) -> None:
        self._remarks = remarks
        self.has_remarks = False
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 — `close` closes it.
        self._ends = array("I", [0])
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._written = 0
        self._window = b""
        self._window_at = 0

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> str:
        """Return a text; raises `IndexError` when there is none of this number."""
        if not 0 <= number < len(self._ends) - 1:
            raise IndexError(f"no text {number}")
        start, end = self._ends[number], self._ends[number + 1]
        at = self._window_at
        if start < at or end > at + len(self._window):
            self._load(start, end)
            at = start
        return self._window[start - at : end - at].decode()

    def add(self, text: str) -> None:
        """Append a text; raises `ValueError` when all of them together are too large."""
        if not self.has_remarks and _WORD.search(text) and _NUMBER.search(text):
            self.has_remarks = bool(self._remarks(text))
        data = text.encode()
        end = self._ends[-1] + len(data)
        if end > _BYTES_MAX:
            raise ValueError("more than 4 GB of text")
        self._ends.append(end)
        self._pending.append(data)
        self._pending_bytes += len(data)
        if self._pending_bytes >= _BUFFER:
            self._flush()

    def close(self) -> None:
        """Remove the file."""
        self._file.close()

    def _flush(self) -> None:
        rest = memoryview(b"".join(self._pending))
        self._file.seek(self._written)
        while rest:
            count = self._file.write(rest) or 0
            self._written += count
            rest = rest[count:]
        self._pending.clear()
        self._pending_bytes = 0

    def _load(self, start: int, end: int) -> None:
        if self._pending:
            self._flush()
        self._file.seek(start)
        self._window = self._file.read(max(_WINDOW, end - start)) or b""
        self._window_at = start


class _StringsReader:
    """Adds each `si` of the part to the texts, without how a text is pronounced."""

    def __init__(self, strings: SharedStrings) -> None:
        self._strings = strings
        self._parser = parser_of()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._item = self._run = self._phonetic = ""
        self._text = ""
        self._depth = 0
        self._silent = 0

    def read(self, file: BinaryIO, tell: Callable[[int], None] | None) -> None:
        for _ in feed(self._parser, file):
            if tell is not None:
                tell(len(self._strings))

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        self._depth += 1
        if name == self._run:
            if not self._silent:
                self._parser.CharacterDataHandler = self._characters
        elif name == self._item:
            self._text = ""
        elif name == self._phonetic:
            self._silent += 1
        elif self._depth == 1:
            self._item, self._run, self._phonetic = names_beside(name, "si", "t", "rPh")
        if self._depth > DEPTH_MAX:
            raise ValueError("elements are nested too deep")

    def _characters(self, text: str) -> None:
        if len(self._text) < TEXT_MAX:
            self._text += text

    def _end(self, name: str) -> None:
        self._depth -= 1
        if name == self._run:
            self._parser.CharacterDataHandler = None
        elif name == self._item:
            self._strings.add(unescaped(self._text))
        elif name == self._phonetic:
            self._silent -= 1


def read_strings(
    file: BinaryIO, strings: SharedStrings, tell: Callable[[int], None] | None = None
) -> None:
    """Add the texts of the part `sharedStrings.xml`, telling now and then how many there are.

    Raises `ValueError` or expat's error.
    """
    _StringsReader(strings).read(file, tell)
