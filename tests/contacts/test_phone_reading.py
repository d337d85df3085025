"""One phone cell in, one certain number or a coded refusal out."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callagent_cli.contacts.phones.reading import (
    NumberRules,
    Phone,
    Refusal,
    _careful,
    read_phones,
)

ANN, BOB = "+12125550100", "+12125550101"
EVE = "+442079460000"

USED = [
    (ANN, "", ANN, "", ""),
    ("+1 (212) 555-0100", "", ANN, "", ""),
    ("+1.212.555.0100", "", ANN, "", ""),
    ("(+44) 20 7946 0000", "", EVE, "", ""),
    ("+44 (0)20 7946 0000", "", EVE, "", ""),
    ("2125550100", "US", ANN, "", ""),
    ("12125550100", "US", ANN, "", ""),
    ("020 7946 0000", "GB", EVE, "", ""),
    ("2079460000", "GB", EVE, "", ""),
    ("020/79460000", "GB", EVE, "", ""),
    ("00442079460000", "GB", EVE, "", ""),
    ("011 44 20 7946 0000", "US", EVE, "", ""),
    ("442079460000", "US", EVE, "", "lost_plus"),
    ("44 20 7946 0000", "US", EVE, "", "lost_plus"),
    ("(44) 20-7946-0000", "US", EVE, "", "lost_plus"),
    ("(207) 946-0000 ext. 42", "GB", EVE, "42", ""),
    ("+12125550100x42", "", ANN, "42", ""),
    ("+1 212 555 0100 Ext 42", "", ANN, "42", ""),
    ("+12125550100,,42#", "", ANN, "42", ""),
    ("(212) 555-0100, ext. 42", "US", ANN, "42", ""),
    ("+12125550100;ext=42", "", ANN, "42", ""),
    ("+12125550100;42", "", ANN, "42", ""),
    ("+12125550100 ext 911", "", ANN, "911", ""),
    ("+12125550100;ext=911", "", ANN, "911", ""),
    ("+12125550100 #42", "", ANN, "42", ""),
    ("+1 212 555 0100 (ext. 42)", "", ANN, "42", ""),
    ("(212) 555-0100 [x42]", "US", ANN, "42", ""),
    ("+1 212 555 0100 ext-42", "", ANN, "42", ""),
    ("+1 212 555 0100\next 42", "", ANN, "42", ""),
    ("+44 20\n7946 0000", "", EVE, "", ""),
    ("+1 212 555 0100, доб. 42", "", ANN, "42", ""),
    ("+44 20 7946 0000 Durchwahl 7", "", EVE, "7", ""),
    ("12125550100.0", "US", ANN, "", "decimal"),
    ("+12125550100,0", "", ANN, "", "decimal"),
    ("2125550100.000", "US", ANN, "", "decimal"),
    ("+44 20 79460000.0", "", EVE, "", "decimal"),
    ("+12125550100.0 x42", "", ANN, "42", "decimal"),
    ("\u202a+12125550100\u202c", "", ANN, "", "hidden"),
    ("+1\u200b2125550100", "", ANN, "", "hidden"),
    ("\x1b[31m+12125550100\x1b[0m", "", ANN, "", "hidden"),
    ('="+12125550100"', "", ANN, "", "spreadsheet_text"),
    ("'+12125550100", "", ANN, "", "spreadsheet_text"),
    ("tel:+1-212-555-0100", "", ANN, "", "tel"),
    ("TEL:+12125550100;ext=5", "", ANN, "5", "tel"),
    ("Tel.: +1 212 555 0100", "", ANN, "", "label"),
    ("+1\u00a0212\u2011555\u20130100", "", ANN, "", ""),
    ("\uff0b\uff11 212 555 \uff10\uff11\uff10\uff10", "", ANN, "", ""),
    ("+447700900123", "", "+447700900123", "", ""),
    ("+441632960001", "", "+441632960001", "", ""),
]

REFUSED = [
    ("", "", "no_phone"),
    ("n/a", "", "no_phone"),
    ("-", "US", "no_phone"),
    ("=A2", "US", "no_value"),
    ("2125550100", "", "no_country"),
    ("0044 20 7946 0000", "", "no_country"),
    ("12125550100", "AT", "ambiguous_phone"),
    ("442079460000", "DE", "ambiguous_phone"),
    ("(642) 194-2080", "US", "ambiguous_phone"),
    ("493-023-1251", "US", "ambiguous_phone"),
    ("(642) 194-2080 x5", "US", "ambiguous_phone"),
    ("1 55 1234 5678", "MX", "ambiguous_phone"),
    ("27 08 16 30 02", "DK", "ambiguous_phone"),
    ("020 7946 0000/57", "GB", "ambiguous_phone"),
    ("+49 30 231251\n23", "", "ambiguous_phone"),
    ("030 231251\r\n 23", "DE", "ambiguous_phone"),
    ("4.91512E+11", "DE", "scientific"),
    ("4,42079E+11", "GB", "scientific"),
    ("1.2E11", "", "scientific"),
    ("45413.0", "DE", "short_number"),
    ("45413.5", "DE", "fraction"),
    ("3023125123.5", "DE", "fraction"),
    ("3023125123,25", "DE", "fraction"),
    ("491512345678.5", "", "fraction"),
    ("030 23125123.75", "DE", "fraction"),
    ("2024-05-01", "DE", "date"),
    ("24.12.1989", "DE", "date"),
    ("24.12.89", "DE", "date"),
    ("31-12-2023 ", "DK", "date"),
    (" 22-05-2024", "DE", "date"),
    ("05/12/2024", "DE", "date"),
    ("112", "", "emergency"),
    ("112", "DE", "emergency"),
    ("911", "US", "emergency"),
    ("+1911", "", "emergency"),
    ("+12125550100; 911", "", "emergency"),
    ("+442079460000;999", "US", "emergency"),
    ("+49112", "", "emergency"),
    ("999", "GB", "emergency"),
    ("22833", "DE", "short_number"),
    ("22833", "", "short_number"),
    ("+449098790000", "", "premium"),
    ("0909 879 0000", "GB", "premium"),
    ("+448081570000", "", "toll_free"),
    ("+18005550199", "", "toll_free"),
    ("+15555550100", "", "invalid_phone"),
    ("0000000000", "US", "invalid_phone"),
    ("+1212555010", "", "invalid_phone"),
    ("+1 212 555 01?0", "", "invalid_phone"),
    ("++12125550100", "", "invalid_phone"),
    ("+1\u00b2125550100", "", "letters"),
    ("1-212-555-CALL", "US", "letters"),
    ("call Ann 2125550100", "US", "letters"),
    ("+12125550100 x12345678901", "", "extension"),
    ("+1 212 555 0100 (ext 4 or 2)", "", "letters"),
    ("+1 212 555 0100 (home)", "", "letters"),
    ("+" + "1" * 400, "", "invalid_phone"),
]


@pytest.mark.parametrize(("cell", "region", "number", "extension", "change"), USED)
def test_a_cell_is_read_as_a_person_means_it(
    cell: str, region: str, number: str, extension: str, change: str
) -> None:
    """Formats, extensions, hidden characters and spreadsheet leftovers all give E.164."""
    rules = NumberRules(region=region, allow_fiction=True)
    changes = (change,) if change else ()

    assert read_phones(cell, rules) == [Phone(number, extension, changes)]


@pytest.mark.parametrize(("cell", "region", "code"), REFUSED)
def test_what_is_not_certain_or_not_allowed_is_refused_by_code(
    cell: str, region: str, code: str
) -> None:
    """Each kind of refusal has its own code, and no number comes out."""
    found = read_phones(cell, NumberRules(region=region, allow_fiction=True))

    assert [read.code for read in found if isinstance(read, Refusal)] == [code]
    assert len(found) == 1


@pytest.mark.parametrize(
    "cell",
    [
        f"{ANN}; {BOB}",
        f"{ANN};{BOB}",
        f"{ANN} / {BOB}",
        f"{ANN}/{BOB}",
        f"{ANN} ::: {BOB}",
        f"{ANN} or {BOB}",
        f"{ANN} oder {BOB}",
        f"{ANN}, {BOB}",
        f"{ANN}\n{BOB}",
        f"{ANN} {BOB}",
        f"{ANN} | {BOB}",
        "2125550100/2125550101",
        "(212) 555-0100; (212) 555-0101",
    ],
)
def test_two_numbers_in_a_cell_are_both_read(cell: str) -> None:
    """The first and the second number come out in their order."""
    rules = NumberRules(region="US", allow_fiction=True)

    assert read_phones(cell, rules) == [Phone(ANN), Phone(BOB)]


def test_two_numbers_that_a_spreadsheet_has_made_decimals_are_both_read() -> None:
    """The `.0` of each is taken off, not read as a digit of the number."""
    rules = NumberRules(region="US", allow_fiction=True)
    read = read_phones("2125550100.0; 2125550101.0", rules)

    assert read == [Phone(ANN, "", ("decimal",)), Phone(BOB, "", ("decimal",))]


FICTION: Final = [
    ANN,
    EVE,
    "+447700900123",
    "+441632960001",
    "+443069990000",
    "+61255500000",
    "+61870109999",
    "+61491570006",
    "+61491579455",
    "+33199000000",
    "+33261919999",
    "+33353010000",
    "+33465710000",
    "+33536490000",
    "+33639989999",
    "+493023125000",
    "+496990009999",
    "+494066969000",
    "+492214710999",
    "+498999998000",
    "+4915228817386",
    "+491713920099",
    "+491729980752",
    "+491749464308",
    "+4917604069000",
    "+46701740605",
    "+46701740699",
    "+46313900600",
    "+46406280499",
    "+46846500400",
    "+46980319299",
]
"""The ends of the ranges that authorities keep for films and books."""


@pytest.mark.parametrize("number", FICTION)
def test_fiction_is_accepted_in_the_sandbox(number: str) -> None:
    """Whether or not phonenumbers takes it for a valid number."""
    assert read_phones(number, NumberRules(allow_fiction=True)) == [Phone(number)]


@pytest.mark.parametrize("number", FICTION)
def test_fiction_is_refused_in_a_live_run(number: str) -> None:
    """Numbers reserved for fiction have a code of their own when people are really called."""
    [found] = read_phones(number, NumberRules(allow_fiction=False))

    assert isinstance(found, Refusal)
    assert found.code == "fiction"


@pytest.mark.parametrize(
    ("cell", "region"), [("442079460000", "DE"), ("442079460000", ""), ("00442079460000", "")]
)
def test_numbers_that_are_international_only_lost_their_plus(cell: str, region: str) -> None:
    """With that promise digits are read with a plus sign, whatever they could be at home."""
    rules = NumberRules(region=region, international=True, allow_fiction=True)

    assert read_phones(cell, rules) == [Phone(EVE)]


def test_a_trunk_prefix_stays_national_among_international_numbers() -> None:
    """No calling code begins with 0: such a number is read in the region all the same."""
    rules = NumberRules(region="GB", international=True, allow_fiction=True)

    assert read_phones("020 7946 0000", rules) == [Phone(EVE)]


def test_numbers_that_are_national_are_read_in_the_region_alone() -> None:
    """With that promise an ambiguous number is the one of the region."""
    rules = NumberRules(region="DE", national=True, allow_fiction=True)
    [found] = read_phones("442079460000", rules)

    assert isinstance(found, Phone)
    assert found.number == "+49442079460000"


def test_the_grouping_of_digits_tells_a_national_number() -> None:
    """Written in the groups of the region it is not ambiguous, as bare digits it is."""
    rules = NumberRules(region="DE", allow_fiction=True)
    [bare] = read_phones("442079460000", rules)
    [grouped] = read_phones("4420 79460000", rules)

    assert isinstance(bare, Refusal)
    assert grouped == Phone("+49442079460000")


@given(st.text(max_size=60), st.sampled_from(["", "US", "DE", "GB"]), st.booleans())
def test_any_text_is_read_or_refused(cell: str, region: str, international: bool) -> None:
    """No cell raises, and a number that comes out is E.164."""
    found = read_phones(cell, NumberRules(region=region, international=international))

    assert found
    for read in found:
        if isinstance(read, Phone):
            assert read.number.startswith("+")
            assert read.number[1:].isdecimal()


@given(
    st.integers(0, 99),
    st.sampled_from(
        ["+1 212 555 01{:02}", "+1-212-555-01{:02}", "(212) 555-01{:02}", "1 212 555 01{:02}"]
    ),
    st.sampled_from(["", " ", "\u00a0", "\u200e", "\t"]),
    st.sampled_from(["", " x7", " ext 7", ",,7", ";ext=7"]),
)
def test_every_way_of_writing_a_number_gives_the_same_one(
    last: int, form: str, padding: str, extension: str
) -> None:
    """Punctuation, padding and the form of the extension do not change whose number it is."""
    cell = padding + form.format(last) + extension + padding
    [found] = read_phones(cell, NumberRules(region="US", allow_fiction=True))

    assert isinstance(found, Phone)
    assert (found.number, found.extension) == (f"+121255501{last:02}", extension[-1:].strip())


@given(
    st.sampled_from(["", "+", "+1", "+49", "0", "1", "(", "+1 ("]),
    st.from_regex(r"[0-9]{2,4}[ )-]?[ ]?[0-9]{3,4}[ -]?[0-9]{2,5}", fullmatch=True),
    st.sampled_from(["", ".0", " ext 42", "x7", " EXT.007", " x 12345678901", "  ext  "]),
    st.sampled_from(["", "US", "DE", "GB"]),
)
def test_a_usual_cell_is_read_as_any_other(begin: str, digits: str, end: str, region: str) -> None:
    """The short ways through the reading end where the long one does."""
    rules = NumberRules(region=region, allow_fiction=True)
    text = f"{begin}{digits}{end}"

    assert read_phones(text, rules) == _careful(text, rules)
