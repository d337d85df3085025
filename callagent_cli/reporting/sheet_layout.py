"""Where our columns stand in a worksheet that people rearrange: found by their names, pure."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from callagent_cli.reporting.sheet import HEADER

KEY: Final = "key"
COLUMNS: Final = (*HEADER, KEY)
"""The columns as a new worksheet has them; each row ends with its key."""

HEAD_ROWS: Final = 20
"""The header is looked for in as many rows: people put titles and notes above it."""

CELL_MAX: Final = 50_000
"""Characters that Google takes in one cell; one longer cell would refuse a whole batch."""

_NAMES_MIN: Final = len(COLUMNS) // 2

Cells = Sequence[Sequence[object]]


class Layout(NamedTuple):
    """The header's row, counted from 1, and the column of each of `COLUMNS`, counted from 0.

    `header` is the row as it should be: with what is `missing` from it at its end.
    """

    row: int
    places: tuple[int, ...]
    header: tuple[str, ...]
    missing: int

    @property
    def key_column(self) -> int:
        """The column of the keys, counted from 0."""
        return self.places[-1]

    @property
    def gapless(self) -> bool:
        """Whether the header begins in the first column and leaves none out."""
        return all(cell.strip() for cell in self.header)

    def spread(self, row: Sequence[str]) -> list[str | None]:
        """Return a row's cells in their columns; those that are not ours stay untouched."""
        cells: list[str | None] = [None] * len(self.header)
        for place, cell in zip(self.places, row, strict=True):
            cells[place] = cell[:CELL_MAX]
        return cells


def find_layout(rows: Cells) -> Layout | None:
    """Return the layout that the first header among these rows describes, if there is one."""
    for number, row in enumerate(rows, 1):
        header = [str(cell) for cell in row]
        if _is_header(header):
            return layout_of(header, number)
    return None


def layout_of(header: Sequence[str], row: int) -> Layout:
    """Return where our columns stand under a header.

    A column is known by its name. One that was renamed is known by its place, when between its
    neighbors there are just as many columns as names are unknown; otherwise it is missing.
    """
    names = [_plain(cell) for cell in header]
    known: dict[str, int] = {name: names.index(name) for name in COLUMNS if name in names}
    places = {**known, **_by_place(known, len(header))}
    whole = list(header)
    for name in COLUMNS:
        if name not in places:
            places[name] = len(whole)
            whole.append(name)
    ordered = tuple(places[name] for name in COLUMNS)
    return Layout(row, ordered, tuple(whole), len(whole) - len(header))


def _is_header(cells: Sequence[str]) -> bool:
    names = {_plain(cell) for cell in cells}
    filled = sum(bool(cell.strip()) for cell in cells)
    return len(names & set(COLUMNS)) >= _NAMES_MIN or (KEY in names and filled >= len(COLUMNS))


def _by_place(known: dict[str, int], width: int) -> dict[str, int]:
    """Return the places of renamed columns, as far as their neighbors leave no doubt."""
    found: dict[str, int] = {}
    unknown: list[str] = []
    taken = set(known.values())
    before = -1
    for name in (*COLUMNS, ""):
        at = known.get(name, width if not name else -1)
        if at < 0:
            unknown.append(name)
            continue
        between = range(before + 1, at)
        if len(between) == len(unknown) and taken.isdisjoint(between):
            found |= zip(unknown, between, strict=True)
        before, unknown = at, []
    return found


def _plain(cell: str) -> str:
    return " ".join(cell.split()).casefold()
