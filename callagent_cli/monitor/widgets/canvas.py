"""A widget that paints lines of toned text and repaints only the lines that changed."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from callagent_cli.monitor.paint.glyphs import to_ascii
from callagent_cli.monitor.paint.table import Cell
from callagent_cli.monitor.themes import DARK, Palette
from callagent_cli.monitor.verdict import Tone


class Line(NamedTuple):
    """One line: its pieces, whether the cursor stands on it, and a tone to fill it with."""

    cells: tuple[Cell, ...]
    cursor: bool = False
    bar: Tone | None = None


BLANK = Line(())


def line(*cells: Cell | str) -> Line:
    """Return a line made of cells and plain texts."""
    return Line(tuple(Cell(cell) if isinstance(cell, str) else cell for cell in cells))


class Canvas(Widget):
    """Paints what `show` was last given; `repainted` counts the lines painted anew so far."""

    def __init__(self, *, id: str | None = None, palette: Palette = DARK) -> None:  # noqa: A002 — Textual's name.
        super().__init__(id=id)
        self._lines: list[Line] = []
        self._palette = palette
        self.repainted = 0
        self.ascii_only = False

    def show(self, lines: Iterable[Line]) -> None:
        """Show these lines; lines equal to what is on screen are not touched."""
        shown, self._lines = self._lines, list(lines)
        changed = changed_lines(shown, self._lines)
        if changed:
            self.repainted += len(changed)
            columns = self.size.width
            self.refresh(*(Region(0, y, columns, 1) for y in changed))

    def repaint(self, palette: Palette) -> None:
        """Paint everything in other colors."""
        self._palette = palette
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return one line for the compositor."""
        shown = self._lines[y] if y < len(self._lines) else BLANK
        palette = self._palette
        style = palette.style("plain", cursor=shown.cursor, bar=shown.bar)
        strip = Strip(
            Segment(
                to_ascii(cell.text) if self.ascii_only else cell.text,
                palette.style(cell.tone, cursor=shown.cursor, bar=shown.bar),
            )
            for cell in shown.cells
            if cell.text
        )
        return strip.adjust_cell_length(self.size.width, style)


def changed_lines(old: Sequence[Line], new: Sequence[Line]) -> list[int]:
    """Return the numbers of the lines that differ."""
    longest = max(len(old), len(new))
    return [y for y in range(longest) if old[y : y + 1] != new[y : y + 1]]
