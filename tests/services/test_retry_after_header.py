"""Every spelling of a wanted wait."""

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_http import NOW_UTC_S

from callagent_cli.services.retry_after import LONGEST_S, retry_after_s

TEXT = st.text(max_size=40)


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 7 "}, 7.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "1e3"}, None),
        ({"retry-after": "1_0"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "86400"}, 86400.0),
        ({"retry-after": "9999999999"}, 86400.0),
        ({"retry-after-ms": "250"}, 0.25),
        ({"x-ms-retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"x-ratelimit-reset": "1800000012"}, 12.0),
        ({"x-ratelimit-reset": "1700000000"}, None),
        ({"retry-after": "3", "x-ratelimit-reset": "1800000012"}, 3.0),
        ({"retry-after": formatdate(NOW_UTC_S + 30, usegmt=True)}, 30.0),
        ({"retry-after": formatdate(NOW_UTC_S - 30, usegmt=True)}, None),
        ({"retry-after": formatdate(NOW_UTC_S + 10**6, usegmt=True)}, 86400.0),
    ],
)
def test_a_wanted_wait_is_read(headers: dict[str, str], wait_s: float | None) -> None:
    """Seconds, fractions, milliseconds, dates and resets are understood, nonsense is no wait."""
    assert retry_after_s(headers, NOW_UTC_S) == wait_s


def test_a_date_is_read_by_the_clock_of_the_provider() -> None:
    """A worker whose calendar is an hour wrong waits as long as the provider meant."""
    headers = {
        "retry-after": formatdate(NOW_UTC_S + 45, usegmt=True),
        "date": formatdate(NOW_UTC_S, usegmt=True),
    }

    assert retry_after_s(headers, NOW_UTC_S - 3600) == 45.0


@given(st.dictionaries(st.sampled_from(["retry-after", "retry-after-ms", "date"]), TEXT))
def test_any_text_gives_a_wait_within_a_day_or_none(headers: dict[str, str]) -> None:
    """No header, however strange, raises or makes us wait for longer than a day."""
    wait_s = retry_after_s(headers, NOW_UTC_S)

    assert wait_s is None or 0 <= wait_s <= LONGEST_S


@given(st.floats(min_value=0, max_value=LONGEST_S, allow_nan=False))
def test_seconds_are_never_shortened(wait_s: float) -> None:
    """A stated number of seconds is kept to the microsecond: it is a floor."""
    read_s = retry_after_s({"retry-after": f"{wait_s:.6f}"}, NOW_UTC_S)

    assert read_s == pytest.approx(wait_s, abs=1e-6)


@given(st.integers(min_value=0, max_value=int(LONGEST_S)))
def test_a_date_means_the_seconds_until_it(wait_s: int) -> None:
    """The same wait, told as seconds or as a date, is the same wait."""
    date = formatdate(NOW_UTC_S + wait_s, usegmt=True)

    assert retry_after_s({"retry-after": date}, NOW_UTC_S) == float(wait_s)
