"""Calling windows at their edges: seconds, weeks, half-hour zones, skipped hours, odd names."""

from datetime import UTC, datetime
from math import inf
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wall_clock import DAYS, at, is_open

from callagent_cli.calls.windows import check_window, opens_in_s, zones_of
from callagent_cli.settings import Window

ZONES: Final = ("America/New_York", "Europe/Berlin", "Australia/Sydney", "Asia/Kolkata")
YEAR: Final = (
    datetime(2026, 1, 1, tzinfo=UTC).timestamp(),
    datetime(2027, 1, 1, tzinfo=UTC).timestamp(),
)
NIGHT_S: Final = 11 * 3600

minutes = st.integers(4 * 60, 24 * 60 - 1)
spans = st.tuples(minutes, minutes).filter(lambda span: span[0] < span[1])
some_days = st.lists(st.sampled_from(DAYS), min_size=1, max_size=7, unique=True)
instants = st.floats(*YEAR)


def _window(span: tuple[int, int], days: list[str]) -> Window:
    opens, closes = (f"{each // 60:02}:{each % 60:02}" for each in span)
    return Window(opens=opens, closes=closes, days=days)  # type: ignore[arg-type]


def test_the_window_by_default() -> None:
    """Every day from eight in the morning to nine in the evening."""
    window = Window()
    check_window(window)

    assert (window.opens, window.closes, tuple(window.days)) == ("08:00", "21:00", DAYS)


@pytest.mark.parametrize("zone", [*ZONES, "America/Sao_Paulo"])
@pytest.mark.parametrize("day", ["2026-01-15", "2026-07-15"])
@pytest.mark.parametrize(
    ("time", "wait_s"),
    [
        ("00:00:00", 8 * 3600),
        ("07:59:59", 1),
        ("07:59:59.500", 0.5),
        ("08:00:00", 0),
        ("20:59:59.999", 0),
        ("21:00:00", NIGHT_S),
        ("23:59:59", 8 * 3600 + 1),
    ],
)
def test_the_edges_of_a_day(zone: str, day: str, time: str, wait_s: float) -> None:
    """The opening belongs to the window and the closing does not, in winter and in summer."""
    assert opens_in_s(Window(), zone, at(f"{day}T{time}", zone)) == wait_s


@pytest.mark.parametrize(
    ("zone", "evening", "shift_h"),
    [
        ("America/New_York", "2026-03-07", -1),
        ("America/New_York", "2026-10-31", 1),
        ("Europe/Berlin", "2026-03-28", -1),
        ("Europe/Berlin", "2026-10-24", 1),
        ("Australia/Sydney", "2026-10-03", -1),
        ("Australia/Sydney", "2026-04-04", 1),
        ("Asia/Kolkata", "2026-03-28", 0),
        ("America/Sao_Paulo", "2026-10-17", 0),
        ("America/Sao_Paulo", "2026-02-14", 0),
    ],
)
def test_an_opening_moves_with_the_persons_clock(zone: str, evening: str, shift_h: int) -> None:
    """The night of a change is shorter or longer; São Paulo's dates of 2019 change nothing."""
    wait_s = opens_in_s(Window(), zone, at(f"{evening}T21:00", zone))

    assert wait_s == NIGHT_S + shift_h * 3600


@given(zone=st.sampled_from(ZONES), now_utc_s=instants, span=spans, days=some_days)
def test_after_the_wait_the_window_is_open_and_a_moment_before_it_is_not(
    zone: str, now_utc_s: float, span: tuple[int, int], days: list[str]
) -> None:
    """For any instant, to its fraction of a second, and any window to the minute."""
    window = _window(span, days)
    wait_s = opens_in_s(window, zone, now_utc_s)

    assert opens_in_s(window, zone, now_utc_s + wait_s) == 0
    assert is_open(window, zone, now_utc_s + wait_s + 1e-3)
    assert wait_s == 0 or not is_open(window, zone, now_utc_s + max(0.0, wait_s - 1e-3))


@given(
    zones=st.lists(st.sampled_from(ZONES), min_size=1, max_size=4, unique=True),
    now_utc_s=instants,
    span=spans,
    days=some_days,
)
def test_several_zones_wait_for_the_last_of_them(
    zones: list[str], now_utc_s: float, span: tuple[int, int], days: list[str]
) -> None:
    """Whatever their order; never sooner than any one of them; and then all are open."""
    window = _window(span, days)
    wait_s = opens_in_s(window, ",".join(zones), now_utc_s)

    assert opens_in_s(window, " , ".join(reversed(zones)), now_utc_s) == wait_s
    assert wait_s >= max(opens_in_s(window, zone, now_utc_s) for zone in zones)
    if wait_s < inf:
        assert all(opens_in_s(window, zone, now_utc_s + wait_s) == 0 for zone in zones)


def test_two_coasts_are_called_while_both_are_awake() -> None:
    """A number of New York and Los Angeles is called from eight in the one to nine in the other."""
    zones = "America/New_York,America/Los_Angeles"
    opens, closes = at("2026-05-06T11:00", ZONES[0]), at("2026-05-06T21:00", ZONES[0])

    assert opens_in_s(Window(), zones, opens - 1) == 1
    assert opens_in_s(Window(), zones, opens) == opens_in_s(Window(), zones, closes - 1) == 0
    assert opens_in_s(Window(), zones, closes) == 14 * 3600


@pytest.mark.parametrize("zone", ZONES)
def test_a_window_of_one_day_comes_again_after_a_week(zone: str) -> None:
    """From its closing to its next opening; Sunday is the person's, not that of UTC."""
    window = Window(days=["sun"])

    assert opens_in_s(window, zone, at("2026-05-10T21:00", zone)) == 7 * 86400 - 13 * 3600
    assert opens_in_s(window, zone, at("2026-05-10T08:00", zone)) == 0
    assert opens_in_s(window, zone, at("2026-05-09T20:00", zone)) == 12 * 3600


@pytest.mark.parametrize(
    ("zone", "now", "opening"),
    [
        ("America/New_York", "2026-03-01T03:00", "2026-03-15T02:00"),
        ("America/New_York", "2026-03-05T12:00", "2026-03-15T02:00"),
        ("Europe/Berlin", "2026-03-22T03:00", "2026-04-05T02:00"),
        ("Australia/Sydney", "2026-09-27T03:00", "2026-10-11T02:00"),
    ],
)
def test_a_window_whose_only_hour_is_skipped_opens_a_week_later(
    zone: str, now: str, opening: str
) -> None:
    """Two to three on the Sunday of the change does not exist: that is late, and not never."""
    window = Window(opens="02:00", closes="03:00", days=["sun"])

    assert opens_in_s(window, zone, at(now, zone)) == at(opening, zone) - at(now, zone)


REPEATED: Final = [
    ("America/New_York", "2026-11-01T05:00", "2026-11-01T06:00"),
    ("Europe/Berlin", "2026-10-25T00:00", "2026-10-25T01:00"),
    ("Australia/Sydney", "2026-04-04T15:00", "2026-04-04T16:00"),
    ("Australia/Lord_Howe", "2026-04-04T14:30", "2026-04-04T15:00"),
]
"""A zone, and when (UTC) the time that its clocks show twice begins for the first and second."""


@pytest.mark.parametrize(("zone", "first", "second"), REPEATED)
def test_in_a_repeated_hour_nobody_is_called_before_the_opening_or_after_the_closing(
    zone: str, first: str, second: str
) -> None:
    """What has opened closes again while the clock shows less; what has closed stays closed."""
    once, twice = (
        datetime.fromisoformat(each).replace(tzinfo=UTC).timestamp() for each in (first, second)
    )
    quarter = datetime.fromtimestamp(once + 15 * 60, ZoneInfo(zone))
    before, after = f"{quarter.hour - 1:02}:00", f"{quarter.hour + 3:02}:00"
    opening = Window(opens=f"{quarter:%H:%M}", closes=after)
    closing = Window(opens=before, closes=f"{quarter:%H:%M}")

    assert opens_in_s(opening, zone, once + 14 * 60) == 60
    assert opens_in_s(opening, zone, once + 15 * 60) == 0
    assert opens_in_s(opening, zone, twice) == 15 * 60
    assert opens_in_s(opening, zone, twice + 15 * 60) == 0
    assert opens_in_s(closing, zone, once + 14 * 60) == 0
    assert opens_in_s(closing, zone, once + 15 * 60) > 3600
    assert opens_in_s(closing, zone, twice + 1) > 3600


def test_a_closing_that_does_not_exist_is_over_with_the_change() -> None:
    """02:30 is skipped: at 03:00 the clock is past it, and nobody is called until 03:30."""
    window = Window(opens="01:00", closes="02:30")

    assert opens_in_s(window, "America/New_York", at("2026-03-08T01:59:59", ZONES[0])) == 0
    assert opens_in_s(window, "America/New_York", at("2026-03-08T03:00", ZONES[0])) > 3600
    assert opens_in_s(window, "America/New_York", at("2026-03-08T03:15", ZONES[0])) > 3600


CHANGES: Final = {
    "America/New_York": ("2026-03-08T07:00", "2026-11-01T06:00"),
    "Europe/Berlin": ("2026-03-29T01:00", "2026-10-25T01:00"),
    "Australia/Lord_Howe": ("2026-04-04T15:00", "2026-10-03T15:30"),
    "Africa/Cairo": ("2026-04-23T22:00", "2026-10-29T21:00"),
    "America/Havana": ("2026-03-08T05:00", "2026-11-01T05:00"),
}
"""Zone → when (UTC) its clocks are set, also at midnight and by half an hour."""


@given(
    change=st.sampled_from([(zone, each) for zone, two in CHANGES.items() for each in two]),
    seconds=st.integers(-8 * 3600, 8 * 3600),
    span=st.tuples(st.integers(0, 1439), st.integers(0, 1439)).filter(lambda two: two[0] < two[1]),
    days=some_days,
)
def test_a_window_is_never_open_when_the_persons_clock_says_otherwise(
    change: tuple[str, str], seconds: int, span: tuple[int, int], days: list[str]
) -> None:
    """In the hours around a change, to the second; and the wait ends in an open window."""
    zone, changes = change
    now_utc_s = datetime.fromisoformat(changes).replace(tzinfo=UTC).timestamp() + seconds
    window = _window(span, days)
    wait_s = opens_in_s(window, zone, now_utc_s)

    assert wait_s == inf or is_open(window, zone, now_utc_s + wait_s)


@pytest.mark.parametrize("zones", ["Asia/Tokyo,America/New_York", "America/New_York,Asia/Tokyo"])
def test_zones_that_are_never_open_together_are_never_open(zones: str) -> None:
    """One that is open does not make up for one that is closed."""
    window = Window(opens="09:00", closes="17:00")

    assert opens_in_s(window, zones, at("2026-05-06T12:00", "Asia/Tokyo")) == inf
    assert opens_in_s(window, zones, at("2026-05-06T12:00", "America/New_York")) == inf


@pytest.mark.parametrize(
    "name", ["tzdata.zi", "zone.tab", "europe/berlin", "\0", "\ud800", "/", ","]
)
def test_an_odd_name_is_no_zone(name: str) -> None:
    """A file beside the zones, a wrong case or a broken text raises like any unknown name."""
    with pytest.raises(ValueError, match="no time zone"):
        opens_in_s(Window(), name, 0.0)


@given(st.text() | st.text(alphabet="./,ABCUTCGMTaz \0"))
def test_any_text_is_zones_or_a_value_error(text: str) -> None:
    """Nothing else is raised, and as many zones come back as there are names."""
    try:
        zones = zones_of(text)
    except ValueError as error:
        assert "no time zone" in str(error)  # noqa: PT017 — either end is right.
    else:
        assert len(zones) == len(text.split(","))


@given(opens=st.integers(0, 1439), closes=st.integers(0, 1439), days=some_days)
def test_a_window_is_refused_exactly_when_it_closes_before_it_opens(
    opens: int, closes: int, days: list[str]
) -> None:
    """No window reaches over midnight, and none is empty."""
    window = _window((opens, closes), days)
    try:
        check_window(window)
    except ValueError as error:
        assert closes <= opens
        assert "is not after" in str(error)  # noqa: PT017 — either end is right.
    else:
        assert closes > opens
