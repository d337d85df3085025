"""Words in a phone cell: a label says what the number is, other words may say not to call it."""

import pytest
from contact_commands import INSTANT, Desk, exported
from contact_files import ANN, BOB, EVE, read
from workbook_files import MAIN, package, sheet

from callagent_cli.contacts.numbers import listed_number
from callagent_cli.contacts.options import Forbidden
from callagent_cli.contacts.phones.reading import NumberRules, Phone, Refusal, read_phones

FAX = "+493023125123"
SANDBOX = NumberRules(allow_fiction=True)


def _workbook(rows: tuple[tuple[str, ...], ...], *, shared: bool) -> bytes:
    if not shared:
        return package(xl__worksheets__sheet1_xml=sheet(*rows))
    texts = [text for row in rows for text in row]
    strings = "".join(f"<si><t>{text}</t></si>" for text in texts)
    numbers = iter(range(len(texts)))
    cells = (
        "".join(f'<c t="s"><v>{number}</v></c>' for _, number in zip(row, numbers, strict=False))
        for row in rows
    )
    body = "".join(f"<row>{row}</row>" for row in cells)
    return package(
        xl__sharedStrings_xml=f'<sst xmlns="{MAIN}">{strings}</sst>',
        xl__worksheets__sheet1_xml=(
            f'<worksheet xmlns="{MAIN}"><sheetData>{body}</sheetData></worksheet>'
        ),
    )


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (f"DO NOT CALL {ANN}", "do_not_call"),
        (f"{ANN} - please do not call!", "do_not_call"),
        (f"{ANN}; DNC", "do_not_call"),
        (f"Tel. {ANN} (bitte nicht anrufen)", "do_not_call"),
        (f"wrong number {ANN}", "do_not_call_unreadable"),
        (f"deceased {ANN}", "do_not_call_unreadable"),
        (f"(do not use) {ANN}", "do_not_call_unreadable"),
    ],
)
def test_words_that_forbid_to_call_are_obeyed(cell: str, code: str) -> None:
    """The person is not called from this row, nor from another one with the same number."""
    result = read(f"Name\tPhone\nAnn\t{ANN}\nBob\t{BOB}\nAnn\t{cell}\n")

    assert result.numbers == [BOB]
    assert result.report.excluded[code] >= 1
    assert result.report.excluded_rows == 2
    assert result.marks == [Forbidden(4, ANN, code)]


@pytest.mark.parametrize("head", ["Name,Phone", "Name,Phone,Do not call"])
def test_words_are_obeyed_in_a_row_with_a_cell_too_many(head: str) -> None:
    """The row is rejected, and nobody is called at its number from another row either."""
    rest = ",no" * head.count("call")
    rows = f"Ann,{ANN}{rest}\nAnn,{ANN} DO NOT CALL{rest},surplus\nBob,{BOB}{rest}\n"
    result = read(f"{head}\n{rows}")

    assert result.numbers == [BOB]
    assert result.marks == [Forbidden(3, ANN, "do_not_call")]
    assert result.report.rejected == {"columns": 1}


@pytest.mark.parametrize("shared", [True, False])
def test_words_in_a_workbook_hold_for_the_rows_before_them(*, shared: bool) -> None:
    """A workbook is read twice for them, whether its texts are shared or stand in their cells."""
    rows = (("Name", "Phone"), ("Ann", ANN), ("Bob", BOB), ("Ann", f"{ANN} DO NOT CALL"))
    result = read(_workbook(rows, shared=shared), name="contacts.xlsx")

    assert result.numbers == [BOB]
    assert result.marks == [Forbidden(4, ANN, "do_not_call")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("kind", ['t="inlineStr"', "t = 'inlineStr'"])
def test_words_in_the_cells_of_a_workbook_are_seen_however_they_are_written(
    kind: str, encoding: str
) -> None:
    """XML may be in either encoding, with either quote and with spaces."""
    text = sheet(("Name", "Phone"), ("Ann", ANN), ("Ann", f"{ANN} DO NOT CALL"), ("Bob", BOB))
    text = f'<?xml version="1.0" encoding="{encoding}"?>{text}'.replace('t="inlineStr"', kind)
    data = package(xl__worksheets__sheet1_xml=text.encode(encoding))

    assert read(data, name="contacts.xlsx").numbers == [BOB]


def test_words_in_one_phone_column_of_a_workbook_hold_for_the_other() -> None:
    """They need not stand in the cell of the number that another row has as well."""
    rows = (("Work", "Home"), ("", ANN), ("", BOB), ("do not call", ANN))
    data = _workbook(rows, shared=True)
    result = read(data, name="contacts.xlsx", phone_columns=("Work", "Home"))

    assert result.numbers == [BOB]
    assert result.marks == [Forbidden(4, ANN, "do_not_call")]


def test_words_in_one_phone_column_hold_for_the_number_in_another() -> None:
    """They are about the person, whose second number is not dialed instead."""
    result = read(
        f"Name,Work,Home\nAnn,do not call,{ANN}\nBob,,{BOB}\n", phone_columns=("Work", "Home")
    )

    assert result.numbers == [BOB]
    assert result.report.excluded == {"do_not_call": 1}


def test_words_without_a_number_are_a_footer() -> None:
    """Where no number stands there is nobody to leave alone."""
    result = read(f"Phone\n{ANN}\nConfidential - Do Not Distribute\n")

    assert result.numbers == [ANN]
    assert result.report.rejected == {"no_phone": 1}


def test_a_run_does_not_dial_a_cell_that_says_not_to(desk: Desk) -> None:
    """Nor a fax machine; both are named with their lines."""
    desk.write(str(INSTANT).replace("'", '"'), "callagent.yaml")
    name = desk.write(f"Name,Phone\nAnn,DO NOT CALL {ANN}\nBob,{BOB}\nCid,Fax {FAX}\n")
    said = desk.say("run", name, "--headless", "--allow-rejects")
    rows = exported(desk.say("export").out)

    assert "line 2: words beside the number say not to call" in said.out
    assert "line 4: labeled as a fax or a pager" in said.out
    assert [row["state"] for row in rows if row["name"] == "Bob"] == ["done"]
    assert "done" not in [row["state"] for row in rows if row["name"] != "Bob"]


@pytest.mark.parametrize(
    "cell", [f"Ann {ANN}", f"{ANN}; n/a", f"{ANN} / Bob {BOB}", f"Ann {ANN}, Bob {BOB}"]
)
def test_words_that_are_no_label_refuse_the_whole_cell(cell: str) -> None:
    """They may name somebody else: neither number is taken for the row's person."""
    found = read_phones(cell, SANDBOX)

    assert [read.code for read in found if isinstance(read, Refusal)] == ["letters"]
    assert len(found) == 1


@pytest.mark.parametrize(
    "cell",
    [
        f"mobile {ANN} / home {BOB}",
        f"Mobile: {ANN}, Work phone: {BOB}",
        f"{ANN} tel. {BOB}",
    ],
)
def test_labeled_numbers_are_read_in_their_order(cell: str) -> None:
    """A label says what a number is and refuses nothing."""
    assert read_phones(cell, SANDBOX) == [Phone(ANN, "", ("label",)), Phone(BOB, "", ("label",))]


def test_a_second_number_with_the_scheme_of_a_link_is_kept() -> None:
    """`tel:` before each of two numbers is no part of either."""
    read = read_phones(f"tel:{ANN}; tel:{BOB}", SANDBOX)

    assert [found.number for found in read if isinstance(found, Phone)] == [ANN, BOB]


@pytest.mark.parametrize("cell", [f"Fax {FAX}", f"Work Fax: {FAX}", f"Pager {FAX}"])
def test_a_number_labeled_as_a_machine_is_no_persons(cell: str) -> None:
    """Nobody answers there; a telephone in the same cell is used instead."""
    [alone] = read_phones(cell, SANDBOX)
    result = read(f"Phone\n{cell} / Tel. {EVE}\n")

    assert isinstance(alone, Refusal)
    assert alone.code == "not_a_person"
    assert result.numbers == [EVE]
    assert result.report.warnings["alternate_used"] == 1


@pytest.mark.parametrize("cell", [f"DO NOT CALL {ANN}", f"Ann {ANN}", f"Fax {ANN}"])
def test_a_suppression_list_is_read_through_any_words(cell: str) -> None:
    """To leave somebody alone, whatever stands beside the number does not matter."""
    listed = listed_number(2, cell, SANDBOX)

    assert (listed.numbers, listed.problem) == ((ANN,), "")
