"""Reading what a provider sent: JSON into typed values, never an exception for any bytes."""

import math
import re
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec

Shape = TypeVar("Shape")

_ID: Final = re.compile(r"(?![0-9]{7,15}$)[A-Za-z0-9][A-Za-z0-9_.:/=+-]{0,99}")
"""An id is one word, and not one that could be a phone number."""

_decoders: Final[dict[type, msgspec.json.Decoder[Any]]] = {}
"""One for each shape that was read; there are a dozen, each asked for thousands of times."""

_ID_HEADERS: Final = ("request-id", "x-request-id", "x-trace-id", "x-hubspot-correlation-id")


def decode(body: bytes, shape: type[Shape]) -> Shape | None:
    """Return JSON bytes as a value of `shape`, or nothing when they are not one.

    Unknown fields are ignored and missing ones take their default, as `shape` states them.
    """
    decoder = _decoders.get(shape)
    if decoder is None:
        decoder = _decoders[shape] = msgspec.json.Decoder(shape)
    try:
        decoded: Shape = decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return decoded


def text(value: object) -> str:
    """Return a string as it is, and anything else as an empty string."""
    return value if isinstance(value, str) else ""


def number(value: object) -> float | None:
    """Return a finite number as a float, and anything else as nothing."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        converted = float(value)
    except OverflowError:
        return None
    return converted if math.isfinite(converted) else None


def mapping(value: object) -> dict[str, Any]:
    """Return a JSON object as it is, and anything else as an empty one."""
    return value if isinstance(value, dict) else {}


def is_id(value: str) -> bool:
    """Tell whether a text can be an id: one short word, and no phone number."""
    return _ID.fullmatch(value) is not None


def request_id(headers: Mapping[str, str], *stated: object, secret: str = "") -> str:
    """Return the provider's id of a request: the first one stated in the body or the headers.

    What holds `secret` is an echo of our key and no id.
    """
    candidates = [*stated, *(headers.get(name, "") for name in _ID_HEADERS)]
    for candidate in candidates:
        if isinstance(candidate, str) and _ID.fullmatch(candidate):
            return "" if secret and secret in candidate else candidate
    return ""
