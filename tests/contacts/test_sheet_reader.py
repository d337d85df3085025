"""Worksheets read from their XML hold what openpyxl reads in them."""

import io
import tempfile
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callagent_cli.contacts.files.sheet import UNCOMPUTED, SheetReader, as_text
from callagent_cli.contacts.files.source import Source
from callagent_cli.contacts.files.workbook import Book

NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"

texts = st.text(
    st.characters(
        blacklist_categories=["Cc", "Cs", "Co", "Cn"], blacklist_characters="\ufffe\uffff"
    ),
    max_size=8,
)
values = st.one_of(
    st.none(),
    texts,
    st.booleans(),
    st.integers(-(10**14), 10**14),
    st.floats(-1e9, 1e9).map(lambda number: round(number, 3)),
    st.dates(date(1901, 1, 1), date(2100, 1, 1)),
    st.datetimes(datetime(1901, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001 — as in sheets.
        lambda at: at.replace(microsecond=0)
    ),
)


def _read(xml: str, strings: tuple[str, ...] = ()) -> list[tuple[int, list[str]]]:
    reader = SheetReader(strings, frozenset({7}), lambda number, _style: timedelta(days=number))
    return list(reader.rows(io.BytesIO(xml.encode())))


def _book_rows(data: bytes) -> dict[int, list[str]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "contacts.xlsx"
        path.write_bytes(data)
        book = Book(Source(path=path, workbook=True, encoding="xlsx"))
        found = {row.line: row.cells for row in book.rows()}
        book.close()
    return found


def _sheet(rows: str, head: str = "") -> str:
    return f'{head}<worksheet xmlns="{NAMESPACE}"><sheetData>{rows}</sheetData></worksheet>'


@given(rows=st.lists(st.lists(values, min_size=1, max_size=5), min_size=1, max_size=5))
def test_a_sheet_reads_as_openpyxl_reads_it(rows: list[list[object]]) -> None:
    """Texts, numbers, truth values, dates and gaps come out the same."""
    openpyxl: Any = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for number, row in enumerate(rows, start=1):
        for column, value in enumerate(row, start=1):
            if value is not None:
                cell = book.active.cell(row=number, column=column, value=value)
                cell.data_type = "s" if isinstance(value, str) else cell.data_type
    file = io.BytesIO()
    book.save(file)
    opened = openpyxl.load_workbook(file, read_only=True, data_only=True)
    sheet = opened.worksheets[0]
    expected = [[as_text(value) for value in row] for row in sheet.iter_rows(values_only=True)]
    opened.close()
    found = _book_rows(file.getvalue())

    for number, wanted in enumerate(expected, start=1):
        cells = found.get(number, [])
        assert cells + [""] * (len(wanted) - len(cells)) == wanted


def test_types_positions_and_styles_are_understood() -> None:
    """Cells may be skipped, rich, pronounced, computed, or of a date's style."""
    rows = (
        '<row r="2"><c r="B2" t="s"><v>1</v></c><c r="D2" t="b"><v>1</v></c></row>'
        '<row r="5"><c t="inlineStr"><is><r><t>An</t></r><r><t>n</t></r>'
        "<rPh><t>x</t></rPh></is></c>"
        '<c><v>12.0</v></c><c s="7"><v>2</v></c><c s="7" t="e"><v>#N/A</v></c>'
        '<c t="str"><f>1+1</f><v>two</v></c><c s="1"/><c><v>1E+3</v></c></row>'
    )

    assert _read(_sheet(rows), ("a", "b")) == [
        (2, ["", "b", "", "TRUE"]),
        (5, ["Ann", "12", "2 days, 0:00:00", "#N/A", "two", "", "1000"]),
    ]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("<c><v>491512345678</v></c>", "491512345678"),
        ("<c><v>491512345678.0</v></c>", "491512345678"),
        ("<c><v>4.91512345678E11</v></c>", "491512345678"),
        ("<c><v>4.915123456780E+11</v></c>", "491512345678"),
        ("<c><v>4.91512E+11</v></c>", "4.91512E+11"),
        ("<c><v>4.9151234E12</v></c>", "4.9151234E12"),
        ("<c><v>491512345678.5</v></c>", "491512345678.5"),
        ("<c><v>4.2E1</v></c>", "42"),
    ],
)
def test_digits_that_are_not_written_are_not_made_up(cell: str, text: str) -> None:
    """A number with an exponent that is longer than its digits may be somebody else's phone."""
    assert _read(_sheet(f"<row>{cell}</row>")) == [(1, [text])]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("<c><f>TRUE()</f></c>", UNCOMPUTED),
        ("<c><f>TRUE()</f><v></v></c>", UNCOMPUTED),
        ('<c t="b"><f>TRUE()</f><v/></c>', UNCOMPUTED),
        ("<c><f>1+1</f><v>2</v></c>", "2"),
        ('<c t="str"><f>""</f><v></v></c>', ""),
        ("<c/>", ""),
    ],
)
def test_a_formula_without_a_stored_value_is_no_empty_cell(cell: str, text: str) -> None:
    """Programs write formulas that only a spreadsheet computes; an empty text is a value."""
    assert _read(_sheet(f"<row>{cell}</row>")) == [(1, [text])]


@pytest.mark.parametrize(
    "xml",
    [
        _sheet('<row r="3"/><row r="3"/>'),
        _sheet('<row r="2000000"/>'),
        _sheet('<row><c r="B1"/><c r="A1"/></row>'),
        _sheet('<row><c r="ZZZZ1"><v>1</v></c></row>'),
        _sheet('<row><c r="1"><v>1</v></c></row>'),
        _sheet("<row><c><v>1,5</v></c></row>"),
        _sheet("", '<!DOCTYPE x [<!ENTITY a "aaaa">]>'),
    ],
)
def test_a_sheet_that_contradicts_itself_is_damaged(xml: str) -> None:
    """Rows and cells go forward within a sheet's limits, and nothing defines entities."""
    with pytest.raises(ValueError, match=r"."):
        _read(xml)


def test_a_sheet_that_is_cut_off_is_damaged() -> None:
    """Half a sheet is not read as a short one."""
    with pytest.raises(ExpatError):
        _read(_sheet('<row r="1"/>')[:-30])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("a", "a"),
        (True, "TRUE"),
        (7, "7"),
        (7.0, "7"),
        (12.5, "12.5"),
        (1e16, "1e+16"),
        (time(9, 30), "09:30:00"),
    ],
)
def test_a_value_is_written_as_in_a_text_file(value: object, text: str) -> None:
    """Whole numbers lose their `.0`, beyond 15 digits they show that some are lost; ISO 8601."""
    assert as_text(value) == text
