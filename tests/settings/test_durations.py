"""Durations as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callagent_cli.durations import duration_text, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("200ms", 0.2),
        ("30s", 30),
        ("1m", 60),
        ("1h30m", 5400),
        ("1d", 86400),
        ("1.5s", 1.5),
        ("90", 90),
        ("0", 0),
        ("+1h", 3600),
        ("-30s", -30),
    ],
)
def test_a_duration_means_its_seconds(text: str, seconds: float) -> None:
    """Units add up, a bare number is seconds, a sign is kept."""
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "s", "1 m", "1x", "m1", "--1s", "1h-1m", "1e3", "nan", "∞"])
def test_what_is_no_duration_is_none(text: str) -> None:
    """Nothing is guessed."""
    assert parse_duration(text) is None


@given(st.integers(min_value=-(10**9), max_value=10**9))
def test_a_duration_reads_back_what_it_wrote(milliseconds: int) -> None:
    """Text and seconds are two forms of one value, to the millisecond."""
    seconds = milliseconds / 1000

    assert parse_duration(duration_text(seconds)) == pytest.approx(seconds, abs=1e-6)
