"""What providers say, made safe to log."""

import re
from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callagent_cli.masking import LENGTH_MAX, mask_numbers, safe_text
from callagent_cli.reporting.redaction import Redactor

OUR_ID: Final = re.compile(r"[a-z]_[0-9a-f]{16}(?![0-9A-Za-z])")
SURROUNDINGS: Final = st.sampled_from(
    [
        ("", ""),
        ("call ", " now"),
        ("The number ", "."),
        ('{"to_number":"', '"}'),
        ("user_", " is gone"),
        ("user_", "x5"),
        ("", "x5"),
        ("tel:", ";ext=12"),
        ("2026-01-05 ", " at 09:00"),
        ("INC-0001: ", ", 503"),
        ("%2B", "&x=1"),
        ("(", ")"),
    ]
)


def e164() -> st.SearchStrategy[str]:
    """Return any international numbers: a plus and 7 to 15 digits."""
    return st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True)


@st.composite
def layouts(draw: st.DrawFn) -> Callable[[str], str]:
    """Draw how a number is written: with or without its plus, its gaps of one kind or several."""
    gaps = draw(
        st.sampled_from(
            [[""], [" "], ["-"], ["."], [" ", "-"], [" (", ") "], ["", " "], ["\u2011"], ["\u00a0"]]
        )
    )
    size = draw(st.integers(1, 4))
    plus = draw(st.sampled_from(["+", "+", "00", ""] if gaps == [""] else ["+", "00"]))

    def written(number: str) -> str:
        digits = number.removeprefix("+")
        groups = [digits[at : at + size] for at in range(0, len(digits), size)]
        glue = [gaps[index % len(gaps)] for index in range(len(groups))]
        return plus + "".join(map("".join, zip(groups, glue, strict=True))).rstrip(" (-.\u00a0")

    return written


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("The number +12125550142 is unverified", "The number …142 is unverified"),
        ("call +1 (212) 555-0142 failed", "call …142 failed"),
        ("call 0044 20 7946 0123 now", "call …123 now"),
        ("SIP 404, 120 s, error 21219", "SIP 404, 120 s, error 21219"),
        ("Document with id phnum_01abc not found", "Document with id phnum_01abc not found"),
        ("no credit since 2026-01-05 09:00", "no credit since 2026-01-05 09:00"),
        ("costs $1,250.00 of $12345", "costs $1,250.00 of $12345"),
        ("bad key sk-abcdef123456", "bad key ***"),
        ("bad key sk-abc***xyz", "bad key ***"),
        ("header Bearer abc.def", "header ***"),
        ("header Basic YW5uYTpzd29yZGZpc2g=", "header ***"),
        ("the basic plan, basic subscription only", "the basic plan, basic subscription only"),
        ("post to https://anna:swordfish@example.org/", "post to https://***@example.org/"),
        ("two\nlines\tand  more", "two lines and more"),
        ("the key is hunter2", "the key is ***"),
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

    assert re.search(r"\d{7}", OUR_ID.sub("", shown)) is None
    assert len(shown) <= LENGTH_MAX


@given(number=e164(), layout=layouts(), around=SURROUNDINGS)
def test_no_phone_number_comes_out_whole(
    number: str, layout: Callable[[str], str], around: tuple[str, str]
) -> None:
    """However an E.164 number is grouped, extended or glued on, no text keeps its digits."""
    before, after = around
    text = f"{before}{layout(number)}{after}"

    for shown in (mask_numbers(text), safe_text(text), Redactor().text(text)):
        assert number.removeprefix("+") not in "".join(filter(str.isdigit, shown))


@given(text=st.text("0123456789 -+().ax_/\u00a0\u2013", max_size=40))
def test_a_text_is_masked_once_and_for_all(text: str) -> None:
    """Masking what is masked changes nothing, and what no number is in is left as it stands."""
    masked = mask_numbers(text)

    assert mask_numbers(masked) == masked
    if sum(character.isdigit() for character in text) < 7:
        assert masked is text


@given(st.text(), st.text(alphabet="abcdefgh!", min_size=8), st.text())
def test_the_own_secret_never_survives(before: str, secret: str, after: str) -> None:
    """An echoed key is not in the text that is logged."""
    assert secret not in safe_text(f"{before} {secret} {after}", secret=secret)
