"""A panel with a table: a cursor that stays on its row's key, a filter that dims the rest."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.events import Blur, Click, Focus, MouseScrollDown, MouseScrollUp, Resize

from callagent_cli.monitor.paint.plain import clean, cut
from callagent_cli.monitor.paint.table import Cell, Column, Row, filled, header, lay_out, pieces
from callagent_cli.monitor.widgets.canvas import BLANK, Canvas, Line


class Grid(Canvas):
    """Rows in columns that fit; painted from rows that `show_rows` is handed."""

    can_focus = True

    def __init__(self, columns: Sequence[Column], *, id: str, ellipsis: str = "…") -> None:  # noqa: A002 — Textual's name.
        super().__init__(id=id)
        self._columns = columns
        self._ellipsis = ellipsis
        self._rows: Sequence[Row] = ()
        self._empty: Sequence[str] = ()
        self._first = 0
        self._filter = ""
        self._hits: set[str] | None = None
        self.cursor_key = ""

    def show_rows(self, rows: Sequence[Row], *, empty: Sequence[str] = ()) -> None:
        """Show these rows; the cursor stays on its key, or on its place when the key is gone."""
        index = self._index()
        self._rows, self._empty = rows, empty
        if rows and self._index(default=-1) < 0:
            self.cursor_key = rows[min(index, len(rows) - 1)].key
        self._find()
        self._paint()

    def set_filter(self, text: str) -> None:
        """Dim the rows that do not contain the text (that do, when it begins with `!`)."""
        self._filter = text.casefold()
        self._find()
        self._paint()

    @property
    def hits(self) -> int | None:
        """How many rows match the filter; none without one."""
        return None if self._hits is None else len(self._hits)

    @property
    def selected(self) -> Row | None:
        """The row under the cursor."""
        return self._rows[self._index()] if self._rows else None

    def move(self, change: int) -> None:
        """Move the cursor by rows; with a filter, by rows that match it."""
        choices = [row.key for row in self._rows if self._hits is None or row.key in self._hits]
        if not choices:
            return
        if self.cursor_key in choices:
            place = choices.index(self.cursor_key) + change
            self.cursor_key = choices[max(0, min(len(choices) - 1, place))]
        else:
            self.cursor_key = choices[0]
        self._paint()

    def on_resize(self, _event: Resize) -> None:
        """Lay the columns out anew."""
        self._paint()

    def on_focus(self, _event: Focus) -> None:
        """Show the cursor."""
        self._paint()

    def on_blur(self, _event: Blur) -> None:
        """Hide the cursor."""
        self._paint()

    def on_click(self, event: Click) -> None:
        """Put the cursor on the clicked row."""
        index = self._first + event.y - 1
        if 0 <= index < len(self._rows) and event.y >= 1:
            self.cursor_key = self._rows[index].key
            self._paint()

    def on_mouse_scroll_down(self, _event: MouseScrollDown) -> None:
        """Move the cursor down."""
        self.move(1)

    def on_mouse_scroll_up(self, _event: MouseScrollUp) -> None:
        """Move the cursor up."""
        self.move(-1)

    def _index(self, default: int = 0) -> int:
        for index, row in enumerate(self._rows):
            if row.key == self.cursor_key:
                return index
        return default

    def _find(self) -> None:
        inverse, wanted = self._filter.startswith("!"), self._filter.lstrip("!")
        if not wanted:
            self._hits = None
            return
        self._hits = {row.key for row in self._rows if _contains(row, wanted) != inverse}

    def _paint(self) -> None:
        columns, height = self.size.width, self.size.height
        if columns <= 0 or height <= 0:
            return
        if not self._rows:
            self.show(_centered(self._empty, columns, height, self._ellipsis))
            return
        room = max(1, height - 1)
        index = self._index()
        last_first = max(0, len(self._rows) - room)
        self._first = max(0, min(last_first, max(index - room + 1, min(self._first, index))))
        placed = lay_out(filled(self._columns, self._rows), columns)
        lines = [Line((Cell(header(placed, ellipsis=self._ellipsis), "muted"),))]
        for row in self._rows[self._first : self._first + room]:
            cells = pieces(row, placed, ellipsis=self._ellipsis)
            if self._hits is not None and row.key not in self._hits:
                cells = [Cell(cell.text, "muted") for cell in cells]
            cursor = self.has_focus and row.key == self.cursor_key
            lines.append(Line(tuple(cells), cursor=cursor))
        self.show(lines)


def _contains(row: Row, wanted: str) -> bool:
    return any(wanted in cell.text.casefold() for cell in row.cells.values())


def _centered(texts: Sequence[str], columns: int, height: int, ellipsis: str) -> list[Line]:
    above = max(0, (height - len(texts)) // 2)
    lines = [
        Line((Cell(cut(clean(text), columns, ellipsis=ellipsis).center(columns), "muted"),))
        for text in texts
    ]
    return [BLANK] * above + lines


class Panel(Vertical):
    """A box with a name, and a count in its lower edge; its border is bright while focused."""

    def __init__(self, title: str, body: Canvas, *, id: str) -> None:  # noqa: A002 — Textual's name.
        super().__init__(id=id)
        self._title = self._foot = ""
        self.head(title)
        self.body = body

    def compose(self) -> ComposeResult:
        """Hold the body."""
        yield self.body

    def head(self, text: str) -> None:
        """Show a text in the upper edge; never read as markup."""
        if text != self._title:
            self._title = text
            self.border_title = Content(clean(text))

    def foot(self, text: str) -> None:
        """Show a text in the lower edge."""
        if text != self._foot:
            self._foot = text
            self.border_subtitle = Content(clean(text))
