"""Text of strangers: what the agent may be handed of a cell, and what a screen may show of it."""

import re
import unicodedata
from typing import Final

from callagent_cli.masking import mask

_ESCAPE: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
"""Terminal control sequences as ECMA-48 defines them: CSI, strings such as OSC, two-byte ones."""

_FORMULA: Final = re.compile(r"\s*(?:=|[+@-][^\s]*[A-Za-z][^\s]*[(|])")
"""What a spreadsheet would compute (OWASP, CSV injection), phone numbers not among it."""

_WIDE_SIGN: Final = re.compile("[\uff1d\ufe66\uff08\uff5c]")
"""What spreadsheets of East Asia take for `=`, `(` and `|`."""

_TEXT_FORMULA: Final = re.compile(r'\s*="([^"]*)"\s*$')
_SHOWN: Final = 40
_KEPT_DIGITS: Final = 3


def suspect(cells: list[str]) -> bool:
    """Return false when `clean` would change none of the cells; quick, and errs on true."""
    text = " ".join(cells)
    if not text.isprintable() or "=" in text or "(" in text or "|" in text:
        return True
    return not text.isascii() and _WIDE_SIGN.search(text) is not None


def _invisible(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Co", "Cs", "Cn"}


def visible(text: str) -> str:
    """Return the text without terminal control sequences and invisible characters.

    Line breaks and tabs become spaces, joiners within emoji stay.
    """
    if text.isascii() and text.isprintable():
        return text
    text = _ESCAPE.sub("", text)
    kept = []
    for character in text:
        if character in "\t\n\r\x0b\x0c\x85\u2028\u2029":
            kept.append(" ")
        elif character == "\u200d" or not _invisible(character):
            kept.append(character)
    return "".join(kept)


def clean(text: str) -> tuple[str, str]:
    """Return a cell as the agent may be handed it, and the code of what was done to it.

    `="…"` loses its wrapping, a formula becomes empty, invisible characters go; an unchanged
    cell has no code.
    """
    wrapped = _TEXT_FORMULA.match(text)
    if wrapped:
        return visible(wrapped[1]).strip(), "spreadsheet_text"
    if _FORMULA.match(text if text.isascii() else unicodedata.normalize("NFKC", text)):
        return "", "formula"
    text = text.replace("\r\n", "\n")
    seen = visible(text)
    return seen.strip(), "hidden" if len(seen) != len(text) else ""


def show(text: str) -> str:
    """Return what a report may show of a cell: one short line, its digits masked but the last 3.

    Control characters appear as escapes, so that a terminal never obeys them.
    """
    shortened = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    digits = sum(character.isdigit() for character in shortened)
    if digits > _KEPT_DIGITS:
        if not any(character.isalpha() for character in shortened):
            return mask("".join(filter(str.isdigit, shortened)))
        shortened = _masked(shortened, digits - _KEPT_DIGITS)
    return "".join(_escaped(character) for character in shortened)


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")


def _masked(text: str, hidden: int) -> str:
    kept = []
    for character in text:
        covered = character.isdigit() and hidden > 0
        hidden -= covered
        kept.append("•" if covered else character)
    return "".join(kept)
