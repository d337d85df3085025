"""Who is called: once each, never against their word, and in a zone that exists."""

import pytest
from contact_files import ANN, BOB, EVE, read

from callagent_cli.contacts.identities import Identities
from callagent_cli.contacts.values import says_no_calls, zone_of


def test_a_person_is_found_again_however_the_number_is_written() -> None:
    """The report names the line that came first."""
    result = read(f"Phone\n{ANN}\n(212) 555-0100\n{BOB}\ntel:{ANN}\n", region="US")

    assert result.numbers == [ANN, BOB]
    assert [e.reason for e in result.report.examples["duplicate"]] == [
        "duplicate of line 2",
        "duplicate of line 2",
    ]


def test_the_extension_is_part_of_who_it_is() -> None:
    """One switchboard, three people."""
    result = read(f"Phone\n{ANN}\n{ANN} x1\n{ANN} x2\n{ANN},,1\n")

    assert [contact.extension for contact in result.contacts] == ["", "1", "2"]
    assert result.report.duplicate == 1


def test_an_extension_column_is_read() -> None:
    """The cell's own extension wins over the column's; nonsense is refused."""
    result = read(f"Phone;Ext\n{ANN};7\n{ANN};x8.0\n{ANN} x9;1\n{BOB};front desk\n{EVE};\n")

    assert [contact.extension for contact in result.contacts] == ["7", "8", "9", ""]
    assert [reject.code for reject in result.rejects] == ["extension"]


@pytest.mark.parametrize("cell", ["yes", "TRUE", "1", "x", "Ja", "oui", "Sí", "opted out"])
def test_a_mark_in_the_do_not_call_column_is_obeyed(cell: str) -> None:
    """In any of the usual words."""
    result = read(f"Phone,Do Not Call\n{ANN},{cell}\n{BOB},\n")

    assert result.numbers == [BOB]
    assert result.report.excluded == {"do_not_call": 1}


@pytest.mark.parametrize("cell", ["", "no", "FALSE", "0", "Nein", "non", "-"])
def test_an_empty_or_negative_mark_forbids_nothing(cell: str) -> None:
    """Most people may be called."""
    assert read(f"Phone,DNC\n{ANN},{cell}\n").numbers == [ANN]


@pytest.mark.parametrize("row", [f"{ANN},2024-05-01", f"{ANN},maybe", ANN])
def test_an_unreadable_or_missing_mark_means_not_called(row: str) -> None:
    """Doubt is never resolved in favor of a call."""
    result = read(f"Phone,DNC\n{row}\n{BOB},no\n")

    assert result.numbers == [BOB]
    assert result.report.excluded == {"do_not_call_unreadable": 1}


def test_a_mark_on_a_later_line_holds_for_earlier_ones() -> None:
    """A person who asked not to be called is not called because of another row."""
    result = read(f"Phone,DNC\n{ANN} x5,\n{BOB},\n{ANN},yes\n")

    assert result.numbers == [BOB]
    assert result.report.excluded == {"do_not_call": 2}
    assert result.report.examples["do_not_call"][0].reason == "line 4 says not to call"


def test_the_suppression_list_is_obeyed_for_every_number_of_a_row() -> None:
    """Who opted out on one number is not called on the other."""
    result = read(f"Phone\n{ANN}; {BOB}\n{EVE}\n", suppressed={BOB}.__contains__)

    assert result.numbers == [EVE]
    assert result.report.excluded == {"suppressed": 1}


def test_an_excluded_or_rejected_row_does_not_make_the_next_one_a_duplicate() -> None:
    """Only people who are called count as known."""
    result = read(f"Phone,Time Zone\n{ANN},Nowhere/City\n{ANN},Europe/London\n")

    assert [(c.line, c.timezone) for c in result.contacts] == [(3, "Europe/London")]
    assert [reject.code for reject in result.rejects] == ["timezone"]


@pytest.mark.parametrize(
    ("cell", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        (" europe/berlin ", "Europe/Berlin"),
        ("us_slash_eastern", "US/Eastern"),
        ("UTC", "UTC"),
        ("", ""),
        ("Mars/Base", None),
        ("localtime", None),
        ("factory", None),
        ("posixrules", None),
        ("../../etc/passwd", None),
        ("W. Europe Standard Time", None),
        ("EST", None),
        ("mst", None),
        ("GMT", None),
        ("PST", None),
        ("EST5EDT", "EST5EDT"),
        ("CET", "CET"),
    ],
)
def test_a_time_zone_is_one_that_exists(cell: str, zone: str | None) -> None:
    """Case and HubSpot's spelling are forgiven; an unknown zone is not, nor one without summers."""
    assert zone_of(cell) == zone


def test_a_do_not_call_answer_has_three_values() -> None:
    """Yes, no, and unreadable."""
    assert [says_no_calls(cell) for cell in ("yes", "no", "perhaps")] == [True, False, None]


@pytest.mark.parametrize(
    ("name", "shown", "code"),
    [
        ("\x1b[31mAnn\x1b[0m", "Ann", "hidden"),
        ("\x1b]0;title\x07Ann", "Ann", "hidden"),
        ("Ann\u202e", "Ann", "hidden"),
        ('=HYPERLINK("http://example.com";"Ann")', "", "formula"),
        ("=1+1", "", "formula"),
        ("＝1+1", "", "formula"),
        ("＠SUM（1）", "", "formula"),
        ("Ａnn", "Ａnn", ""),
        ("@SUM(1+1)*cmd|' /C calc'!A0", "", "formula"),
        ('="Ann"', "Ann", "spreadsheet_text"),
        ("Ann (Mrs) = boss", "Ann (Mrs) = boss", ""),
        ("@ann", "@ann", ""),
        ("-5", "-5", ""),
    ],
)
def test_escapes_and_formulas_are_never_handed_to_the_agent(
    name: str, shown: str, code: str
) -> None:
    """The cell is data: cleaned or emptied, counted as a warning, never run."""
    result = read(f"Phone\tName\tPlan\n{ANN}\t{name}\t{name}\n".encode())
    [ann] = result.contacts

    assert (ann.name, ann.variables) == (shown, {"plan": shown})
    assert result.report.warnings == ({code: 1} if code else {})


def test_identities_stay_exact_as_the_table_grows() -> None:
    """Tens of thousands of numbers: each is new once, and known with its line ever after."""
    seen = Identities()
    numbers = [f"+1{number}" for number in range(2_125_550_100, 2_125_590_100)]
    first = [seen.add(number, "", line) for line, number in enumerate(numbers, start=1)]
    again = [seen.add(number, "", 99_999) for number in numbers]

    assert first == [0] * len(numbers)
    assert again == list(range(1, len(numbers) + 1))
    assert (len(seen), seen.line_of(BOB), seen.line_of(EVE)) == (len(numbers), 2, 0)


def test_an_extension_makes_another_person_however_many_there_are() -> None:
    """Extensions are told apart to the leading zero, beside people who have none."""
    seen = Identities()
    people = [
        (f"+1{2_125_550_100 + row // 4}", ("", "7", "07", "70")[row % 4]) for row in range(9_000)
    ]
    first = [seen.add(*person, line) for line, person in enumerate(people, start=1)]
    again = [seen.add(*person, 99_999) for person in people]

    assert first == [0] * len(people)
    assert again == list(range(1, len(people) + 1))
    assert seen.line_of("+12125550101") == 5
    assert seen.line_of("+13125550101") == 0
