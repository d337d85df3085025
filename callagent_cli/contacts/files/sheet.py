"""The cells of one worksheet as text, straight from its XML.

openpyxl builds a tree and several objects for each cell and holds all texts in memory; both take
several times as much as all the rest of an import. Element and attribute names are those of
ECMA-376, part 1, 18.3.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from functools import lru_cache
from typing import BinaryIO, Final, Protocol

from callagent_cli.contacts.files.strings import TEXT_MAX, unescaped
from callagent_cli.contacts.files.xml import DEPTH_MAX, feed, names_beside, parser_of

_ROWS_MAX: Final = 1_048_576
_COLUMNS_MAX: Final = 16_384
_LETTERS_MAX: Final = 3
_ROW_TEXT_MAX: Final = 4 * TEXT_MAX
_EXACT_BELOW: Final = 1e15
_REBUILT_BELOW: Final = 1e6
"""Of larger whole numbers every digit must be written: they may be somebody's phone number."""

_WHOLE: Final = re.compile(r"-?\d+(?:\.0*)?|-?\d(?:\.(?P<digits>\d*))?[eE]\+?(?P<exponent>\d{1,3})")
UNCOMPUTED: Final = "=formula"
"""What stands for a formula without a stored value: a formula, and no answer to anything."""

SheetRow = tuple[int, list[str]]
"""The number of a row and its cells, those at the end that are not stored left out."""


class Texts(Protocol):
    """The shared texts of a workbook."""

    def __getitem__(self, number: int, /) -> str:
        """Return a text by its number."""


class SheetReader:
    """Turns one worksheet's XML into rows; raises `ValueError` or expat's error when damaged.

    `strings` are the workbook's shared texts; `as_date` gives the date of a number under one of
    the styles in `date_styles`, or raises `ValueError` or `OverflowError`.
    """

    def __init__(
        self,
        strings: Texts,
        date_styles: frozenset[int],
        as_date: Callable[[float, int], object],
    ) -> None:
        self._strings = strings
        self._date_styles = date_styles
        self._as_date = as_date
        self._ready: list[SheetRow] = []
        self._row = self._cell = self._phonetic = self._formula = ""
        self._texts: frozenset[str] = frozenset()
        self._depth = 0
        self._silent = 0
        self._number = 0
        self._cells: list[str] = []
        self._row_text = 0
        self._attributes: dict[str, str] = {}
        self._column = 0
        self._text = ""
        self._computed = False
        self._parser = parser_of()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def rows(self, file: BinaryIO) -> Iterator[SheetRow]:
        """Yield the rows that are stored, in their order."""
        for _ in feed(self._parser, file):
            ready, self._ready = self._ready, []
            yield from ready

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if name == self._cell:
            self._attributes = attributes
            self._text = ""
            self._computed = False
        elif name in self._texts:
            if not self._silent:
                self._parser.CharacterDataHandler = self._characters
        elif name == self._row:
            self._begin_row(attributes.get("r"))
        else:
            self._start_other(name)
        if self._depth > DEPTH_MAX:
            raise ValueError("elements are nested too deep")

    def _start_other(self, name: str) -> None:
        if name == self._formula:
            self._computed = True
        elif name == self._phonetic:
            # How a text is pronounced stands beside it, in elements of the same name.
            self._silent += 1
        elif self._depth == 1:
            names = names_beside(name, "row", "c", "v", "t", "rPh", "f")
            self._row, self._cell, result, run, self._phonetic, self._formula = names
            self._texts = frozenset({result, run})

    def _begin_row(self, stated: str | None) -> None:
        number = self._number + 1 if stated is None else int(float(stated))
        if not self._number < number <= _ROWS_MAX:
            raise ValueError(f"row {stated} after row {self._number}")
        self._number = number
        self._column = 0
        self._cells = []
        self._row_text = 0

    def _characters(self, text: str) -> None:
        if len(self._text) < TEXT_MAX:
            self._text += text

    def _end(self, name: str) -> None:
        self._depth -= 1
        if name in self._texts:
            self._parser.CharacterDataHandler = None
        elif name == self._cell:
            self._end_cell()
        elif name == self._row:
            self._ready.append((self._number, self._cells))
        elif name == self._phonetic:
            self._silent -= 1

    def _end_cell(self) -> None:
        stated = self._attributes.get("r")
        column = self._column if stated is None else column_of(stated.rstrip("0123456789"))
        if not self._column <= column < _COLUMNS_MAX:
            raise ValueError(f"cell {stated} after column {self._column}")
        cells = self._cells
        cells.extend([""] * (column - len(cells)))
        value = self._value() if self._text and self._row_text <= _ROW_TEXT_MAX else ""
        if self._computed and not self._text and self._attributes.get("t") != "str":
            value = UNCOMPUTED  # An empty text is a stored value, of the type `str`.
        cells.append(value)
        self._row_text += len(value)
        self._column = column + 1

    def _value(self) -> str:
        """Return what the cell shows; its type and its style say how the text is meant."""
        text = self._text
        kind = self._attributes.get("t", "n")
        if kind == "s":
            return self._strings[int(text)]
        if kind == "n":
            return self._number_text(text)
        if kind == "b":
            return as_text(bool(int(text)))
        if kind == "d":
            return as_text(datetime.fromisoformat(text))
        return unescaped(text)

    def _number_text(self, text: str) -> str:
        style = int(self._attributes.get("s", "0"))
        if style in self._date_styles:
            try:
                return as_text(self._as_date(float(text), style))
            except (OverflowError, ValueError):
                return "#VALUE!"
        if text.isdigit():
            return text
        number = float(text)
        kept = number.is_integer() and abs(number) >= _REBUILT_BELOW and not _spells_all(text)
        return text if kept else as_text(number)


def _spells_all(text: str) -> bool:
    """Say whether the text of a whole number has all its digits, in spite of an exponent."""
    found = _WHOLE.fullmatch(text)
    if found is None:
        return False
    return found["exponent"] is None or len(found["digits"] or "") >= int(found["exponent"])


@lru_cache(maxsize=_COLUMNS_MAX)
def column_of(letters: str) -> int:
    """Return the index of a column: A is 0, AA is 26."""
    if not (letters.isalpha() and letters.isascii() and len(letters) <= _LETTERS_MAX):
        raise ValueError(f"no column {letters!r}")
    column = 0
    for letter in letters.upper():
        column = column * 26 + ord(letter) - ord("A") + 1
    return column - 1


def as_text(value: object) -> str:
    """Return a cell's value as its text would stand in a CSV file.

    Whole numbers lose their `.0`; one beyond 15 digits has lost digits and stays as it is.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT_BELOW:
        return str(int(value))
    if isinstance(value, (date, datetime, time)):
        return value.isoformat()
    return str(value)
