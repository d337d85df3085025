"""When a person may be called, in the person's own time zone."""

from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from callagent_cli.settings import Window

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAYS_AHEAD: Final = 8


def opens_in_s(window: Window, timezone: str, now_utc_s: float) -> float:
    """Return 0 when the window is open in that zone, else the seconds until it opens.

    `timezone` is an IANA name; an empty one means UTC. Days are the person's calendar days, so a
    change to or from daylight saving time moves the opening with the person's clock.
    """
    zone = ZoneInfo(timezone or "UTC")
    now = datetime.fromtimestamp(now_utc_s, UTC)
    today = now.astimezone(zone).date()
    for ahead in range(_DAYS_AHEAD):
        day = today + timedelta(days=ahead)
        if _DAYS[day.weekday()] not in window.days:
            continue
        opens = datetime.combine(day, _time(window.opens), zone).astimezone(UTC)
        closes = datetime.combine(day, _time(window.closes), zone).astimezone(UTC)
        if now < closes:
            return max(0.0, (opens - now).total_seconds())
    return timedelta(days=_DAYS_AHEAD).total_seconds()


def _time(text: str) -> time:
    return time.fromisoformat(text)
