"""Questions before what is hard to undo, the way out, and the searchable list of keys."""

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from callagent_cli.monitor.keys import KEYS
from callagent_cli.monitor.paint.glyphs import Glyphs
from callagent_cli.monitor.paint.plain import clean, fit


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer to a question: a key, what it means, and why it is not possible if it is not."""

    key: str
    answer: str
    label: str
    refusal: str = ""


class Question(ModalScreen[str]):
    """Asks, says the consequence in words, and returns the chosen answer; `esc` returns none."""

    BINDINGS: ClassVar = [Binding("escape", "cancel", "stay")]

    def __init__(self, title: str, consequence: str, choices: tuple[Choice, ...]) -> None:
        super().__init__()
        self.title_text, self.consequence, self.choices = title, consequence, choices

    def compose(self) -> ComposeResult:
        """Show the question in a box."""
        box = Vertical(
            Static(clean(self.consequence), markup=False),
            Static("\n".join(self._answers()), markup=False, classes="answers"),
            id="dialog",
        )
        box.border_title = Content(clean(self.title_text))
        yield box

    def _answers(self) -> list[str]:
        lines = [
            f"{choice.key}  {choice.label}"
            + (f"  (not possible: {choice.refusal})" if choice.refusal else "")
            for choice in self.choices
        ]
        return [*lines, "esc  stay"]

    def key_of(self, key: str) -> str:
        """Return the answer that a key stands for, empty if it stands for none."""
        return next(
            (choice.answer for choice in self.choices if choice.key == key and not choice.refusal),
            "",
        )

    def on_key(self, event: Key) -> None:
        """Answer with a letter; that key press means nothing else."""
        answer = self.key_of(event.character or "")
        if answer:
            event.stop()
            event.prevent_default()
            self.dismiss(answer)

    def action_cancel(self) -> None:
        """Leave everything as it is."""
        self.dismiss("")


class Help(ModalScreen[str]):
    """Every key with what it does, made from the bindings; typing searches."""

    BINDINGS: ClassVar = [Binding("escape", "close", "close")]

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self._glyphs = glyphs

    def compose(self) -> ComposeResult:
        """Show a search line over the list."""
        box = Vertical(
            Input(placeholder="type to search", id="search", compact=True),
            VerticalScroll(Static(self.listing(""), id="keys", markup=False), can_focus=False),
            id="help",
        )
        box.border_title = "Keys"
        box.border_subtitle = "esc close"
        yield box

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search."""
        self.query_one("#keys", Static).update(self.listing(event.value))

    def listing(self, wanted: str) -> str:
        """Return the keys and the legend whose text contains what is wanted."""
        wanted = wanted.casefold()
        lines = [
            f"{fit(key.group, 10)} {fit(key.shown, 9)} {key.does}"
            for key in KEYS
            if wanted in f"{key.group} {key.shown} {key.does}".casefold()
        ]
        lines += [line for line in self._legend() if wanted in line.casefold()]
        return "\n".join(lines) or "no key does that"

    def _legend(self) -> list[str]:
        glyphs = self._glyphs
        marks = (
            f"{glyphs.closed} closed  {glyphs.open} open  {glyphs.half_open} half-open  "
            f"{glyphs.isolated} isolated  {glyphs.no_data} no data"
        )
        return [
            f"{fit('Legend', 10)} {marks}",
            f"{fit('Legend', 10)} LAST 60s: failures per 6 s, newest right, own scale",
            f"{fit('Legend', 10)} BAD/ALL: failed attempts and all attempts of the last 60 s",
        ]

    def action_close(self) -> None:
        """Go back to the monitor."""
        self.dismiss("")
