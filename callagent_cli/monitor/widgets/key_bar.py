"""The line of keys at the bottom: what is not possible is dimmed, never hidden."""

from collections.abc import Callable, Sequence
from typing import Final

from textual.events import Click
from textual.message import Message

from callagent_cli.monitor.keys import Key
from callagent_cli.monitor.paint.table import Cell
from callagent_cli.monitor.widgets.canvas import Canvas, line

DROPPED_FIRST: Final = (
    "requeue",
    "freeze",
    "zoom",
    "mute",
    "drain",
    "check",
    "details",
    "filter",
    "reset",
    "trip",
    "acknowledge",
    "speed(0.5)",
    "step",
)
"""What gives way on a narrow screen, by its action; `freeze` holds a rehearsal and stays."""

GAP: Final = 2


class KeyBar(Canvas):
    """Shows the most used keys; a click on one is as good as pressing it."""

    class Pressed(Message):
        """A key was clicked."""

        def __init__(self, key: Key) -> None:
            super().__init__()
            self.key = key

    def __init__(self, *, id: str) -> None:  # noqa: A002 — Textual's name.
        super().__init__(id=id)
        self._shown: dict[Key, str] = {}

    def show_keys(
        self, keys: Sequence[Key], label: Callable[[Key], str], refusal: Callable[[Key], str]
    ) -> None:
        """Show each key with its current label, dimmed when it is refused."""
        self._shown = _that_fit({key: label(key) for key in keys}, self.size.width)
        cells: list[Cell] = []
        for key, text in self._shown.items():
            refused = bool(refusal(key))
            gap = " " * (GAP if cells else 1)
            cells.append(Cell(f"{gap}{key.shown}", "muted" if refused else "accent"))
            cells.append(Cell(f" {text}", "muted" if refused else "plain"))
        self.show([line(*cells)])

    def on_click(self, event: Click) -> None:
        """Find the key under the mouse and report it."""
        at, cells = 0, self._lines[0].cells if self._lines else ()
        for index, cell in enumerate(cells):
            at += len(cell.text)
            if event.x < at:
                self.post_message(self.Pressed(list(self._shown)[index // 2]))
                return


def _that_fit(labels: dict[Key, str], columns: int) -> dict[Key, str]:
    """Return the keys that fit; help and the way out are the last to go."""
    shown = dict(labels)
    rehearsal = any(key.rehearsal for key in labels)
    for action in DROPPED_FIRST:
        if _columns(shown) <= columns:
            break
        if not (rehearsal and action == "freeze"):
            shown = {key: text for key, text in shown.items() if key.action != action}
    return shown


def _columns(labels: dict[Key, str]) -> int:
    """Return how many columns these keys take."""
    return sum(len(f"{key.shown} {text}") + GAP for key, text in labels.items()) - GAP + 1
