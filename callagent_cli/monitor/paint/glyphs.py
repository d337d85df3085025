"""The marks of the monitor: one set for terminals that know Unicode, one in plain ASCII."""

from dataclasses import dataclass
from typing import Final

from callagent_cli.monitor.paint.plain import character_width


@dataclass(frozen=True, slots=True, kw_only=True)
class Glyphs:
    """One set of marks; state is always a glyph and a word, never a color alone."""

    closed: str
    open: str
    half_open: str
    isolated: str
    no_data: str
    levels: str
    done: str
    left: str
    past: str
    planned: str
    mark: str
    held: str
    broken: str
    unseen: str
    seen: str
    resolved: str
    dash: str
    ellipsis: str
    separator: str
    running: str
    idle: str
    paused: str
    waiting: str
    draining: str
    stopped: str
    lost: str

    def breaker(self, state: str | None) -> str:
        """Return the glyph of a breaker's state; none is no data."""
        known = {
            "closed": self.closed,
            "open": self.open,
            "half_open": self.half_open,
            "isolated": self.isolated,
        }
        return known.get(state or "", self.no_data)

    def verdict(self, word: str) -> str:
        """Return the glyph of a verdict's word."""
        known = {
            "RUNNING": self.running,
            "IDLE": self.idle,
            "PAUSED": self.paused,
            "WAITING": self.waiting,
            "DRAINING": self.draining,
            "DONE": self.resolved,
            "STOPPED": self.stopped,
        }
        return known.get(word, self.lost)


UNICODE: Final = Glyphs(
    closed="●",
    open="■",
    half_open="◐",
    isolated="□",
    no_data="·",
    levels="▁▂▃▄▅▆▇",
    done="━",
    left="╌",
    past="─",
    planned="┄",
    mark="●",
    held="✓",
    broken="✗",
    unseen="!",
    seen="·",
    resolved="✓",
    dash="—",
    ellipsis="…",
    separator=" · ",
    running="▶",
    idle="○",
    paused="‖",
    waiting="◔",
    draining="◇",
    stopped="■",
    lost="!",
)

ASCII: Final = Glyphs(
    closed="o",
    open="X",
    half_open="~",
    isolated="#",
    no_data=".",
    levels="_.-=*#",
    done="=",
    left="-",
    past="-",
    planned=".",
    mark="O",
    held="+",
    broken="x",
    unseen="!",
    seen=".",
    resolved="+",
    dash="-",
    ellipsis="...",
    separator=" - ",
    running=">",
    idle="o",
    paused="=",
    waiting="~",
    draining="v",
    stopped="X",
    lost="!",
)


def glyphs(*, ascii_only: bool) -> Glyphs:
    """Return the set of marks to draw with."""
    return ASCII if ascii_only else UNICODE


def to_ascii(text: str) -> str:
    """Return text of the same width in ASCII: a character it lacks becomes question marks."""
    if text.isascii():
        return text
    return "".join(
        character
        if character.isascii()
        else _PLAIN.get(character, "?" * character_width(character))
        for character in text
    )


_PLAIN: Final = {"…": ".", "·": "-", "—": "-", "–": "-", "×": "x"}


def sparkline(counts: tuple[int, ...], levels: str) -> str:
    """Return one mark a count on the series' own scale; nothing is blank, the most is the top."""
    most = max(counts, default=0)
    if not most:
        return " " * len(counts)
    top = len(levels) - 1
    return "".join(
        levels[max(0, -(-count * (top + 1) // most) - 1)] if count else " " for count in counts
    )


def bar(share: float, columns: int, full: str, empty: str) -> str:
    """Return a bar of `columns` marks; it is full only when the share is."""
    filled = min(columns, int(share * columns + 1e-9))
    return full * filled + empty * (columns - filled)
