"""The searchable list of keys: a place to learn them, and to do what they do by name."""

from collections.abc import Callable, Sequence
from typing import ClassVar, Final, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.events import Click, MouseScrollDown, MouseScrollUp, Resize
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input

from callagent_cli.monitor.keys import KEYS, Key
from callagent_cli.monitor.paint.glyphs import Glyphs
from callagent_cli.monitor.paint.plain import clean, cut, fit
from callagent_cli.monitor.paint.table import Cell
from callagent_cli.monitor.themes import DARK, Palette
from callagent_cli.monitor.widgets.canvas import Canvas, Line, line

GROUP_COLUMNS: Final = 11
KEY_COLUMNS: Final = 11
NOTHING: Final = "no key does that"


class Entry(NamedTuple):
    """One line of the list: a key, or (without one) a line of the legend."""

    group: str
    shown: str
    does: str
    key: Key | None = None

    def matches(self, wanted: str) -> bool:
        """Return whether a search finds it."""
        return wanted in f"{self.group} {self.shown} {self.does}".casefold()


def _no_refusal(_key: Key) -> str:
    return ""


class Help(ModalScreen[str]):
    """Keys with what they do, made from the bindings; typing searches, enter does the chosen one.

    It returns the action of the key that was chosen, or an empty text. With `commands` the keys
    that only move and the legend are left out.
    """

    BINDINGS: ClassVar = [
        Binding("escape", "close", "close"),
        Binding("up", "move(-1)", "one line up"),
        Binding("down", "move(1)", "one line down"),
        Binding("pageup", "move(-10)", "ten lines up"),
        Binding("pagedown", "move(10)", "ten lines down"),
    ]

    def __init__(
        self,
        glyphs: Glyphs,
        palette: Palette = DARK,
        *,
        commands: bool = False,
        refusal: Callable[[Key], str] = _no_refusal,
    ) -> None:
        super().__init__()
        self._glyphs, self._refusal = glyphs, refusal
        self._title = "Commands" if commands else "Keys"
        self._entries = [
            Entry(key.group, key.shown, key.does, key)
            for key in KEYS
            if not commands or (key.group != "Move" and key.action != "command_palette")
        ]
        if not commands:
            self._entries += _legend(glyphs)
        self._wanted = ""
        self._list = KeyRows(glyphs, palette, refusal)

    def compose(self) -> ComposeResult:
        """Show a search line over the list."""
        box = Vertical(
            Input(placeholder="type to search", id="search", compact=True), self._list, id="help"
        )
        box.border_title = self._title
        arrows = "up down" if self._glyphs.ellipsis.isascii() else "↑↓"
        box.border_subtitle = Content(
            self._glyphs.separator.join((f"{arrows} choose", "enter does it", "esc closes"))
        )
        yield box

    def on_mount(self) -> None:
        """Show every line."""
        self._list.show_entries(self.found(""))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search."""
        self._list.show_entries(self.found(event.value))

    def on_input_submitted(self, _event: Input.Submitted) -> None:
        """Do what the chosen key does."""
        self._choose()

    def on_key_rows_chosen(self, _event: "KeyRows.Chosen") -> None:
        """Do what the clicked key does."""
        self._choose()

    def found(self, wanted: str) -> list[Entry]:
        """Return the lines that contain what is wanted."""
        wanted = wanted.casefold()
        return [entry for entry in self._entries if entry.matches(wanted)]

    def listing(self, wanted: str) -> str:
        """Return the lines that contain what is wanted, as text."""
        lines = [
            f"{fit(entry.group, GROUP_COLUMNS)}{fit(entry.shown, KEY_COLUMNS)}{entry.does}".strip()
            for entry in self.found(wanted)
        ]
        return "\n".join(lines) or NOTHING

    def action_move(self, change: int) -> None:
        """Choose another line."""
        self._list.move(change)

    def action_close(self) -> None:
        """Go back to the monitor."""
        self.dismiss("")

    def _choose(self) -> None:
        entry = self._list.chosen
        if entry is not None and entry.key is not None:
            refusal = self._refusal(entry.key)
            if refusal:
                self.app.notify(f"not possible: {clean(refusal)}", markup=False)
            else:
                self.dismiss(entry.key.action)


class KeyRows(Canvas):
    """The lines of the list, one of them chosen; a key that does nothing right now is dimmed."""

    class Chosen(Message):
        """The chosen line was clicked."""

    def __init__(self, glyphs: Glyphs, palette: Palette, refusal: Callable[[Key], str]) -> None:
        super().__init__(id="keys", palette=palette)
        self.ascii_only = glyphs.ellipsis.isascii()
        self._ellipsis, self._refusal = glyphs.ellipsis, refusal
        self._entries: Sequence[Entry] = ()
        self._index = self._first = 0

    @property
    def chosen(self) -> Entry | None:
        """The line under the cursor."""
        return self._entries[self._index] if self._entries else None

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """Show these lines, the first one chosen."""
        self._entries, self._index, self._first = entries, 0, 0
        self._paint()

    def move(self, change: int) -> None:
        """Move the cursor."""
        self._index = max(0, min(len(self._entries) - 1, self._index + change))
        self._paint()

    def on_resize(self, _event: Resize) -> None:
        """Show the lines that fit."""
        self._paint()

    def on_click(self, event: Click) -> None:
        """Choose the clicked line."""
        if 0 <= self._first + event.y < len(self._entries):
            self._index = self._first + event.y
            self._paint()
            self.post_message(self.Chosen())

    def on_mouse_scroll_down(self, _event: MouseScrollDown) -> None:
        """Move the cursor down."""
        self.move(1)

    def on_mouse_scroll_up(self, _event: MouseScrollUp) -> None:
        """Move the cursor up."""
        self.move(-1)

    def _paint(self) -> None:
        columns, room = self.size.width, self.size.height
        if columns <= 0 or room <= 0:
            return
        if not self._entries:
            self.show([line(Cell(NOTHING, "muted"))])
            return
        last_first = max(0, len(self._entries) - room)
        earliest = max(self._index - room + 1, min(self._first, self._index))
        self._first = max(0, min(last_first, earliest))
        self.show(
            self._line(self._first + offset, entry, columns)
            for offset, entry in enumerate(self._entries[self._first : self._first + room])
        )

    def _line(self, index: int, entry: Entry, columns: int) -> Line:
        """Return a line; its group stands there only where it begins."""
        begins = index == self._first or self._entries[index - 1].group != entry.group
        group = fit(entry.group if begins else "", GROUP_COLUMNS)
        refused = entry.key is not None and bool(self._refusal(entry.key))
        does = cut(entry.does, columns - GROUP_COLUMNS - KEY_COLUMNS, ellipsis=self._ellipsis)
        cells = (
            Cell(group, "muted"),
            Cell(fit(entry.shown, KEY_COLUMNS), "muted" if refused else "accent"),
            Cell(does, "muted" if refused else "plain"),
        )
        return Line(cells, cursor=index == self._index)


def _legend(glyphs: Glyphs) -> list[Entry]:
    marks = (
        (glyphs.closed, "the breaker is closed: requests go out"),
        (glyphs.open, "open: nothing but health checks goes out"),
        (glyphs.half_open, "half-open: one trial at a time"),
        (glyphs.isolated, "isolated: until a person resets it"),
        (glyphs.no_data, "no data yet"),
        ("LAST 60s", "failures per 6 s, newest right, own scale"),
        ("BAD/ALL", "failed attempts and all attempts of the last 60 s"),
    )
    return [Entry("Legend", shown, does) for shown, does in marks]
