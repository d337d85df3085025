"""Rows of an Excel workbook, streamed through openpyxl (the extra `xlsx`)."""

import importlib
import warnings
import zipfile
import zlib
from collections.abc import Generator, Iterator
from types import ModuleType
from typing import Any, Final
from xml.parsers.expat import ExpatError

from callagent_cli.contacts.files.rows import Row
from callagent_cli.contacts.files.sheet import SheetReader, SheetRow
from callagent_cli.contacts.files.source import Source
from callagent_cli.errors import ContactsError

_DAMAGE: Final = (
    ArithmeticError,
    AttributeError,
    EOFError,
    ExpatError,
    LookupError,
    NotImplementedError,
    OSError,
    RecursionError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What openpyxl and what it stands on raise over a damaged workbook; it has no error of its own
for that. (`SyntaxError` is the base of the XML parser's `ParseError`.)"""


class Book:
    """An open workbook; its first sheet can be read again and again. Raises `ContactsError`.

    The file is ours, for openpyxl leaves that of a damaged one open.
    """

    def __init__(self, source: Source) -> None:
        library = _library(source)
        self._source = source
        self._file = source.open_bytes()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # About styles and validations: nobody reads them.
                self._book = library.load_workbook(self._file, read_only=True, data_only=True)
        except _DAMAGE as error:
            self._file.close()
            raise _damaged(source, error) from error

    def close(self) -> None:
        """Release the file."""
        self._book.close()
        self._file.close()

    def rows(self) -> Generator[Row, None, None]:
        """Yield the rows of the first sheet as text."""
        yield from _rows(self._source, self._book)

    @property
    def note(self) -> str:
        """A warning when there are sheets besides the first, which alone is read."""
        try:
            names = list(self._book.sheetnames)
        except _DAMAGE as error:
            raise _damaged(self._source, error) from error
        return f"only the first of {len(names)} sheets is read" if len(names) > 1 else ""


def _library(source: Source) -> ModuleType:
    try:
        return importlib.import_module("openpyxl")
    except ImportError as error:
        message = f"{source.label}: reading Excel workbooks needs openpyxl, which is not installed"
        hint = "install callagent with the extra: callagent[xlsx]; or save the file as CSV UTF-8"
        raise ContactsError(message, hint=hint) from error


def _damaged(source: Source, error: Exception) -> ContactsError:
    message = f"{source.label}: a damaged Excel workbook ({type(error).__name__})"
    return ContactsError(message, hint="open it in a spreadsheet and save it again")


def _rows(source: Source, book: Any) -> Iterator[Row]:  # noqa: ANN401 — openpyxl has no types.
    rows = _stored_rows(book)
    line = width = 0
    while True:
        try:
            number, cells = next(rows, (0, []))
        except _DAMAGE as error:
            raise _damaged(source, error) from error
        if not number:
            return
        while line + 1 < number:  # Empty rows need not be stored.
            line += 1
            yield Row(line, [""] * width)
        line = number
        width = max(width, len(cells))
        yield Row(line, cells + [""] * (width - len(cells)))  # Trailing empty cells are not stored.


def _stored_rows(book: Any) -> Iterator[SheetRow]:  # noqa: ANN401 — as above.
    dates = importlib.import_module("openpyxl.utils.datetime")
    timedeltas = frozenset(book._timedelta_formats)  # noqa: SLF001 — there is no public name.

    def as_date(number: float, style: int) -> object:
        return dates.from_excel(number, book.epoch, timedelta=style in timedeltas)

    sheet = book.worksheets[0]
    styles = frozenset(book._date_formats)  # noqa: SLF001 — as above.
    reader = SheetReader(sheet._shared_strings, styles, as_date)  # noqa: SLF001 — as above.
    with sheet._get_source() as file:  # noqa: SLF001 — as above.
        yield from reader.rows(file)
