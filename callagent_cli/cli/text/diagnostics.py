"""The only writer to standard error: errors, warnings, notes; never data."""

import os
import sys

from callagent_cli.cli.text.color import Color, colored, wants_color
from callagent_cli.cli.text.output import printable, standard_output
from callagent_cli.errors import CallAgentError


def error(message: str, *, hint: str = "") -> None:
    """Say what is wrong, and after a blank line what to do next."""
    _say("error", "red", message)
    if hint:
        _write("\n")
        _say("hint", "cyan", hint)


def error_of(raised: CallAgentError) -> None:
    """Show an error that was raised for a person."""
    error(raised.message, hint=raised.hint)


def warning(message: str) -> None:
    """Say what a person should know although the command goes on."""
    _say("warning", "yellow", message)


def note(message: str) -> None:
    """Say what is being done, or what was done: progress, places of files, the next command."""
    _write(printable(message) + "\n")


def to_a_terminal() -> bool:
    """Say whether a person sees what is written here."""
    return sys.stderr is not None and sys.stderr.isatty()


def moving(message: str) -> None:
    """Show what is being done on a line that the next one overwrites; empty takes it away.

    Only for a terminal.
    """
    _write(f"\r\x1b[K{printable(message)}")


def asked(question: str) -> str | None:
    """Return what a person types at the terminal after a question; None when nobody is there."""
    if sys.stdin is None or not sys.stdin.isatty():
        return None
    _write(printable(question) + " ")
    return sys.stdin.readline().strip()


def _say(label: str, color: Color, message: str) -> None:
    label = f"{label}:"
    if wants_color(sys.stderr, os.environ):
        label = colored(label, color)
    _write(f"{label} {printable(message)}\n")


def _write(text: str) -> None:
    standard_output().flush()  # The two streams keep their order when both go to one place.
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        return  # There is nobody left to tell.
