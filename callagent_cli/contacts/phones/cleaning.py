"""What spreadsheets and web pages put around a number, taken off."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from callagent_cli.contacts.cells import visible

_WRAPPED: Final = re.compile(r'="([^"]*)"')


def clean(text: str, changes: list[str]) -> str:
    """Return the cell without what spreadsheets and web pages put around a number.

    The codes of what was done are added to `changes`.
    """
    if not (text.isascii() and text.isprintable()):
        lines = text.strip().replace("\r\n", "\n").replace("\r", "\n").split("\n")
        plain = [visible(_ascii_signs(line)) for line in lines]
        if any(len(line) != len(before) for line, before in zip(plain, lines, strict=True)):
            changes.append("hidden")
        text = "\n".join(plain)
    text = text.strip()
    wrapped = _WRAPPED.fullmatch(text)
    if wrapped or text.startswith("'"):
        changes.append("spreadsheet_text")
        text = wrapped[1].strip() if wrapped else text[1:].strip()
    if text[:4].lower() == "tel:":
        changes.append("tel")
        text = text[4:].strip()
    return text


def _ascii_signs(text: str) -> str:
    """Return digits, plus signs, dashes and spaces of any script as their ASCII forms."""
    return "".join(_ascii_sign(character) for character in text)


@lru_cache(maxsize=4096)
def _ascii_sign(character: str) -> str:
    if character.isascii():
        return character
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    category = unicodedata.category(character)
    if category == "Pd" or character == "\u2212":
        return "-"
    folded = unicodedata.normalize("NFKC", character)
    return folded if len(folded) == 1 and category != "No" else character
