"""Calling windows across both changes of the clocks, in four zones and in several at once."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wall_clock import DAYS, is_open

from callagent_cli.calls.windows import opens_in_s
from callagent_cli.settings import Window

CHANGES: Final = {
    "America/New_York": (datetime(2026, 3, 8, 7, tzinfo=UTC), datetime(2026, 11, 1, 6, tzinfo=UTC)),
    "Europe/Berlin": (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)),
    "Australia/Sydney": (
        datetime(2026, 4, 4, 16, tzinfo=UTC),
        datetime(2026, 10, 3, 16, tzinfo=UTC),
    ),
    "America/St_Johns": (
        datetime(2026, 3, 8, 5, 30, tzinfo=UTC),
        datetime(2026, 11, 1, 4, 30, tzinfo=UTC),
    ),
}
"""Zone → the instants of 2026 at which its clocks change."""

AROUND: Final = 3 * 24 * 60

windows = st.tuples(
    st.integers(0, 22), st.integers(1, 23), st.lists(st.sampled_from(DAYS), min_size=1, unique=True)
).filter(lambda parts: parts[0] < parts[1])
moments = st.tuples(
    st.sampled_from(sorted(CHANGES)), st.sampled_from((0, 1)), st.integers(-AROUND, AROUND)
)


def _window(opens: int, closes: int, days: list[str]) -> Window:
    return Window(opens=f"{opens:02d}:00", closes=f"{closes:02d}:00", days=days)  # type: ignore[arg-type]


@pytest.mark.parametrize("zone", sorted(CHANGES))
@pytest.mark.parametrize("change", [0, 1])
def test_the_clocks_do_change_there(zone: str, change: int) -> None:
    """The instants above are changes: an hour's jump lies between the two seconds around them."""
    at = CHANGES[zone][change]
    before, after = (
        (at + timedelta(seconds=second)).astimezone(ZoneInfo(zone)).utcoffset()
        for second in (-1, 0)
    )

    assert before != after


@given(moment=moments, parts=windows)
def test_a_window_opens_when_the_persons_clock_says_so(
    moment: tuple[str, int, int], parts: tuple[int, int, list[str]]
) -> None:
    """The wait ends in an open window, and until its last second the window is closed."""
    zone, change, minutes = moment
    window = _window(*parts)
    now_utc_s = (CHANGES[zone][change] + timedelta(minutes=minutes)).timestamp()

    wait_s = opens_in_s(window, zone, now_utc_s)

    assert is_open(window, zone, now_utc_s + wait_s)
    assert wait_s == 0 or not is_open(window, zone, now_utc_s + wait_s - 1)
    assert (wait_s == 0) == is_open(window, zone, now_utc_s)


@given(moment=moments, parts=windows, others=st.sets(st.sampled_from(sorted(CHANGES)), max_size=2))
def test_several_zones_must_all_be_open(
    moment: tuple[str, int, int], parts: tuple[int, int, list[str]], others: set[str]
) -> None:
    """A number in several zones is called only when each of them is; the wait may be for ever."""
    zone, change, minutes = moment
    window = _window(*parts)
    zones = [zone, *sorted(others)]
    now_utc_s = (CHANGES[zone][change] + timedelta(minutes=minutes)).timestamp()

    wait_s = opens_in_s(window, ",".join(zones), now_utc_s)

    open_now = all(is_open(window, each, now_utc_s) for each in zones)
    assert (wait_s == 0) == open_now
    if wait_s != float("inf"):
        assert all(is_open(window, each, now_utc_s + wait_s) for each in zones)


@pytest.mark.parametrize(
    ("zone", "evening", "hours"),
    [
        ("America/New_York", date(2026, 3, 7), 10),
        ("America/New_York", date(2026, 10, 31), 12),
        ("Europe/Berlin", date(2026, 3, 28), 10),
        ("Europe/Berlin", date(2026, 10, 24), 12),
        ("Australia/Sydney", date(2026, 10, 3), 10),
        ("Australia/Sydney", date(2026, 4, 4), 12),
        ("America/St_Johns", date(2026, 3, 7), 10),
        ("America/St_Johns", date(2026, 10, 31), 12),
    ],
)
def test_the_night_of_a_change_is_an_hour_shorter_or_longer(
    zone: str, evening: date, hours: int
) -> None:
    """From 21:00 to 08:00 it is 11 hours, but 10 or 12 when the clocks change in between."""
    now_utc_s = datetime.combine(evening, time(21), ZoneInfo(zone)).timestamp()

    assert opens_in_s(Window(), zone, now_utc_s) == hours * 3600


def test_an_unknown_zone_is_never_taken_for_an_open_one() -> None:
    """A zone that this machine does not know raises: nobody is called at a guess."""
    with pytest.raises(ValueError, match="no time zone"):
        opens_in_s(Window(), "Mars/Olympus", 0.0)
