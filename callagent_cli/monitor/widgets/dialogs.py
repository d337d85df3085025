"""Questions before what is hard to undo, and the way out."""

from dataclasses import dataclass
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Static

from callagent_cli.monitor.paint.plain import clean, fit

KEY_COLUMNS: Final = 5
"""The room of an answer's key, so that all answers begin in one column."""


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
            *(part for choice in self.choices for part in _shown(choice)),
            *_shown(Choice("esc", "", "stay")),
            id="dialog",
        )
        box.border_title = Content(clean(self.title_text))
        yield box

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


def _shown(choice: Choice) -> list[Static]:
    """Return an answer as a line; what is not possible is dimmed, with the reason under it."""
    key = fit(choice.key, KEY_COLUMNS)
    if not choice.refusal:
        return [Static(Content.assemble((key, "bold $primary"), choice.label), classes="answer")]
    return [
        Static(f"{key}{choice.label}", markup=False, classes="answer refused"),
        Static(
            f"not possible: {clean(choice.refusal)}",
            markup=False,
            classes="answer refused reason",
        ),
    ]
