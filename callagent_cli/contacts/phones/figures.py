"""Figures that a phone cell may hold and nobody can be called at: fractions and dates."""

import re
from typing import Final

_FRACTION: Final = re.compile(r"(\+?[\d\s()\-/]*\d)[.,](\d{1,3})")
_BARE: Final = re.compile(r"\+?\d+")
_DIGIT: Final = re.compile(r"\d")
_SUBSCRIBER_DIGITS: Final = 7
_GROUP_DIGITS: Final = 3
_LONGEST_DATE: Final = 10
_DAY: Final = r"(?:0?[1-9]|[12]\d|3[01])"
_YEAR: Final = r"(?:19|20)\d\d"
_DATE: Final = re.compile(
    rf"{_YEAR}([./-])(?:0?[1-9]|1[0-2])\1{_DAY}|{_DAY}([./-]){_DAY}\2(?:{_YEAR}|\d\d)"
)


def without_zeros(text: str) -> tuple[str, tuple[str, ...]]:
    """Return a number without the `.0` that a spreadsheet has put behind it, and the code of it."""
    found = _FRACTION.fullmatch(text)
    if found is None or found[2].strip("0"):
        return text, ()
    stored = _BARE.fullmatch(found[1]) or found[2] == "0"
    return (found[1], ("decimal",)) if stored else (text, ())


def is_fraction(text: str) -> bool:
    """Say whether digits stand behind the point of a whole number: they are none of its own.

    A point may also stand after an area code: then fewer digits precede it, or more follow.
    """
    found = _FRACTION.fullmatch(text)
    if found is None:
        return False
    return len(found[2]) < _GROUP_DIGITS or len(_DIGIT.findall(found[1])) >= _SUBSCRIBER_DIGITS


def is_date(text: str) -> bool:
    """Say whether a text is a day, in the order of any country."""
    return len(text) <= _LONGEST_DATE and _DATE.fullmatch(text) is not None
