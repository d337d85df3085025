"""How long a provider asks us to wait: every spelling of `Retry-After` that providers use."""

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

LONGEST_S: Final = 24 * 3600.0
"""No wait is longer than a day, whatever a header says (HubSpot's longest is 24 h)."""

_NUMBER: Final = re.compile(r"[0-9]{1,30}(?:\.[0-9]{0,30})?")


def _number(value: str) -> float | None:
    value = value.strip()
    return float(value) if _NUMBER.fullmatch(value) else None


def _instant(value: str) -> float | None:
    """Return an HTTP date as UTC seconds, or nothing when it is none."""
    try:
        moment = parsedate_to_datetime(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _capped(wait_s: float | None) -> float | None:
    return None if wait_s is None or wait_s < 0 else min(wait_s, LONGEST_S)


def _milliseconds(headers: Mapping[str, str]) -> float | None:
    for name in ("retry-after-ms", "x-ms-retry-after-ms"):
        wait_ms = _number(headers.get(name, ""))
        if wait_ms is not None:
            return wait_ms / 1000
    return None


def _until(instant_s: float | None, headers: Mapping[str, str], now_utc_s: float) -> float | None:
    """Return the seconds until an instant, by the provider's own clock where it tells its time."""
    if instant_s is None:
        return None
    their_now_s = _instant(headers.get("date", ""))
    return instant_s - (now_utc_s if their_now_s is None else their_now_s)


def retry_after_s(headers: Mapping[str, str], now_utc_s: float) -> float | None:
    """Return the wait in seconds that an answer asks for, or nothing when it asks for none.

    Understood are `retry-after-ms`, `x-ms-retry-after-ms`, `Retry-After` (seconds, fractions, HTTP
    date) and `X-RateLimit-Reset` (an instant, as ElevenLabs' own client reads it), in this order.
    A wait longer than 24 h counts as 24 h; a negative or unreadable one is no wait. Header names
    are lower case.
    """
    wait_s = _capped(_milliseconds(headers))
    if wait_s is not None:
        return wait_s
    stated = headers.get("retry-after", "")
    seconds = _number(stated)
    wait_s = _capped(
        seconds if seconds is not None else _until(_instant(stated), headers, now_utc_s)
    )
    if wait_s is not None:
        return wait_s
    return _capped(_until(_number(headers.get("x-ratelimit-reset", "")), headers, now_utc_s))
