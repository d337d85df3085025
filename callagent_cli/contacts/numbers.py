"""Every number of a file, whatever else its rows say: for lists of people not to be called."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from callagent_cli.contacts.cells import show
from callagent_cli.contacts.files.rows import Row
from callagent_cli.contacts.importing import Import, Opened
from callagent_cli.contacts.options import ReadOptions
from callagent_cli.contacts.phones.reading import (
    NumberRules,
    Phone,
    numbers_among_words,
    numbers_both_ways,
    read_phones,
)
from callagent_cli.contacts.report import ImportReport

_LONGEST_CELL: Final = 32_767
_WORDED: Final = frozenset({"letters", "not_a_person"})


@dataclass(frozen=True, slots=True)
class ListedNumber:
    """What one phone cell holds: `numbers` in E.164, or why none can be read (`problem`)."""

    line: int
    value: str
    numbers: tuple[str, ...]
    problem: str


def read_numbers(path: Path, options: ReadOptions) -> Iterator[ListedNumber]:
    """Yield what stands in the phone cells of each row that is not blank.

    Unless the columns are named, a number with a plus sign in another column is a problem, too.
    Raises `ContactsError` for a problem of the whole file; an unclosed quote may come up late.
    """
    opened = Import(path, options, ImportReport()).open()
    try:
        yield from _listed(
            opened, whole=not (options.phone_columns or "phone" in options.column_map)
        )
    finally:
        opened.close()


def _listed(opened: Opened, *, whole: bool) -> Iterator[ListedNumber]:
    phone, width = opened.columns.phone, len(opened.columns.header)
    for row in opened.body():
        if not "".join(row.cells).strip():
            continue
        cells = [row.cells[index] for index in phone if index < len(row.cells)]
        texts = [cell for cell in cells if cell.strip()] or [""]
        wrong = _wrong_with(row, width)
        for text in texts:
            listed = listed_number(row.line, text, opened.rules)
            if wrong and not listed.problem:
                listed = ListedNumber(row.line, text, listed.numbers, wrong)
            yield listed
        if whole and not wrong:
            yield from _elsewhere(row, opened)


def _elsewhere(row: Row, opened: Opened) -> Iterator[ListedNumber]:
    """Yield the numbers of a row that stand in columns which are not read."""
    columns = opened.columns
    for index, cell in enumerate(row.cells[: len(columns.header)]):
        signed = cell.lstrip(" '\"=(").startswith("+")
        if signed and index not in columns.phone and listed_number(0, cell, opened.rules).numbers:
            where = show(columns.header[index])
            problem = f"column `{where}` is not read; name all that are: --phone-column"
            yield ListedNumber(row.line, cell, (), problem)


def _wrong_with(row: Row, width: int) -> str:
    """Return why a row may hold another number than it seems to, empty for no reason."""
    if any("\0" in cell for cell in row.cells):
        return "a NUL byte in the row: it is damaged"
    shifted = bool(row.fault) or any(cell.strip() for cell in row.cells[width:])
    return "the row is out of shape" if shifted else ""


def listed_number(line: int, text: str, rules: NumberRules) -> ListedNumber:
    """Read a cell, whatever words stand in it; a number that can be read as two is both of them.

    To leave one of two people alone for nothing is better than to call the wrong one.
    """
    numbers: list[str] = []
    problem = ""
    for found in read_phones(text[:_LONGEST_CELL], rules):
        if isinstance(found, Phone):
            numbers.append(found.number)
        elif found.code == "ambiguous_phone" and (both := numbers_both_ways(text, rules)):
            numbers.extend(both)
        elif found.code in _WORDED and (among := numbers_among_words(text, rules)):
            numbers.extend(among)
        else:
            problem = found.reason
    return ListedNumber(line, text, tuple(dict.fromkeys(numbers)), problem)
