"""When a person may be called, in the person's own time zone."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from math import inf
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from callagent_cli.settings import Window

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAYS_AHEAD: Final = 8
_LOOKED_AHEAD: Final = timedelta(days=15)
"""A window of one day a week may fall into the hour that a change of the clock skips."""

_MIDNIGHT: Final = "24:00"


def check_window(window: Window) -> None:
    """Raise `ValueError` unless the window opens at least once a week.

    `24:00` may stand for the end of the day.
    """
    opens, closes = _minute(window.opens), _minute(window.closes)
    if closes <= opens:
        raise ValueError(f"it closes at {window.closes}, which is not after {window.opens}")
    if not window.days:
        raise ValueError("it has no days")


@lru_cache(maxsize=1024)
def zones_of(timezone: str) -> tuple[ZoneInfo, ...]:
    """Return the zones of a contact's `timezone`: IANA names divided by commas, or none for UTC.

    Raises `ValueError` for a name that is not known.
    """
    return tuple(_zone(name.strip()) for name in timezone.split(",")) if timezone else (_UTC,)


def opens_in_s(window: Window, timezone: str, now_utc_s: float) -> float:
    """Return 0 when the window is open, else the seconds until it opens; infinity for never.

    A number may be in several zones (see `zones_of`): all of them must be open. Days are the
    person's calendar days, so a change to or from daylight saving time moves the opening with
    the person's clock.
    """
    zones = zones_of(timezone)
    at_utc_s = now_utc_s
    last_utc_s = now_utc_s + _LOOKED_AHEAD.total_seconds()
    while at_utc_s < last_utc_s:
        wait_s = max(_opens_in_s(window, zone, at_utc_s) for zone in zones)
        if wait_s <= 0:
            return at_utc_s - now_utc_s
        at_utc_s += wait_s
    return inf


def _opens_in_s(window: Window, zone: ZoneInfo, now_utc_s: float) -> float:
    now = datetime.fromtimestamp(now_utc_s, UTC)
    today = now.astimezone(zone).date()
    for ahead in range(_DAYS_AHEAD):
        day = today + timedelta(days=ahead)
        if _DAYS[day.weekday()] in window.days and now < _instant(day, window.closes, zone):
            return max(0.0, (_instant(day, window.opens, zone) - now).total_seconds())
    return inf


def _instant(day: date, text: str, zone: ZoneInfo) -> datetime:
    if text == _MIDNIGHT:
        return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
    return datetime.combine(day, time.fromisoformat(text), zone).astimezone(UTC)


def _minute(text: str) -> int:
    """Return a time of day as minutes since midnight; raises `ValueError` when it is none."""
    if text == _MIDNIGHT:
        return 24 * 60
    at = time.fromisoformat(text)
    return at.hour * 60 + at.minute


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"there is no time zone {name!r}") from error


_UTC: Final = ZoneInfo("UTC")
