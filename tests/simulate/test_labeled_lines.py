"""Lines of a rehearsal on a terminal, however narrow it is."""

import io

import pytest

from callagent_cli.cli.simulate import labels
from callagent_cli.cli.text.output import Output


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("columns", [1, 10, 11, 12, 25, 40, 80, 300])
def test_a_terminal_of_any_width_gets_whole_words(
    columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below the label's own width there is nothing left to wrap into, and the words come out."""
    text = "elevenlabs-503: three minutes of 503, and every call is made"
    terminal = _Terminal()
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(labels, "standard_output", lambda: Output(terminal))
    labels.print_labeled(text)

    lines = terminal.getvalue().splitlines()
    assert all(line.startswith("SIMULATION ") for line in lines)
    assert all(len(line) <= max(columns, 31) for line in lines)
    assert " ".join(line.removeprefix("SIMULATION").strip() for line in lines) == text
