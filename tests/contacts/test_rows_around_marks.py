"""Rows near a do-not-call column: footers of exports, and cells that are too large."""

import pytest
from contact_files import ANN, BOB, EVE, read

FOOTER = '"Contact Report"\n"Confidential Information - Do Not Distribute"\n'


def test_the_footer_of_an_export_is_no_person_who_is_left_out() -> None:
    """Without a number there is nobody to leave alone: the fix is to delete the row."""
    result = read(f"Name,Phone,Do Not Call\nAnn,{ANN},0\n\n{FOOTER}")

    assert result.numbers == [ANN]
    assert result.report.rejected == {"no_phone": 2}
    assert result.report.excluded == {}
    assert all("footer" in each.hint for each in result.rejects)


def test_a_short_row_with_a_number_may_hide_a_mark() -> None:
    """The cell that says whether to call is missing, so the person is not called."""
    result = read(f"Name,Phone,Do Not Call\nAnn,{ANN}\nBob,{BOB},\n")

    assert result.numbers == [BOB]
    assert result.report.excluded == {"do_not_call_unreadable": 1}


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (f"Eve,{ANN},yes,extra", "do_not_call"),
        (f"Smith, Eve,{ANN},yes", "do_not_call_unreadable"),
        (f"Eve,{ANN},no,yes", ""),
        (f"Smith, Eve,{ANN},no", ""),
    ],
)
def test_a_yes_in_a_row_with_a_surplus_cell_forbids_its_number(row: str, code: str) -> None:
    """The row itself is rejected; its number is not called from another one."""
    result = read(f"Name,Phone,DNC\n{row}\nEve2,{ANN},\nBob,{BOB},\n")

    assert result.numbers == ([BOB] if code else [ANN, BOB])
    assert result.report.rejected == {"columns": 1}
    assert [(mark.line, mark.number, mark.code) for mark in result.marks] == (
        [(2, ANN, code)] if code else []
    )


@pytest.mark.parametrize(
    ("row", "marked"),
    [
        (f'"Eve" Smith,{ANN},yes', True),
        (f'"Eve" Smith,{ANN},yes,extra', True),
        (f'"Eve" Smith,{ANN} (do not call),', True),
        (f'"Eve" Smith,{ANN},no', False),
        (f'"Eve" Smith,{ANN}', False),
        ('"Eve" Smith,,yes', False),
    ],
)
def test_a_yes_in_a_row_with_a_stray_quote_forbids_its_number(row: str, *, marked: bool) -> None:
    """The row is rejected, and its number called from no other one while the file says so."""
    result = read(f"Name,Phone,DNC\n{row}\nEve2,{ANN},\nBob,{BOB},\n")

    assert result.numbers == ([BOB] if marked else [ANN, BOB])
    assert result.report.rejected == {"quotes": 1}
    assert [mark.code for mark in result.marks] == ["do_not_call_unreadable"] * marked


@pytest.mark.parametrize("length", [200_000, 300_000])
def test_a_mark_holds_however_large_its_row_is(length: int) -> None:
    """The number of a marked row is forbidden wherever else it stands in the file."""
    notes = "x" * length
    result = read(f"phone,notes,dnc\n{ANN},{notes},yes\n{ANN},,\n{BOB},,\n")

    assert result.numbers == [BOB]
    assert result.report.excluded == {"do_not_call": 2}
    assert result.report.left_out == 1


@pytest.mark.parametrize(
    "cell",
    [
        "442079460000",
        "call Eve 442079460000",
        "442079460000; +12125550101",
        "Fax: +442079460000",
        '"+442079460000\n23"',
    ],
)
def test_a_mark_holds_for_every_number_that_its_cell_may_mean(cell: str) -> None:
    """No call would go by a number that reads as two, or has words around it; a mark does."""
    result = read(f"phone,dnc\n{cell},yes\n{EVE},\n{ANN},\n", region="DE")

    assert result.numbers == [ANN]
    assert result.report.excluded == {"do_not_call": 2}


def test_words_that_forbid_hold_for_a_number_that_reads_as_two() -> None:
    """They are about one of the two, and nobody knows which."""
    result = read(f"phone\n442079460000 (do not call)\n{EVE}\n{ANN}\n", region="DE")

    assert result.numbers == [ANN]
    assert result.report.excluded == {"do_not_call": 2}


def test_a_stray_quote_before_an_endless_cell_costs_its_row_alone() -> None:
    """What stands behind the quote cannot be guessed then."""
    result = read(f'Name,Phone,DNC\n"Eve" {"x" * 4_100_000},{ANN},yes\nBob,{BOB},\n')

    assert result.numbers == [BOB]
    assert result.report.rejected == {"quotes": 1}
