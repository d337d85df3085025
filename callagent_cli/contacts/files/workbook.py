"""Rows of an Excel workbook, streamed through openpyxl (the extra `xlsx`)."""

import importlib
import warnings
import zipfile
import zlib
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from types import ModuleType
from typing import Any, Final

from callagent_cli.contacts.files.rows import Row
from callagent_cli.contacts.files.source import Source
from callagent_cli.errors import ContactsError

_EXACT_BELOW: Final = 1e15
_DAMAGE: Final = (
    ArithmeticError,
    AttributeError,
    EOFError,
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


def workbook_rows(source: Source) -> Generator[Row, None, None]:
    """Yield the rows of the first sheet as text; raises `ContactsError`."""
    with _opened(source) as book:
        yield from _rows(source, book)


def sheet_note(source: Source) -> str:
    """Return a warning when there are sheets besides the first, which alone is read."""
    with _opened(source) as book:
        try:
            names = list(book.sheetnames)
        except _DAMAGE as error:
            raise _damaged(source, error) from error
    return f"only the first of {len(names)} sheets is read" if len(names) > 1 else ""


@contextmanager
def _opened(source: Source) -> Generator[Any, None, None]:
    """Open a workbook; the file is ours, for openpyxl leaves that of a damaged one open."""
    library = _library(source)
    with source.open_bytes() as file:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # About styles and validations: nobody reads them.
                book = library.load_workbook(file, read_only=True, data_only=True)
        except _DAMAGE as error:
            raise _damaged(source, error) from error
        try:
            yield book
        finally:
            book.close()


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
    try:
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        values = iter(sheet.iter_rows(values_only=True))
    except _DAMAGE as error:
        raise _damaged(source, error) from error
    line = width = 0
    while True:
        try:
            row: Iterable[object] | None = next(values, None)
        except _DAMAGE as error:
            raise _damaged(source, error) from error
        if row is None:
            return
        line += 1
        cells = [as_text(value) for value in row]
        width = max(width, len(cells))
        yield Row(line, cells + [""] * (width - len(cells)))  # Trailing empty cells are not stored.


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
