"""Text for terminals: foreign text made harmless, measured, cut, and numbers put into words."""

import re
import unicodedata
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import Final

from callagent_cli.counting import counted

ELLIPSIS: Final = "…"
_ZERO_WIDTH: Final = frozenset({"Mn", "Me", "Cf"})
_UNITS: Final = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
_FOUR_DIGITS: Final = 9999
_WAIT: Final = re.compile(r"([\d,]+) ([a-z, ]+?)(?:: (.+))?")
_NEXT_WAIT: Final = re.compile(r", (?=\d+ [a-z])")
_CODES: Final = {"no_answer": "no answer", "half_open": "half-open"}
_HARMFUL: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def clean(text: str) -> str:
    """Return text that cannot move a cursor, change colors, or reorder what stands beside it.

    Control characters (an escape sequence loses its escape), bidirectional and other invisible
    format characters, lone surrogates and private characters become a visible `·`.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_harmless(character) for character in text)


def _harmless(character: str) -> str:
    if character in "\t\n\r":
        return " "
    return "·" if unicodedata.category(character) in _HARMFUL else character


def width(text: str) -> int:
    """Return how many terminal columns a cleaned text takes."""
    return len(text) if text.isascii() else sum(map(character_width, text))


@lru_cache(maxsize=4096)
def character_width(character: str) -> int:
    """Return how many columns one character takes: 0, 1 or 2."""
    if unicodedata.category(character) in _ZERO_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def cut(text: str, columns: int, *, ellipsis: str = ELLIPSIS) -> str:
    """Return the text cut to at most `columns` columns, with an ellipsis when something is lost."""
    if columns <= 0:
        return ""
    if width(text) <= columns:
        return text
    room, kept = columns - width(ellipsis), 0
    if room < 0:
        return "." * columns
    taken: list[str] = []
    for character in text:
        kept += character_width(character)
        if kept > room:
            break
        taken.append(character)
    return "".join(taken) + ellipsis


def fit(text: str, columns: int, *, right: bool = False, ellipsis: str = ELLIPSIS) -> str:
    """Return the text cut and padded to exactly `columns` columns."""
    text = cut(text, columns, ellipsis=ellipsis)
    padding = " " * max(0, columns - width(text))
    return padding + text if right else text + padding


def countdown(seconds: float) -> str:
    """Return whole seconds as `00:07`, `12:40` or `2:14:07`; never below zero."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def short_duration(seconds: float) -> str:
    """Return a duration in at most two units: `7s`, `3m 20s`, `2h 14m`, `5d 3h`."""
    rest = max(0, int(seconds))
    parts: list[tuple[int, str]] = []
    for unit, length_s in _UNITS:
        count, rest = divmod(rest, length_s)
        if count or parts or unit == "s":
            parts.append((count, unit))
    return " ".join(f"{count}{unit}" for count, unit in parts[:2] if count) or "0s"


def clock_time(utc_s: float, zone: tzinfo | None = None) -> str:
    """Return the time of day as `12:04:31`, in the local zone unless another one is given."""
    moment = (
        datetime.fromtimestamp(utc_s, zone) if zone else datetime.fromtimestamp(utc_s).astimezone()
    )
    return moment.strftime("%H:%M:%S")


def percent(share: float) -> str:
    """Return a share of 0 to 1 as `2.0%`, and `100%` without a decimal."""
    return "100%" if share >= 1 else f"{share * 100:.1f}%"


def latency(seconds: float) -> str:
    """Return a latency as `0.31s`, `12.4s` or `123s`: never wider than five columns."""
    for limit, decimals in ((9.995, 2), (99.95, 1)):
        if seconds < limit:
            return f"{seconds:.{decimals}f}s"
    return f"{min(seconds, _FOUR_DIGITS):.0f}s"


def in_words(text: str) -> str:
    """Return a text with the codes of states and results as people write them."""
    for code, words in _CODES.items():
        text = text.replace(code, words)
    return text


def gathered(waits: str) -> str:
    """Return who waits for what with each reason once: `9 pending, 3 parked: llm is open`.

    A worker tells each group of calls apart: `9 pending: llm is open, 3 parked: llm is open`.
    """
    told = []
    for why, states in _groups(waits).items():
        calls = ", ".join(f"{count:,} {state}" for state, count in states.items())
        told.append(f"{calls}: {why}" if why else calls)
    return "; ".join(told) or waits


def reasons_first(waits: str) -> str:
    """Return what is waited for before how many wait: `llm is open, 12 calls wait`."""
    told = []
    for why, states in _groups(waits).items():
        calls = ", ".join(f"{count:,} {state}" for state, count in states.items())
        if why:
            calls = f"{why}, {counted(sum(states.values()), 'call waits', 'calls wait')}"
        told.append(calls)
    return "; ".join(told) or waits


def _groups(waits: str) -> dict[str, dict[str, int]]:
    """Return the calls of each state by what they wait for; nothing for any other text."""
    groups: dict[str, dict[str, int]] = {}
    for part in _NEXT_WAIT.split(waits):
        found = _WAIT.fullmatch(part)
        if found is None:
            return {}
        states = groups.setdefault(found[3] or "", {})
        states[found[2]] = states.get(found[2], 0) + int(found[1].replace(",", ""))
    return groups
