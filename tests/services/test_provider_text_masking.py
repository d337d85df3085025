"""What providers say, made safe to log."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callagent_cli.services.masking import LENGTH_MAX, safe_text


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("The number +12125550142 is unverified", "The number +…142 is unverified"),
        ("call +1 (212) 555-0142 failed", "call +…142 failed"),
        ("call 0044 20 7946 0123 now", "call …123 now"),
        ("SIP 404, 120 s, error 21219", "SIP 404, 120 s, error 21219"),
        ("Document with id phnum_01abc not found", "Document with id phnum_01abc not found"),
        ("bad key sk-abcdef123456", "bad key [secret]"),
        ("bad key sk-abc***xyz", "bad key [secret]"),
        ("header Bearer abc.def", "header [secret]"),
        ("two\nlines\tand  more", "two lines and more"),
        ("the key is hunter2", "the key is [secret]"),
        (None, ""),
        (12125550142, ""),
    ],
)
def test_numbers_and_keys_are_masked(said: object, shown: str) -> None:
    """Phone numbers keep three digits, keys nothing, everything else its words."""
    assert safe_text(said, secret="hunter2") == shown  # noqa: S106 — no secret.


def test_a_long_message_is_shortened() -> None:
    """A page of HTML does not fill the log."""
    shown = safe_text("<p>Bad gateway</p> " * 100)

    assert len(shown) == LENGTH_MAX
    assert shown.endswith("…")


@given(st.text(), st.from_regex(r"\+?[0-9]{7,15}", fullmatch=True), st.text())
def test_no_run_of_seven_digits_survives(before: str, number: str, after: str) -> None:
    """Wherever a phone number stands, it is not in the text that is logged."""
    shown = safe_text(before + number + after)

    assert re.search(r"\d{7}", shown) is None
    assert len(shown) <= LENGTH_MAX


@given(st.text(), st.text(alphabet="abcdefgh!", min_size=8), st.text())
def test_the_own_secret_never_survives(before: str, secret: str, after: str) -> None:
    """An echoed key is not in the text that is logged."""
    assert secret not in safe_text(f"{before} {secret} {after}", secret=secret)
