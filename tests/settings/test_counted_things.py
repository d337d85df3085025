"""Numbers of things as people read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callagent_cli.counting import counted


@pytest.mark.parametrize(
    ("number", "noun", "plural", "expected"),
    [
        (0, "call", "", "0 calls"),
        (1, "call", "", "1 call"),
        (2, "call", "", "2 calls"),
        (12_345, "call", "", "12,345 calls"),
        (1, "active call is", "active calls are", "1 active call is"),
        (3, "active call is", "active calls are", "3 active calls are"),
    ],
)
def test_a_noun_agrees_with_its_number(number: int, noun: str, plural: str, expected: str) -> None:
    """One thing is singular, none and several are plural, thousands are set apart."""
    assert counted(number, noun, plural) == expected


@given(number=st.integers(0, 10**12))
def test_no_digit_of_a_count_is_lost(number: int) -> None:
    """The number can be read back from the text, whatever it is."""
    digits = counted(number, "call").split()[0].replace(",", "")

    assert int(digits) == number
