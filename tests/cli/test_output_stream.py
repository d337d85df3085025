"""The two output streams: colors, JSON, control characters, and readers that go away."""

import errno
import io
import json
import re
from typing import Any

import pytest

from callagent_cli.cli.text import diagnostics
from callagent_cli.cli.text.color import painted, wants_color
from callagent_cli.cli.text.output import Output, printable


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class _Broken(io.StringIO):
    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code
        self.writes = 0

    def write(self, _text: str) -> int:
        self.writes += 1
        raise OSError(self.code, "broken")


@pytest.mark.parametrize(
    ("environ", "terminal", "expected"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": ""}, False, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ({"TERM": "dumb"}, True, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, False, True),
    ],
)
def test_colors_follow_the_documented_variables(
    environ: dict[str, str], *, terminal: bool, expected: bool
) -> None:
    """`NO_COLOR` beats `FORCE_COLOR`, which beats `TERM=dumb` and a stream that is no terminal."""
    stream = _Terminal() if terminal else io.StringIO()

    assert wants_color(stream, environ) is expected


@pytest.mark.parametrize(
    ("line", "marked"),
    [
        ("SIMULATION ✓ finished", "[SIMULATION] [✓] finished"),
        ("SIMULATION HELD: every", "[SIMULATION] [HELD]: every"),
        ("SIMULATION BROKEN: 1 of 9", "[SIMULATION] [BROKEN]: 1 of 9"),
        ("SANDBOX 09:00:00 call Jo …101 done", "[SANDBOX] [09:00:00] call Jo …101 [done]"),
        ("+00:01.50 call Jo …101 failed: 400", "[+00:01.50] call Jo …101 [failed]: 400"),
        ("crm breaker closed → half-open: x", "crm breaker closed → [half-open]: x"),
        ("crm breaker half-open → closed: x", "crm breaker half-open → [closed]: x"),
        ("crm breaker    ──███▒▒╳─── ", "crm breaker    [──][███][▒▒][╳][───] "),
        ("elevenlabs   ■ open   00:06", "elevenlabs   [■ open]   00:06"),
        ("the shop is open, done at 09:00:00", "the shop is open, done at 09:00:00"),
        ("BROKEN and HELD names", "[BROKEN] and HELD names"),
    ],
)
def test_our_marks_are_painted_and_nothing_is_added_to_the_text(line: str, marked: str) -> None:
    """Marks, states and verdicts have a color where callagent puts them; the text stays whole."""
    found = painted(line)

    assert re.sub(r"\x1b\[[0-9;]+m(.*?)\x1b\[0m", r"[\1]", found) == marked
    assert re.sub(r"\x1b\[[0-9;]*m", "", found) == line


def test_lines_are_painted_where_colors_are_wanted_and_data_never(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A terminal shows colors, a pipe the bare line; what a program reads is exact in both."""
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    said = {}
    for kind in (_Terminal, io.StringIO):
        stream = kind()
        output = Output(stream)
        output.line("✓ whole")
        output.exact("✓ whole")
        said[kind] = stream.getvalue()

    assert said[_Terminal] == "\x1b[32m✓\x1b[0m whole\n✓ whole\n"
    assert said[io.StringIO] == "✓ whole\n✓ whole\n"


def test_a_closed_stream_is_no_failure() -> None:
    """Without a stream nothing is colored and nothing fails."""
    output = Output(None)
    output.line("nobody hears this")

    assert (output.terminal, output.failure) == (False, None)
    assert not wants_color(None, {})


def test_only_the_color_differs_between_terminal_and_pipe(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A warning is the same text with and without color; only its label is colored."""
    monkeypatch.setenv("NO_COLOR", "1")
    diagnostics.warning("the disk is slow")
    plain = capsys.readouterr().err
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("FORCE_COLOR", "1")
    diagnostics.warning("the disk is slow")

    assert plain == "warning: the disk is slow\n"
    assert capsys.readouterr().err == "\x1b[33mwarning:\x1b[0m the disk is slow\n"


def test_a_document_is_one_line_of_json() -> None:
    """A document is one line, whatever line ends its strings hold."""
    stream = io.StringIO()
    value: dict[str, Any] = {"schema": 1, "text": "two\nlines"}
    Output(stream).document(value)

    assert stream.getvalue().count("\n") == 1
    assert json.loads(stream.getvalue()) == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Carmen Díaz …", "Carmen Díaz …"),
        ("a\tb\nc", "a\tb\nc"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("right\u202eleft", "right\\u202eleft"),
    ],
)
def test_control_characters_are_escaped(text: str, expected: str) -> None:
    """What could steer a terminal is shown instead of obeyed."""
    assert printable(text) == expected


@pytest.mark.parametrize("code", [errno.EPIPE, errno.EINVAL])
def test_a_reader_that_goes_away_ends_the_writing_only(code: int) -> None:
    """After the first broken pipe nothing more is written, and nothing is raised."""
    stream = _Broken(code)
    output = Output(stream)
    output.line("one")
    output.line("two")

    assert (output.reader_gone, output.failure, stream.writes) == (True, None, 1)


def test_a_failure_to_write_is_kept() -> None:
    """A full disk is kept for the end of the command."""
    output = Output(_Broken(errno.ENOSPC))
    output.line("one")

    assert output.failure is not None
    assert not output.reader_gone


class Terminal(io.StringIO):
    """A terminal that keeps what it is shown."""

    def isatty(self) -> bool:
        """Say that a person looks."""
        return True


@pytest.mark.parametrize(
    ("stream", "shown"),
    [
        (Terminal(), "  one two\n      three\n      four\n"),
        (io.StringIO(), "  one two three four\n"),
    ],
)
def test_a_sentence_is_folded_between_words_on_a_terminal_only(
    stream: io.StringIO, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipe gets one line; on a terminal what does not fit stands under it, further in."""
    monkeypatch.setenv("COLUMNS", "12")

    Output(stream).prose("  one two three four", indent=4)

    assert stream.getvalue() == shown
