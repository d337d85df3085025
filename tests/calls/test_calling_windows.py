"""When a person may be called, across zones, days and both changes of the clock."""

from datetime import UTC, datetime, timedelta
from math import inf, isinf
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wall_clock import at, is_open

from callagent_cli.calls.windows import check_window, opens_in_s, zones_of
from callagent_cli.settings import Window

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAY = Window(opens="08:00", closes="21:00")
ZONES = ("America/New_York", "Europe/London", "Australia/Sydney", "America/Sao_Paulo")


@pytest.mark.parametrize("zone", ZONES)
def test_inside_the_window_a_person_may_be_called_at_once(zone: str) -> None:
    """Including its first second, excluding the one at which it closes."""
    assert opens_in_s(DAY, zone, at("2026-05-06T08:00", zone)) == 0
    assert opens_in_s(DAY, zone, at("2026-05-06T20:59:59", zone)) == 0
    assert opens_in_s(DAY, zone, at("2026-05-06T21:00", zone)) == 11 * 3600


@pytest.mark.parametrize(
    ("zone", "evening", "hours"),
    [
        ("America/New_York", "2026-03-07T21:00", 10),
        ("America/New_York", "2026-10-31T21:00", 12),
        ("Europe/London", "2026-03-28T21:00", 10),
        ("Europe/London", "2026-10-24T21:00", 12),
        ("Australia/Sydney", "2026-10-03T21:00", 10),
        ("Australia/Sydney", "2026-04-04T21:00", 12),
        ("America/Sao_Paulo", "2026-03-28T21:00", 11),
    ],
)
def test_the_night_of_a_clock_change_is_an_hour_shorter_or_longer(
    zone: str, evening: str, hours: int
) -> None:
    """The window opens at eight by the person's clock, whatever happened in the night."""
    assert opens_in_s(DAY, zone, at(evening, zone)) == hours * 3600


def test_an_opening_that_does_not_exist_comes_with_the_changed_clock() -> None:
    """02:30 is skipped in spring: the window opens at 03:30, an hour before it would not."""
    window = Window(opens="02:30", closes="05:00")
    wait_s = opens_in_s(window, "America/New_York", at("2026-03-08T01:59", "America/New_York"))

    assert wait_s == 31 * 60


@given(
    zone=st.sampled_from(ZONES),
    utc_s=st.integers(
        int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()),
        int(datetime(2026, 12, 31, tzinfo=UTC).timestamp()),
    ),
    opens=st.integers(4, 12),
    hours=st.integers(1, 11),
    days=st.lists(
        st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), min_size=1, unique=True
    ),
)
def test_the_window_is_open_when_it_is_said_to_open_and_not_before(
    zone: str, utc_s: int, opens: int, hours: int, days: list[Day]
) -> None:
    """For any instant of a year, compared with the wall clock hour by hour."""
    window = Window(opens=f"{opens:02}:00", closes=f"{opens + hours:02}:00", days=days)
    wait_s = opens_in_s(window, zone, float(utc_s))

    assert is_open(window, zone, utc_s + wait_s)
    before = range(0, int(wait_s), 1800)
    assert not any(is_open(window, zone, utc_s + seconds) for seconds in before)
    assert wait_s <= timedelta(days=8).total_seconds()


@given(
    zones=st.lists(st.sampled_from(ZONES), min_size=2, max_size=4, unique=True),
    hour=st.integers(0, 24 * 365),
)
def test_all_zones_of_a_number_must_be_open(zones: list[str], hour: int) -> None:
    """When it is said to open, it is open in each of them; if never, in none at once."""
    utc_s = datetime(2026, 1, 1, tzinfo=UTC).timestamp() + hour * 3600
    wait_s = opens_in_s(DAY, ", ".join(zones), utc_s)
    if isinf(wait_s):
        hours = range(8 * 24)
        assert not any(
            all(is_open(DAY, zone, utc_s + each * 3600) for zone in zones) for each in hours
        )
    else:
        assert all(is_open(DAY, zone, utc_s + wait_s) for zone in zones)


def test_zones_that_are_never_open_together_never_open() -> None:
    """Half a world apart, three hours each: there is no such moment."""
    window = Window(opens="09:00", closes="12:00")

    assert opens_in_s(window, "Europe/London,Pacific/Auckland", 0.0) == inf


def test_no_zone_means_utc() -> None:
    """As in the sandbox, whose people live nowhere."""
    assert opens_in_s(DAY, "", at("2026-01-05T07:00", "UTC")) == 3600


@pytest.mark.parametrize(
    "name", ["Mars/Olympus", "Europe/Berlin,", "America", "../etc/passwd", " "]
)
def test_an_unknown_zone_is_refused_early(name: str) -> None:
    """The import checks them; the worker never meets one."""
    with pytest.raises(ValueError, match="no time zone"):
        zones_of(name)


def test_a_closed_day_is_passed_over() -> None:
    """From Friday evening to Monday morning."""
    window = Window(opens="08:00", closes="21:00", days=["mon", "tue", "wed", "thu", "fri"])
    friday = at("2026-05-08T21:00", "Europe/London")

    assert opens_in_s(window, "Europe/London", friday) == 59 * 3600


def test_a_window_may_last_until_midnight() -> None:
    """`24:00` is the end of the day."""
    window = Window(opens="10:00", closes="24:00")
    check_window(window)

    assert opens_in_s(window, "UTC", at("2026-05-08T23:59:59", "UTC")) == 0
    assert opens_in_s(window, "UTC", at("2026-05-09T00:00", "UTC")) == 10 * 3600


@pytest.mark.parametrize(
    "window",
    [
        Window(opens="21:00", closes="08:00"),
        Window(opens="08:00", closes="08:00"),
        Window(opens="08:00", closes="25:00"),
        Window(opens="08:61", closes="09:00"),
        Window(days=[]),
    ],
)
def test_a_window_that_never_opens_is_refused(window: Window) -> None:
    """Before the first call, and not by calling nobody for ever."""
    with pytest.raises(ValueError, match=r"it (closes|has)|hour|minute|isoformat"):
        check_window(window)
