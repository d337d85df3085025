"""Columns that fit a width: the least important are left out, a flexible one takes the rest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from callagent_cli.monitor.paint.plain import clean, fit
from callagent_cli.monitor.verdict import Tone

GAP = 2


class Cell(NamedTuple):
    """A text and how it should look."""

    text: str
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: `key` stays with the thing it shows, `cells` are by column."""

    key: str
    cells: Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `rank` is its importance (0 stays longest), `flex` lets it take the rest.

    An `optional` one is left out while no row has anything in it.
    """

    key: str
    title: str
    width: int
    rank: int = 0
    right: bool = False
    flex: bool = False
    optional: bool = False


class Placed(NamedTuple):
    """A column and the width it got."""

    column: Column
    width: int


def lay_out(columns: Sequence[Column], room: int) -> list[Placed]:
    """Return the columns that fit into `room`, in their order; the first two ranks' are kept."""
    chosen = list(columns)
    while len(chosen) > 1 and _needed(chosen) > room:
        chosen.remove(max(reversed(chosen), key=lambda column: column.rank))
    spare = room - _needed(chosen)
    flexible = [column for column in chosen if column.flex]
    widest = flexible[-1] if flexible else None
    return [
        Placed(
            column, max(1, min(room, column.width + spare if column is widest else column.width))
        )
        for column in chosen
    ]


def filled(columns: Sequence[Column], rows: Sequence[Row]) -> list[Column]:
    """Return the columns without the optional ones that no row fills."""
    return [
        column
        for column in columns
        if not column.optional
        or any(column.key in row.cells and row.cells[column.key].text for row in rows)
    ]


def _needed(columns: Sequence[Column]) -> int:
    return sum(column.width for column in columns) + GAP * (len(columns) - 1)


def header(placed: Sequence[Placed], *, ellipsis: str = "…") -> str:
    """Return the titles over the columns."""
    return (" " * GAP).join(
        fit(column.title, width, right=column.right, ellipsis=ellipsis) for column, width in placed
    )


def pieces(row: Row, placed: Sequence[Placed], *, ellipsis: str = "…") -> list[Cell]:
    """Return the row cut and padded to the columns, gaps included, its text made harmless."""
    empty = Cell("")
    result: list[Cell] = []
    for index, (column, width) in enumerate(placed):
        cell = row.cells.get(column.key, empty)
        text = fit(clean(cell.text), width, right=column.right, ellipsis=ellipsis)
        result.append(Cell(text if index == 0 else " " * GAP + text, cell.tone))
    return result
