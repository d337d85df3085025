"""Rows of an Excel workbook, streamed; what its numbers mean is openpyxl's to say (extra `xlsx`).

openpyxl would also open the workbook, but holds all its texts in memory and reads none of those
that are saved as "Strict Open XML".
"""

import errno
import importlib
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from typing import Final, NamedTuple
from xml.parsers.expat import ExpatError

from callagent_cli.contacts.cells import show
from callagent_cli.contacts.files.formats import DateStyles, calendar, read_styles
from callagent_cli.contacts.files.layout import Layout, MergedCells, read_layout
from callagent_cli.contacts.files.package import Package
from callagent_cli.contacts.files.rows import Row
from callagent_cli.contacts.files.sheet import SheetReader, SheetRow
from callagent_cli.contacts.files.source import Source
from callagent_cli.contacts.files.strings import SharedStrings, read_strings
from callagent_cli.contacts.files.xml import elements
from callagent_cli.errors import ContactsError

_DAMAGE: Final = (
    ArithmeticError,
    AttributeError,
    EOFError,
    ExpatError,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What a damaged workbook raises: zipfile and its decompressors have no error of their own."""

_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class _Sheet(NamedTuple):
    """A sheet as the workbook lists it; `part` is its name in the package."""

    name: str
    part: str
    visible: bool


class Book:
    """An open workbook; its first sheet can be read again and again. Raises `ContactsError`.

    `tell` hears now and then how many shared texts were read, which takes as long as the rows.
    `remarks` says of a text with a number in it whether its words are a remark about the number.
    """

    def __init__(
        self,
        source: Source,
        tell: Callable[[int], None] | None = None,
        *,
        remarks: Callable[[str], object] = bool,
    ) -> None:
        _require_library(source)
        self._source = source
        self._tell = tell
        self._styles = DateStyles()
        self._since_1904 = False
        self._sheets: list[_Sheet] = []
        self._layout = Layout({}, 0, own_texts=False)
        with ExitStack() as stack:
            file = stack.enter_context(source.open_bytes())
            try:
                self._strings = SharedStrings(remarks)
                stack.callback(self._strings.close)
                self._package = Package(file)
                stack.callback(self._package.close)
                self._understand()
            except _DAMAGE as error:
                raise _damaged(source, error) from error
            self._opened = stack.pop_all()

    def close(self) -> None:
        """Release the file."""
        self._opened.close()

    def rows(self) -> Generator[Row, None, None]:
        """Yield the rows of the first sheet that can be seen, as text."""
        rows = self._stored_rows()
        merged = MergedCells(self._layout.merges)
        line = width = 0
        while True:
            try:
                number, cells = next(rows, (0, []))
            except _DAMAGE as error:
                raise _damaged(self._source, error) from error
            if not number:
                return
            while line + 1 < number:  # Empty rows need not be stored.
                line += 1
                yield Row(line, [])
            line = number
            merged.fill(number, cells)
            width = max(width, len(cells))
            # Nor need the empty cells at the end of a row.
            yield Row(line, cells + [""] * (width - len(cells)))

    def may_have_remarks(self) -> bool:
        """Say whether a cell may hold a remark about its number.

        All shared texts were looked at, and none of those that a sheet keeps of its own.
        """
        return self._strings.has_remarks or self._layout.own_texts

    @property
    def notes(self) -> list[str]:
        """Warnings about what somebody who looks at the workbook would not expect."""
        hidden = self._layout.hidden_rows
        rows = f"{hidden:,} {'row that is' if hidden == 1 else 'rows that are'} hidden in the sheet"
        also = f"{rows} {'is' if hidden == 1 else 'are'} read as well: delete what is not meant"
        return [note for note in (self._other_sheets(), also if hidden else "") if note]

    def _other_sheets(self) -> str:
        count = len(self._sheets)
        if count == 1:
            return ""
        if self._sheets[0] is self._read:
            return f"only the first of {count} sheets is read"
        return (
            f"only the sheet `{show(self._read.name)}` of {count} is read: those before are hidden"
        )

    @property
    def _read(self) -> _Sheet:
        return next((sheet for sheet in self._sheets if sheet.visible), self._sheets[0])

    def _understand(self) -> None:
        """Read the workbook's parts but its sheets."""
        kinds = dict(self._package.related().values())
        main = kinds["officeDocument"]
        related = self._package.related(main)
        self._list_sheets(main, related)
        parts = dict(related.values())
        if "styles" in parts:
            with self._package.open(parts["styles"]) as file:
                self._styles = read_styles(file)
        if "sharedStrings" in parts:
            with self._package.open(parts["sharedStrings"]) as file:
                read_strings(file, self._strings, self._tell)
        with self._package.open(self._read.part) as file:
            self._layout = read_layout(file)

    def _list_sheets(self, main: str, related: dict[str, tuple[str, str]]) -> None:
        with self._package.open(main) as file:
            for element in elements(file):
                attributes = element.attributes
                if element.name == "workbookPr":
                    self._since_1904 = attributes.get("date1904", "0") in {"1", "true"}
                elif element.name == "sheet" and element.parent == "sheets":
                    kind, part = related.get(attributes.get("id", ""), ("", ""))
                    visible = attributes.get("state", "visible") == "visible"
                    if kind == "worksheet":
                        self._sheets.append(_Sheet(attributes.get("name", ""), part, visible))
        if not self._sheets:
            raise ValueError("no sheet")

    def _stored_rows(self) -> Iterator[SheetRow]:
        as_date = calendar(self._styles, since_1904=self._since_1904)
        reader = SheetReader(self._strings, self._styles.dates, as_date)
        with self._package.open(self._read.part) as file:
            yield from reader.rows(file)


def _require_library(source: Source) -> None:
    try:
        importlib.import_module("openpyxl")
    except ImportError as error:
        message = f"{source.label}: reading Excel workbooks needs openpyxl, which is not installed"
        hint = "install callagent with the extra: callagent[xlsx]; or save the file as CSV UTF-8"
        raise ContactsError(message, hint=hint) from error


def _damaged(source: Source, error: Exception) -> ContactsError:
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        message = f"{source.label}: no room for its texts in the folder for temporary files"
        return ContactsError(message, hint="make room, or name another folder in TMPDIR")
    kind = "zlib.error" if isinstance(error, zlib.error) else type(error).__name__
    message = f"{source.label}: a damaged Excel workbook ({kind})"
    return ContactsError(message, hint="open it in a spreadsheet and save it again")
