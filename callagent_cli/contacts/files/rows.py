"""Rows of a delimited text file, streamed: dialect, quoting, and the line each row began on."""

import csv
from collections.abc import Generator, Iterator
from typing import Final, NamedTuple, TextIO

from callagent_cli.contacts.files.source import Source
from callagent_cli.errors import ContactsError

DELIMITERS: Final = ",;\t|"
ONE_COLUMN: Final = "\x1f"
"""The delimiter of a file that has none: a control character that nobody types."""

_CELL_LIMIT: Final = 4_000_000
_SAMPLE: Final = 1 << 16
_SAMPLE_ROWS: Final = 25


class Row(NamedTuple):
    """The cells of one row and the line it began on; `fault` is a code when it is malformed.

    Its only cell is the line as it stands then, and `guess` what its cells may be, if anything.
    """

    line: int
    cells: list[str]
    fault: str = ""
    guess: tuple[str, ...] = ()


def split_rows(
    source: Source, delimiter: str, *, skip_lines: int = 0
) -> Generator[Row, None, None]:
    """Yield every row after `skip_lines` lines; raises `ContactsError` on an unclosed quote.

    A stray quote costs one row (fault `quotes`) when it is certain where that row ends, and so
    does an endless cell (fault `cell_too_large`). The csv module's limit of a cell, which is
    global, is raised to 4,000,000 characters.
    """
    csv.field_size_limit(max(csv.field_size_limit(), _CELL_LIMIT))
    with source.open() as file:
        for _ in range(skip_lines):
            file.readline()
        yield from _Splitter(file, delimiter, source.label, skip_lines).rows()


class _Splitter:
    """Feeds lines to the csv module and knows on which line an open quote began.

    When the reader asks for one more line of a row, a quote is open at the end of the last one.
    """

    def __init__(self, file: TextIO, delimiter: str, label: str, line: int) -> None:
        self._file = file
        self._delimiter = delimiter
        self._label = label
        self._line = line
        self._text = ""
        self._row_begins = True
        self._opened_on = 0
        self._ended = False

    def rows(self) -> Iterator[Row]:
        reader = csv.reader(
            self._lines(), delimiter=self._delimiter, strict=True, skipinitialspace=True
        )
        while True:
            self._row_begins = True
            line = self._line + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield self._malformed(line, error)
            else:
                yield Row(line, cells)

    def _lines(self) -> Iterator[str]:
        for text in self._file:
            if not self._row_begins:
                self._note_open_quote()
            self._opened_on = self._line + 1 if self._row_begins else self._opened_on
            self._row_begins = False
            self._line += 1
            self._text = text
            yield text
        if not self._row_begins:
            self._note_open_quote()
        self._ended = True

    def _note_open_quote(self) -> None:
        """Notice where a line closed the open cell and opened another.

        A quote that is left when the doubled ones are gone did that.
        """
        if self._line > self._opened_on and '"' in self._text.replace('""', ""):
            self._opened_on = self._line

    def _malformed(self, line: int, error: csv.Error) -> Row:
        certain = self._line == line and self._text.count('"') % 2 == 0
        endless = "field limit" in str(error)
        if endless and certain:
            return Row(line, [self._text.rstrip("\r\n")], "cell_too_large")
        if self._ended or endless:
            message = f"{self._label}: the quote opened on line {self._opened_on} is never closed"
            raise ContactsError(message, hint="nothing was imported; close the quote") from error
        if not certain:
            message = (
                f"{self._label}: a quote ends within a cell on line {self._line} "
                f"(it was opened on line {self._opened_on})"
            )
            raise ContactsError(message, hint='double a quote inside a cell: ""') from error
        return Row(line, [self._text.rstrip("\r\n")], "quotes", self._guess())

    def _guess(self) -> tuple[str, ...]:
        """Return the cells of a line with a stray quote as most programs would read them."""
        lenient = csv.reader([self._text], delimiter=self._delimiter, skipinitialspace=True)
        try:
            return tuple(next(lenient, ()))
        except csv.Error:  # A cell without an end stands behind the quote.
            return ()


class Dialect(NamedTuple):
    """How a text file separates its cells; `skip_lines` counts a `sep=` line before the header."""

    delimiter: str
    skip_lines: int = 0


def candidates(source: Source) -> list[tuple[Dialect, list[str]]]:
    """Return the dialects a file can be in with the header each gives, the likeliest first.

    What a `sep=` line says comes first. A delimiter is one that splits the header; the more of
    the first rows have as many cells as the header, the likelier. Without a `sep=` line the last
    resort is a single column. (`csv.Sniffer` guesses worse, in quadratic time on quoted notes.)
    """
    csv.field_size_limit(max(csv.field_size_limit(), _CELL_LIMIT))
    with source.open() as file:
        sample = file.read(_SAMPLE)
    named = _named_delimiter(sample)
    skip = 0 if named is None else named.skip_lines
    ranked = []
    for delimiter in DELIMITERS:
        rows = _sample_rows(sample, delimiter)[skip:]
        if rows and len(rows[0]) > 1:
            width = len(rows[0])
            share = sum(len(row) == width for row in rows) / len(rows)
            ranked.append((share, width, Dialect(delimiter, skip), rows[0]))
    ranked.sort(key=lambda choice: choice[:2], reverse=True)
    found = [(dialect, header) for _, _, dialect, header in ranked]
    last = Dialect(ONE_COLUMN) if named is None else named
    rows = _sample_rows(sample, last.delimiter)[skip:]
    single = (last, rows[0] if rows else [])
    return [*found, single] if named is None else [single, *found]


def _named_delimiter(sample: str) -> Dialect | None:
    first = sample.partition("\n")[0].partition("\r")[0].strip("\"' ")
    name, _, delimiter = first.partition("=")
    usable = len(delimiter) == 1 and delimiter not in "\"'" and not delimiter.isalnum()
    return Dialect(delimiter, 1) if name.lower() == "sep" and usable else None


def _sample_rows(sample: str, delimiter: str) -> list[list[str]]:
    """Split the first rows leniently; one that the sample cuts off is left out."""
    lines = _physical_lines(sample)
    if len(sample) == _SAMPLE and len(lines) > 1:
        lines.pop()
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    rows: list[list[str]] = []
    for row in reader:
        if any(cell.strip() for cell in row):
            rows.append(row)
        if len(rows) == _SAMPLE_ROWS:
            break
    return rows


def _physical_lines(text: str) -> list[str]:
    """Split at LF, CR and CRLF only: `str.splitlines` knows more line ends than CSV does."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    return [line + "\n" for line in unified.split("\n")]
