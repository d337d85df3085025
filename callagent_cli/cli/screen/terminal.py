"""Whether a screen can be shown on this terminal, and how it should look."""

import locale
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from callagent_cli.errors import UsageError

COLUMNS_MIN: Final = 60
ROWS_MIN: Final = 16
_STREAMS: Final = (0, 1, 2)
"""Keys come from the first, the screen goes to the third, and the second shows who looks."""

_NO_TERMINALS: Final = frozenset({"", "dumb", "unknown"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenLook:
    """How the screen was asked for; `stays` keeps it open after the end of the run."""

    ascii_only: bool = False
    light: bool = False
    stays: bool = False
    show_numbers: bool = False


def has_terminal(environ: Mapping[str, str]) -> bool:
    """Return whether a person sits at a terminal that can show a screen."""
    if environ.get("TERM", "") in _NO_TERMINALS:
        return False
    return all(os.isatty(stream) for stream in _STREAMS)


def is_large_enough() -> bool:
    """Return whether the terminal has room for the screen."""
    try:
        size = os.get_terminal_size(1)
    except OSError:
        return False
    return size.columns >= COLUMNS_MIN and size.lines >= ROWS_MIN


def require_terminal(environ: Mapping[str, str], *, hint: str) -> None:
    """Raise `UsageError` when no screen can be shown."""
    if not has_terminal(environ):
        raise UsageError("a screen needs a terminal, and there is none here", hint=hint)


def speaks_ascii_only() -> bool:
    """Return whether the terminal's encoding has no room for the screen's marks."""
    return not locale.getencoding().lower().startswith("utf")
