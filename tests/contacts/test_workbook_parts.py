"""Workbooks as programs other than openpyxl save them, and as an attacker would."""

import io
import tempfile
import tracemalloc
import zipfile
from contextlib import closing
from typing import Any

import pytest
from contact_files import ANN, BOB, EVE, attempt, read
from hypothesis import given
from hypothesis import strategies as st
from workbook_files import MAIN, STRICT, package, relations, sheet, workbook

from callagent_cli.contacts.files.strings import SharedStrings, read_strings, unescaped
from callagent_cli.errors import ContactsError

BOMB = 65 << 20
"""Bytes of a part that is more than any may unpack to, unless it is packed as rows are."""


@pytest.fixture(autouse=True)
def _openpyxl() -> None:
    pytest.importorskip("openpyxl")


def _numbers(data: bytes) -> list[str]:
    return read(data, name="contacts.xlsx").numbers


def _shared(*texts: str) -> str:
    items = "".join(f"<si><t>{text}</t></si>" for text in texts)
    return f'<sst xmlns="{MAIN}">{items}</sst>'


def test_a_strict_workbook_is_read() -> None:
    """Excel's "Strict Open XML" has the same elements in another namespace."""
    data = package(xl__worksheets__sheet1_xml=sheet(("Phone",), (ANN,), namespace=STRICT))

    assert _numbers(data) == [ANN]


def test_parts_are_found_whatever_they_are_called() -> None:
    """By their relationships: an absolute target, an unusual name, another case of the letters."""
    parts: dict[str, Any] = {
        "_rels__.rels": relations(("officeDocument", "/xl/workbook2.xml")),
        "xl__workbook_xml": None,
        "xl__workbook2_xml": workbook(),
        "xl___rels__workbook_xml.rels": None,
        "xl___rels__workbook2_xml.rels": relations(("worksheet", "/xl/Worksheets/A.xml")),
        "xl__worksheets__a_xml": sheet(("Phone",), (BOB,)),
    }

    assert _numbers(package(**parts)) == [BOB]


def test_the_first_sheet_that_can_be_seen_is_read() -> None:
    """A hidden sheet holds what its author does not mean; its place is said."""
    listed = '<sheet name="old" r:id="r1" state="hidden"/><sheet name="People" r:id="r2"/>'
    parts: dict[str, Any] = {
        "xl__workbook_xml": workbook(listed),
        "xl___rels__workbook_xml.rels": relations(
            ("worksheet", "worksheets/sheet1.xml"), ("worksheet", "worksheets/sheet2.xml")
        ),
        "xl__worksheets__sheet1_xml": sheet(("Phone",), (ANN,)),
        "xl__worksheets__sheet2_xml": sheet(("Phone",), (EVE,)),
    }
    result = read(package(**parts), name="contacts.xlsx")

    assert result.numbers == [EVE]
    assert result.report.notes == ["only the sheet `People` of 2 is read: those before are hidden"]


def test_dates_are_counted_from_the_workbooks_own_epoch() -> None:
    """Workbooks of old Macintosh computers count the days from 1904."""
    cells = f'<row><c t="inlineStr"><is><t>{ANN}</t></is></c><c s="1"><v>366</v></c></row>'
    rows = sheet(("Phone", "since")).replace("</sheetData>", f"{cells}</sheetData>")
    styles = f'<styleSheet xmlns="{MAIN}"><cellXfs><xf/><xf numFmtId="14"/></cellXfs></styleSheet>'
    parts: dict[str, Any] = {
        "xl___rels__workbook_xml.rels": relations(
            ("worksheet", "worksheets/sheet1.xml"), ("styles", "styles.xml")
        ),
        "xl__styles_xml": styles,
        "xl__worksheets__sheet1_xml": rows,
    }
    mac = package(xl__workbook_xml=workbook(head='<workbookPr date1904="1"/>'), **parts)

    [contact] = read(mac, name="contacts.xlsx").contacts
    [other] = read(package(**parts), name="contacts.xlsx").contacts

    assert contact.variables == {"since": "1905-01-01T00:00:00"}
    assert other.variables == {"since": "1900-12-31T00:00:00"}


def test_escaped_characters_of_a_text_are_what_they_stand_for() -> None:
    """Excel writes a carriage return as `_x000D_`, which nobody wants to hear."""
    assert unescaped("a_x000D__x000A_b_x005F_c_xD800_d_x_") == "a\r\nb_c_xD800_d_x_"


@given(
    texts=st.lists(st.text(st.characters(blacklist_categories=["Cs"]), max_size=300)),
    data=st.data(),
)
def test_shared_texts_come_back_in_any_order(texts: list[str], data: st.DataObject) -> None:
    """Whether they are still in memory or on disk; an unknown number raises."""
    order = data.draw(st.permutations(range(len(texts))))
    with closing(SharedStrings()) as strings:
        for text in texts:
            strings.add(text)

        assert [strings[number] for number in order] == [texts[number] for number in order]
        for number in (-1, len(texts)):
            with pytest.raises(IndexError):
                strings[number]


def test_shared_texts_do_not_stay_in_memory() -> None:
    """A hundred thousand of them, 12 MB in all, take the memory of a few."""
    part = io.BytesIO(_shared(*(f"{number:0120}" for number in range(100_000))).encode())
    strings = SharedStrings()
    tracemalloc.start()
    read_strings(part, strings)
    assert strings[99_999] == f"{99_999:0120}"
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    strings.close()

    assert peak < 2 << 20


def test_a_huge_cell_loses_its_row_only() -> None:
    """Whether its text stands in the sheet or among the shared ones."""
    for huge in ("x" * 200_000, "x" * 2_000_000):
        rows = sheet(("Phone", "Note"), (ANN, huge), (BOB, "short"))
        there = read(package(xl__worksheets__sheet1_xml=rows), name="contacts.xlsx")
        shared = sheet(("Phone", "Note")).replace(
            "</sheetData>",
            '<row><c t="s"><v>0</v></c><c t="s"><v>1</v></c></row>'
            '<row><c t="s"><v>2</v></c></row></sheetData>',
        )
        parts: dict[str, Any] = {
            "xl__worksheets__sheet1_xml": shared,
            "xl__sharedStrings_xml": _shared(ANN, huge, BOB),
        }
        elsewhere = read(package(**parts), name="contacts.xlsx")

        for result in (there, elsewhere):
            assert result.numbers == [BOB]
            assert result.report.rejected == {"cell_too_large": 1}


LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;"><!ENTITY c "&b;&b;&b;">]>'
HOSTILE: dict[str, dict[str, Any]] = {
    "entities in the sheet": {"xl__worksheets__sheet1_xml": LAUGHS + sheet(("&c;",))},
    "entities in the texts": {"xl__sharedStrings_xml": LAUGHS + _shared("&c;")},
    "entities in the workbook": {"xl__workbook_xml": LAUGHS + workbook()},
    "a part that unpacks to nothing but itself": {
        "xl__sharedStrings_xml": b"<sst>" + b" " * BOMB + b"</sst>"
    },
    "a tag without an end": {"xl__worksheets__sheet1_xml": b"<worksheet a='" + b"x" * (9 << 20)},
    "a thousand elements in each other": {"xl__worksheets__sheet1_xml": "<a>" * 1000},
    "texts in each other": {"xl__sharedStrings_xml": "<sst>" + "<si>" * 1000},
    "styles in each other": {
        "xl___rels__workbook_xml.rels": relations(
            ("worksheet", "worksheets/sheet1.xml"), ("styles", "styles.xml")
        ),
        "xl__styles_xml": "<a>" * 1000,
    },
    "no relations": {"_rels__.rels": None},
    "no workbook among the relations": {"_rels__.rels": relations(("image", "xl/workbook.xml"))},
    "no sheet": {"xl__workbook_xml": workbook("")},
    "a sheet that is not there": {"xl__worksheets__sheet1_xml": None},
    "texts that are not there": {"xl__sharedStrings_xml": None},
    "a text of no number": {
        "xl__worksheets__sheet1_xml": f'<worksheet xmlns="{MAIN}"><row><c t="s"><v>-1</v></c></row>'
        "</worksheet>"
    },
    "another compression": {"method": zipfile.ZIP_LZMA},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_workbook_is_a_damaged_one(name: str) -> None:
    """Nothing of it is unpacked beyond what is needed to see that."""
    outcome = attempt(package(**HOSTILE[name]), name="contacts.xlsx")

    assert isinstance(outcome, ContactsError)
    assert "a damaged Excel workbook" in outcome.message


def test_a_sheet_of_one_far_row_is_read_at_once() -> None:
    """A million rows that are not stored take no memory and little time."""
    far = sheet(("Phone", *["x"] * 50)).replace(
        "</sheetData>",
        f'<row r="1048576"><c t="inlineStr"><is><t>{ANN}</t></is></c></row></sheetData>',
    )
    result = read(
        package(xl__worksheets__sheet1_xml=far.replace(">x<", "><")), name="contacts.xlsx"
    )

    assert [(each.line, each.number) for each in result.contacts] == [(1_048_576, ANN)]
    assert result.report.blank == 1_048_574


def test_no_room_for_the_texts_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is not a damaged file."""

    class Full(io.BytesIO):
        def write(self, _data: object) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: Full())
    texts = _shared(*(["x" * 1000] * 400))

    with pytest.raises(ContactsError, match="no room"):
        read(package(xl__sharedStrings_xml=texts), name="contacts.xlsx")
