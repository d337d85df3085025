"""Cells and rows of CSV that are safe to open in a spreadsheet."""

import csv
import io
import re
from collections.abc import Sequence
from typing import Final

_LINE_END: Final = "\r\n"
_COMPUTED: Final = re.compile(r"\s*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")
"""How a cell begins that a spreadsheet computes (OWASP, CSV injection), full-width signs too."""

_COMPUTED_LATER: Final = re.compile(
    r"([;\n]\s*)(?=[=@\uff1d\uff20]|[+\-\uff0b\uff0d](?![\d ().\-/]*(?:[;\n]|$)))"
)
"""What begins a cell where `;` divides cells: in half of Europe. Plain numbers do no harm."""


def csv_line(cells: Sequence[object]) -> str:
    """Return cells as one row of CSV without its line end, safe to open in a spreadsheet."""
    text = io.StringIO(newline="")
    # The writer quotes a line end within a cell only if it is part of the rows' own.
    csv.writer(text, lineterminator=_LINE_END).writerow([safe_cell(cell) for cell in cells])
    return text.getvalue().removesuffix(_LINE_END)


def safe_cell(cell: object) -> object:
    """Return a cell that no spreadsheet computes: text that begins like a formula is quoted.

    Numbers stay numbers; control characters other than line ends are left out.
    """
    if cell is None or isinstance(cell, bool):
        return "" if cell is None else str(cell).lower()
    if not isinstance(cell, str):
        return cell
    plain = cell if cell.isprintable() else "".join(map(_plain, cell))
    plain = _COMPUTED_LATER.sub(r"\1'", plain)
    return f"'{plain}" if _COMPUTED.match(plain) else plain


def _plain(character: str) -> str:
    return character if character.isprintable() or character == "\n" else ""
