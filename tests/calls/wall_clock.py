"""The clock on a person's wall: what calling windows must agree with, in its plainest form."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from callagent_cli.settings import Window

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def at(text: str, zone: str) -> float:
    """Return an instant given as a local time."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def is_open(window: Window, zone: str, utc_s: float) -> bool:
    """Say whether a window is open by the clock on the wall."""
    local = datetime.fromtimestamp(utc_s, ZoneInfo(zone))
    return DAYS[local.weekday()] in window.days and window.opens <= f"{local:%H:%M}" < window.closes
