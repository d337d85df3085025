"""The quick reading of plain numbers is exactly that of phonenumbers."""

import re

import phonenumbers
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from callagent_cli.contacts.phones import numbering

EXAMPLES = sorted(
    {
        phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        for region in phonenumbers.SUPPORTED_REGIONS
        for kind in range(11)
        if (number := phonenumbers.example_number_for_type(region, kind)) is not None
    }
)
DIGITS = "0123456789"


def verdict(text: str, region: str | None = None) -> tuple[str, int, bool] | None:
    """Return what phonenumbers says: E.164, the kind, and whether it is valid."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    return (
        f"+{number.country_code}{phonenumbers.national_significant_number(number)}",
        phonenumbers.number_type(number),
        phonenumbers.is_valid_number(number),
    )


def quick(text: str, region: str = "") -> tuple[str, int, bool] | None:
    """Return the same of our own reading."""
    parsed = numbering.parse(text, region)
    return (parsed.e164, parsed.kind, parsed.valid) if parsed is not None else None


@st.composite
def near_examples(draw: st.DrawFn) -> str:
    """Draw a real kind of number of any country with a few digits replaced, added or removed."""
    digits = list(draw(st.sampled_from(EXAMPLES))[1:])
    for _ in range(draw(st.integers(0, 4))):
        digits[draw(st.integers(1, len(digits) - 1))] = draw(st.sampled_from(DIGITS))
    cut = draw(st.integers(-2, 2))
    tail = draw(st.text(DIGITS, min_size=cut, max_size=cut)) if cut > 0 else ""
    return "".join(digits[: len(digits) + min(cut, 0)]) + tail


@settings(max_examples=2000)
@given(near_examples())
def test_a_number_with_its_country_is_read_as_phonenumbers_reads_it(digits: str) -> None:
    """E.164, kind and validity agree for every calling code, in and out of its ranges."""
    assert quick(f"+{digits}") == verdict(f"+{digits}")


@settings(max_examples=2000)
@given(near_examples(), st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)), st.booleans())
def test_a_national_number_is_read_as_phonenumbers_reads_it(
    digits: str, region: str, trunk: bool
) -> None:
    """In any region, with its trunk prefix or without, with and without a calling code."""
    code = str(phonenumbers.country_code_for_region(region))
    national = digits.removeprefix(code)
    text = f"0{national}" if trunk else national

    assert quick(text, region) == verdict(text, region)


@settings(max_examples=1000)
@given(st.sampled_from(["US", "GB", "DE", "IT", "AR", "BR", "MX"]), st.data())
def test_a_region_reads_its_own_numbers_as_phonenumbers_does(
    region: str, data: st.DataObject
) -> None:
    """Also where trunk prefixes are transformed or leading zeros belong to the number."""
    number = phonenumbers.example_number_for_type(
        region, data.draw(st.sampled_from([0, 1, 2, 3, 4]))
    )
    digits = list(phonenumbers.national_significant_number(number)) if number else list("3012345")
    digits[data.draw(st.integers(0, len(digits) - 1))] = data.draw(st.sampled_from(DIGITS))
    text = data.draw(st.sampled_from(["", "0", "1", "15", "00"])) + "".join(digits)

    assert quick(text, region) == verdict(text, region)


def test_the_example_of_every_kind_in_every_region_agrees() -> None:
    """All kinds that phonenumbers knows anywhere are told apart alike."""
    differing = [number for number in EXAMPLES if quick(number) != verdict(number)]

    assert differing == []


@settings(max_examples=2000)
@given(near_examples())
def test_a_number_is_grouped_as_phonenumbers_writes_it(digits: str) -> None:
    """The groups prove how a number was meant, so they must be those of its country."""
    parsed = numbering.parse(f"+{digits}")
    assume(parsed is not None)
    assert parsed is not None
    number = phonenumbers.PhoneNumber(
        country_code=parsed.calling_code, national_number=int(parsed.national or "0")
    )
    assume(str(number.national_number) == parsed.national)
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)

    assert numbering.groups(parsed) == re.findall(r"\d+", written)
