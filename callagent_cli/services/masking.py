"""Text of providers, made safe to log: short, without phone numbers and without secrets."""

import re
from typing import Final

LENGTH_MAX: Final = 200
"""Characters of a provider's message that are kept."""

_NUMBER: Final = re.compile(r"\d(?:[\s().\u2010-\u2015-]{0,2}\d){6,}")
_TOKEN: Final = re.compile(
    r"(?i)\b(?:bearer\s+\S+|(?:sk|pk|rk|xi|pat|whsec)[-_][A-Za-z0-9*_-]{6,}|eyJ[A-Za-z0-9._-]{10,})"
)


def _masked_number(found: re.Match[str]) -> str:
    digits = [character for character in found.group() if character.isdigit()]
    return "…" + "".join(digits[-3:])


def safe_text(value: object, *, secret: str = "") -> str:
    """Return a provider's text on one line, as a log may show it.

    Seven or more digits, however they are grouped, shrink to their last three (`…123`); what looks
    like a key or a token, and `secret` itself, become `[secret]`; at most 200 characters stay.
    """
    if not isinstance(value, str):
        return ""
    text = " ".join(value.split())
    if secret:
        text = text.replace(secret, "[secret]")
    text = _NUMBER.sub(_masked_number, _TOKEN.sub("[secret]", text))
    return text if len(text) <= LENGTH_MAX else text[: LENGTH_MAX - 1] + "…"
