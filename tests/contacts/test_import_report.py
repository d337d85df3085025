"""The import report: counts that add up, examples that are safe to show, rejects with their row."""

import json

from contact_files import ANN, BOB, EVE, read

from callagent_cli.contacts.cells import show
from callagent_cli.contacts.codes import EXCLUDED_HINTS, REJECT_HINTS, WARNING_HINTS, hint_of

MIXED = (
    "Name,Phone,DNC\n"
    f"Ann,{ANN},\n"
    f"Ann,{ANN},\n"
    "Bob,nothing,\n"
    ",,\n"
    "Sos,112,\n"
    f"Eve,{EVE},yes\n"
    "\n"
    f"Ivy,{BOB}\n"
)


def test_the_counts_add_up_to_the_rows() -> None:
    """Accepted, duplicate, rejected, excluded and blank are all rows there are."""
    report = read(MIXED).report

    assert (report.accepted, report.duplicate, report.blank) == (1, 1, 2)
    assert report.rejected == {"no_phone": 1, "emergency": 1}
    assert report.excluded == {"do_not_call": 1, "do_not_call_unreadable": 1}
    assert report.rows == report.expected_rows == 8
    assert report.rejected_ratio == 2 / 6


def test_every_reject_carries_its_row_line_code_reason_and_hint() -> None:
    """The rejects file can be written, corrected and imported again."""
    rejects = read(MIXED).rejects

    assert [(r.line, r.code, r.row) for r in rejects] == [
        (4, "no_phone", ("Bob", "nothing", "")),
        (6, "emergency", ("Sos", "112", "")),
    ]
    assert all(reject.reason and reject.hint for reject in rejects)


def test_the_first_five_lines_of_each_code_are_kept() -> None:
    """More of the same are counted only."""
    report = read("Phone\n" + "".join(f"bad {line}\n" for line in range(9)) + f"{ANN}\n").report

    assert report.rejected == {"letters": 9}
    assert [example.line for example in report.examples["letters"]] == [2, 3, 4, 5, 6]


def test_both_ways_out_of_a_missing_country_are_named() -> None:
    """A bare number is a national one, or has lost its plus sign."""
    assert "--region" in hint_of("no_country")
    assert "--numbers-are-international" in hint_of("no_country")


def test_no_example_shows_a_number_or_an_escape() -> None:
    """Digits are masked but the last three, control characters are spelled out."""
    report = read(f"Phone\n{ANN} \x1b[31mcall me\n{BOB}99999\n{EVE}\n{EVE}\n").report
    text = json.dumps(report.to_dict(), ensure_ascii=False)

    assert "\\u001b" not in text
    assert "5550100" not in text
    assert "5550101" not in text
    assert "79460000" not in text


def test_a_value_is_shown_masked_short_and_on_one_line() -> None:
    """A number is three digits, text keeps its letters, escapes lose their power."""
    assert show(ANN) == "…100"
    assert show("call 212 555 0100") == "call ••• ••• •100"
    assert show("\x1b[31m\r\n") == "\\x1b[31m\\r\\n"
    assert show("x" * 100) == "x" * 39 + "…"
    assert show("112") == "112"


def test_every_code_has_a_fix() -> None:
    """Rejected, excluded and changed alike."""
    codes = [*REJECT_HINTS, *EXCLUDED_HINTS, *WARNING_HINTS]

    assert len(set(codes)) == len(codes)
    assert all(hint_of(code) for code in codes)


def test_the_report_is_complete_as_json() -> None:
    """Counts by code, notes, columns and examples with their hints."""
    body = json.loads(json.dumps(read(MIXED).report.to_dict()))

    assert body["rows"] == 8
    assert body["rejected_by_code"] == {"no_phone": 1, "emergency": 1}
    assert body["examples"]["no_phone"] == {
        "hint": hint_of("no_phone"),
        "lines": [{"line": 4, "value": "nothing", "reason": "no phone number in `nothing`"}],
    }
