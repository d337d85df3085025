"""What a log or a person may see of a foreign text: no whole phone number, no secret.

This is the one rule about numbers and secrets; who must hide something asks here.
"""

import re
from functools import lru_cache
from typing import Final

HIDDEN: Final = "***"
"""What stands where a secret was."""

LENGTH_MAX: Final = 200
"""Characters of a provider's message that are kept."""

_GAP: Final = r"[ \t\u00a0\u2000-\u200a\u202f\u205f\u3000().\u2010-\u2015/-]"
"""What people write between the digits of a phone number."""

_DATE: Final = r"20\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
_TIME: Final = r"[T ][0-2]\d:[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?Z?"

_KEPT: Final = (
    r"\b[a-z]+_[0-9a-f]{16}(?![0-9A-Za-z])"  # Our own ids: 16 hex digits are no phone number.
    r"|\bINC-\d{4,6}(?:-\d{1,4})?(?!\d)"
    # Digits that go on after a day make it the beginning of a number, as Egypt's begin with 20.
    rf"|(?<!\d){_DATE}(?:{_TIME}(?!\d)|(?!{_GAP}{{0,2}}\d{_GAP}{{0,2}}\d{_GAP}{{0,2}}\d)(?!\d))"
)
_NUMBER: Final = rf"\+\d(?:{_GAP}{{0,3}}\d){{6,}}|\d(?:{_GAP}{{0,2}}\d){{6,}}"
_KEPT_OR_NUMBER: Final = re.compile(f"(?P<kept>{_KEPT})|{_NUMBER}")

_MAYBE: Final = re.compile(rf"\d(?:{_GAP}{{0,3}}\d){{6}}")
"""Where a text without a number has no match; it is found faster than what tells dates apart."""

_SECRET_SHAPE: Final = re.compile(
    r"\b(?i:bearer)\s+\S+"
    # The word `basic` may be said in peace: base64 has a capital, a digit or an end sign.
    r"|\b(?i:basic)\s+(?=\S*[A-Z0-9=])[A-Za-z0-9+/_-]{8,}=*"
    r"|\b(?i:sk|pk|rk|xi|pat|key|whsec)[-_][A-Za-z0-9*_-]{6,}"
    r"|\beyJ[A-Za-z0-9._-]{10,}"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
)
"""What looks like a secret wherever it stands: authorization headers, keys, tokens, passwords in
addresses."""


def mask(number: str) -> str:
    """Return a phone number as logs may show it: its last three digits."""
    return f"…{number[-3:]}" if number else ""


def mask_numbers(text: str) -> str:
    """Return a text in which seven or more digits, however grouped, shrink to `…123`.

    Dates and callagent's own ids keep their digits. A text without a number is returned itself.
    """
    return _KEPT_OR_NUMBER.sub(_masked, text) if _MAYBE.search(text) else text


def _masked(found: re.Match[str]) -> str:
    if found["kept"] is not None:
        return found[0]
    return mask("".join(character for character in found[0] if character.isdigit()))


def hide_secrets(text: str) -> str:
    """Return a text without what looks like a secret."""
    return _SECRET_SHAPE.sub(HIDDEN, text)


def safe_text(value: object, *, secret: str = "") -> str:
    """Return a provider's text on one line, as a log may show it; nothing for what is no text.

    Numbers are masked; what looks like a key or a token, and `secret` itself, are hidden; at most
    200 characters stay.
    """
    if not isinstance(value, str) or not value:
        return ""
    return _safe(value, secret) if len(value) > LENGTH_MAX else _known_safe(value, secret)


def _safe(value: str, secret: str) -> str:
    text = " ".join(value.split())
    if secret:
        text = text.replace(secret, HIDDEN)
    text = mask_numbers(hide_secrets(text))
    return text if len(text) <= LENGTH_MAX else text[: LENGTH_MAX - 1] + "…"


_known_safe = lru_cache(maxsize=256)(_safe)
"""A provider that is down says the same few words thousands of times."""
