"""What a worksheet says beside its cells: which of them are merged, and which rows are hidden.

Merged cells stand behind all rows (ECMA-376, part 1, 18.3.1.99), so they are looked for before
these are read. That is told from the sheet's bytes, in a fraction of the time that XML takes.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from callagent_cli.contacts.files.sheet import column_of

_BLOCK: Final = 1 << 20
_LONGEST_TAG: Final = 4096
_MERGES_MAX: Final = 200_000
_MERGED: Final = re.compile(
    rb"""mergeCell\s[^<>]*?\bref\s*=\s*["']([A-Za-z]{1,3})(\d{1,7}):[A-Za-z]{1,3}(\d{1,7})["']"""
)
_OWN_TEXT: Final = re.compile(rb"""\bt\s*=\s*["'](?:inlineStr|str)["']""")
"""A cell whose text is not shared (ECMA-376, part 1, 18.18.11)."""

_HIDDEN: Final = re.compile(rb"""<(?:\w+:)?row\s[^<>]*?\bhidden\s*=\s*["'](?:1|true)["']""")


class Merge(NamedTuple):
    """Cells of one column that show what the first of them stores."""

    column: int
    last_row: int


class Layout(NamedTuple):
    """The merged cells of a sheet by their first row, and how many rows are hidden.

    `own_texts` says whether cells keep texts of their own, which are not shared.
    """

    merges: dict[int, list[Merge]]
    hidden_rows: int
    own_texts: bool


def read_layout(file: BinaryIO) -> Layout:
    """Read what a sheet says beside its cells; raises `ValueError` for endless merged cells."""
    merges: dict[int, list[Merge]] = {}
    count = hidden = 0
    own_texts = False
    for block in _whole_tags(file):
        own_texts = own_texts or _OWN_TEXT.search(block) is not None
        if b"hidden" in block:
            hidden += sum(1 for _ in _HIDDEN.finditer(block))
        for letters, first, last in _MERGED.findall(block) if b"mergeCell" in block else ():
            if int(first) < int(last):
                merge = Merge(column_of(letters.decode()), int(last))
                merges.setdefault(int(first), []).append(merge)
                count += 1
        if count > _MERGES_MAX:
            raise ValueError("too many merged cells")
    return Layout(merges, hidden, own_texts)


def _whole_tags(file: BinaryIO) -> Iterator[bytes]:
    """Yield a sheet, which may be in UTF-8 or in UTF-16, in blocks that cut no tag in two."""
    rest = b""
    while block := file.read(_BLOCK):
        block = rest + block.replace(b"\0", b"")
        end = block.rfind(b">") + 1
        yield block[:end]
        rest = block[end:][-_LONGEST_TAG:]


class MergedCells:
    """Hands on what merged cells say to the rows below their first, once from top to bottom.

    Who merges the do-not-call cells of three rows and writes one yes means all three.
    """

    def __init__(self, merges: dict[int, list[Merge]]) -> None:
        self._merges = merges
        self._said: dict[int, tuple[int, str]] = {}

    def fill(self, row: int, cells: list[str]) -> None:
        """Write what the cells of a row show into those that store nothing."""
        if self._said:
            self._hand_on(row, cells)
        for column, last_row in self._merges.get(row, ()):
            if column < len(cells) and cells[column]:
                self._said[column] = (last_row, cells[column])

    def _hand_on(self, row: int, cells: list[str]) -> None:
        self._said = {column: said for column, said in self._said.items() if said[0] >= row}
        if not any(cells):
            return
        for column, (_, text) in self._said.items():
            cells.extend([""] * (column + 1 - len(cells)))
            cells[column] = cells[column] or text
