"""Colors of what people read; nothing is ever said by color alone.

callagent's own marks and phrases get a color, found by their shape in the finished line: so a line
is the same text on a terminal and in a pipe.
"""

import re
from collections.abc import Mapping
from typing import Final, Literal, TextIO

Color = Literal["red", "green", "yellow", "magenta", "cyan", "label", "faint"]

_CODES: Final[dict[str, str]] = {
    "red": "31",
    "green": "32",
    "yellow": "33",
    "magenta": "35",
    "cyan": "36",
    "label": "1;34",
    "faint": "2",
}
"""SGR codes of the sixteen colors that every theme of a terminal defines."""

_OWN: Final = r"(?:^|(?<=^SIMULATION )|(?<=^SANDBOX ))"
_MASKED: Final = r"(?<=…\d{3} )"
_SHAPES: Final[dict[str, str]] = {
    "label": r"^(?:SIMULATION|SANDBOX)\b",
    "faint": rf"{_OWN}(?:\+(?:\d+:)?\d\d:\d\d\.\d\d|\d\d:\d\d:\d\d)(?= )|·{{2,}}",
    "green": (
        r"✓+|─{2,}|● closed\b|▶ RUNNING\b|(?<= → )closed\b"
        rf"|{_OWN}HELD\b|{_MASKED}done\b|\bALERT resolved\b"
    ),
    "red": (
        r"✗+|█+|▓+|■ open\b|! (?:LOST|STALLED)\b|(?<= → )open\b"
        rf"|{_OWN}BROKEN\b|{_MASKED}(?:failed|review)\b|\bALERT opened\b"
    ),
    "yellow": (
        r"▒+|↻+|◐ half-open\b|(?:◔|‖|◇) [A-Z]+\b|(?<= → )half-open\b"
        rf"|{_OWN}(?:INVALID|COULD NOT JUDGE)\b"
        rf"|{_MASKED}(?:parked|scheduled|reconciling)\b|\bALERT update\b"
    ),
    "magenta": r"╳+|□ isolated\b|(?<= → )isolated\b",
    "cyan": r"▬+",
}
_PAINTED: Final = re.compile("|".join(f"(?P<{name}>{shape})" for name, shape in _SHAPES.items()))


def wants_color(stream: TextIO | None, environ: Mapping[str, str]) -> bool:
    """Return whether text on `stream` may be colored.

    `NO_COLOR` wins over `FORCE_COLOR` (no-color.org, force-color.org: set and not empty), which
    wins over `TERM=dumb` and over a stream that is no terminal.
    """
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    if environ.get("TERM") == "dumb":
        return False
    return stream is not None and stream.isatty()


def colored(text: str, color: Color) -> str:
    """Return a text in a color."""
    return f"\x1b[{_CODES[color]}m{text}\x1b[0m"


def painted(line: str) -> str:
    """Return a line with its marks, states and verdicts in color."""
    return _PAINTED.sub(_paint, line)


def _paint(found: re.Match[str]) -> str:
    return f"\x1b[{_CODES[found.lastgroup or '']}m{found[0]}\x1b[0m"
