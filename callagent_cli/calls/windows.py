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
_SECOND: Final = timedelta(seconds=1)


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
    the person's clock: whenever that shows a time outside the window, the window is closed.
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
        if _DAYS[day.weekday()] in window.days and now < _closing(day, window.closes, zone):
            return max(0.0, (_opening(day, window.opens, zone, now) - now).total_seconds())
    return inf


def _opening(day: date, text: str, zone: ZoneInfo, now: datetime) -> datetime:
    """Return the opening of a day that counts now.

    In an hour that a change of the clock repeats there are two: after the first one, the clock
    shows a time before it once more. One that a change skips comes as much later as the clock is
    put forward.
    """
    first, second = _readings(day, text, zone)
    repeated = first <= now < second and _change(zone, first, second) <= now
    return second if repeated else first


def _closing(day: date, text: str, zone: ZoneInfo) -> datetime:
    """Return when a clock first shows a time of day: what has closed stays closed.

    One that a change of the clock skips is over with the change.
    """
    first, second = _readings(day, text, zone)
    return first if first <= second else _change(zone, second, first)


def _readings(day: date, text: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the instants that a time of day is by the rules before and after a change."""
    if text == _MIDNIGHT:
        day, text = day + timedelta(days=1), "00:00"
    local = datetime.combine(day, time.fromisoformat(text), zone)
    return local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """Return the instant between two at which the clocks of a zone are set, to the second."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


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
