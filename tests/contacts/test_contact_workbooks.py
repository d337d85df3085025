"""Excel workbooks: read through openpyxl, and named for what they are without it."""

import io
import sys
import zipfile
from typing import Any

import pytest
from contact_files import ANN, EVE, attempt, read
from hypothesis import given
from hypothesis import strategies as st
from workbook_files import MAIN, package

from callagent_cli.errors import ContactsError


def workbook(*rows: tuple[object, ...], sheets: int = 1) -> bytes:
    """Return the bytes of a workbook with these rows on its first sheet."""
    openpyxl: Any = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for _ in range(sheets - 1):
        book.create_sheet()
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def zipped(**members: bytes) -> bytes:
    """Return the bytes of a zip archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), data)
    return file.getvalue()


def test_a_workbook_is_read_row_by_row() -> None:
    """Text, whole numbers and empty cells come out as they stand in the sheet."""
    data = workbook(("Name", "Phone", "Size"), ("Ann", ANN, 12.0), (None,), ("Eve", EVE, True))
    result = read(data, name="contacts.xlsx")

    assert [(c.line, c.number, c.variables) for c in result.contacts] == [
        (2, ANN, {"size": "12"}),
        (4, EVE, {"size": "TRUE"}),
    ]
    assert result.report.blank == 1


def test_a_numeric_cell_has_lost_its_plus() -> None:
    """The same rule as for text: read both ways, refused when both are numbers."""
    data = workbook(("Phone",), (442079460000,))

    assert read(data, name="c.xlsx", region="US").numbers == [EVE]
    assert read(data, name="c.xlsx", region="DE").report.rejected == {"ambiguous_phone": 1}
    assert read(data, name="c.xlsx").report.rejected == {"no_country": 1}


def test_only_the_first_sheet_is_read_and_that_is_said() -> None:
    """Nobody wonders where the other people are."""
    result = read(workbook(("Phone",), (ANN,), sheets=2), name="contacts.xlsx")

    assert result.report.notes == ["only the first of 2 sheets is read"]


def test_a_later_mark_in_a_workbook_holds_for_earlier_rows() -> None:
    """Do-not-call marks are known before the first contact comes out."""
    data = workbook(("Phone", "DNC"), (ANN, None), (EVE, None), (ANN, True))

    assert read(data, name="contacts.xlsx").numbers == [EVE]


def test_a_formula_that_nobody_computed_answers_nothing() -> None:
    """As a mark it is unreadable, so not called; as a phone it is refused for what it is."""
    data = workbook(("Phone", "DNC", "Plan"), (ANN, "=TRUE()", ""), (EVE, "", "=1+1"), ("=A3", ""))
    result = read(data, name="contacts.xlsx")

    assert [(c.number, c.variables) for c in result.contacts] == [(EVE, {"plan": ""})]
    assert result.report.excluded == {"do_not_call_unreadable": 1}
    assert result.report.rejected == {"no_value": 1}
    assert result.report.warnings == {"formula": 1}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("4.9151234E12", "scientific"),
        ("4915.1234E8", "scientific"),
        ("4.91512E+11", "scientific"),
        ("491512345678.5", "fraction"),
    ],
)
def test_a_number_with_an_exponent_or_a_fraction_is_not_rebuilt(text: str, code: str) -> None:
    """Its last digits are lost, whatever the promise about its plus sign."""
    sheet = (
        f'<worksheet xmlns="{MAIN}"><sheetData><row><c t="inlineStr"><is><t>Phone</t></is></c>'
        f"</row><row><c><v>{text}</v></c></row></sheetData></worksheet>"
    )
    data = package(xl__worksheets__sheet1_xml=sheet)
    result = read(data, name="c.xlsx", numbers_are_international=True)

    assert result.numbers == []
    assert list(result.report.rejected) == [code]


def test_a_workbook_named_csv_says_what_it_is() -> None:
    """The file is not read as text, and the hint says how to go on."""
    with pytest.raises(ContactsError) as error:
        read(zipped(xl__workbook_xml=b"<x/>"))

    assert "contacts.csv: an Excel workbook (.xlsx)" in error.value.message


def test_a_zip_archive_says_what_it_is() -> None:
    """It may hold a list, but it is none."""
    with pytest.raises(ContactsError, match="a zip archive"):
        read(zipped(contacts=b"Phone\n"))


def test_a_text_file_named_xlsx_says_what_it_is() -> None:
    """Renaming does not make a workbook."""
    with pytest.raises(ContactsError, match="not an Excel workbook"):
        read(f"Phone\n{ANN}\n", name="contacts.xlsx")


def test_without_openpyxl_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hint names the extra to install, and the way around it."""
    monkeypatch.setitem(sys.modules, "openpyxl", None)

    with pytest.raises(ContactsError) as error:
        read(zipped(xl__workbook_xml=b"<x/>"), name="contacts.xlsx")

    assert "openpyxl" in error.value.message
    assert "callagent[xlsx]" in error.value.hint


def test_a_damaged_workbook_is_an_error_of_the_file() -> None:
    """Whatever the library raises, a person is told that the file is damaged."""
    pytest.importorskip("openpyxl")
    with pytest.raises(ContactsError, match="damaged Excel workbook"):
        read(zipped(xl__workbook_xml=b"<x/>"), name="contacts.xlsx")


@given(st.data())
def test_no_damage_to_a_workbook_raises_anything_else(data: st.DataObject) -> None:
    """Bytes flipped anywhere give contacts or a `ContactsError`."""
    content = bytearray(workbook(("Name", "Phone"), ("Ann", ANN), ("Eve", EVE)))
    for _ in range(data.draw(st.integers(1, 8))):
        place = 4 + data.draw(st.integers(0, 1 << 16)) % (len(content) - 4)
        content[place] = data.draw(st.integers(0, 255))
    outcome = attempt(bytes(content), name="contacts.xlsx")

    if isinstance(outcome, ContactsError):
        assert outcome.message.startswith("/")
    else:
        assert outcome.report.rows == outcome.report.accepted + outcome.report.rejected_rows
