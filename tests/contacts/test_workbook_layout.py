"""What a worksheet shows without storing it in each cell: merged cells, and hidden rows."""

import io
from typing import Any

import pytest
from contact_files import ANN, BOB, EVE, read

from callagent_cli.contacts.files.layout import Layout, Merge, MergedCells, read_layout

CLEO = "+12125550102"


def workbook(*rows: tuple[object, ...], merged: str, hidden: tuple[int, ...] = ()) -> bytes:
    """Return the bytes of a workbook with merged cells and hidden rows."""
    openpyxl: Any = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.active.merge_cells(merged)
    for number in hidden:
        book.active.row_dimensions[number].hidden = True
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def test_a_merged_do_not_call_cell_holds_for_all_its_rows() -> None:
    """The sheet shows one yes beside three people, and stores it for the first alone."""
    rows = (("Phone", "DNC"), (ANN, "yes"), (BOB, None), (EVE, None), (CLEO, None))
    result = read(workbook(*rows, merged="B2:B4"), name="c.xlsx")

    assert result.numbers == [CLEO]
    assert result.report.excluded == {"do_not_call": 3}


def test_a_merged_time_zone_is_that_of_all_its_rows() -> None:
    """And a row in which nothing else stands is no row of its own."""
    rows = (("Phone", "Time Zone"), (ANN, "Asia/Tokyo"), (None, None), (BOB, None), (EVE, None))
    result = read(workbook(*rows, merged="B2:B4"), name="c.xlsx")

    assert [contact.timezone for contact in result.contacts] == ["Asia/Tokyo", "Asia/Tokyo", ""]
    assert result.report.blank == 1


def test_a_title_across_columns_is_said_once() -> None:
    """Only cells below one another are one person's and the next one's."""
    rows = (("Phone", "Company", None), (ANN, "Acme", None))
    result = read(workbook(*rows, merged="B2:C2"), name="c.xlsx")

    assert result.contacts[0].variables["company"] == "Acme"
    assert "Acme" not in list(result.contacts[0].variables.values())[1:]


def test_hidden_rows_are_read_and_that_is_said() -> None:
    """A filter hides rows; whoever looks at the sheet may not know that they are there."""
    rows = (("Phone", "DNC"), (ANN, None), (BOB, None), (EVE, None))
    one = read(workbook(*rows, merged="A1:A1", hidden=(3,)), name="c.xlsx")
    two = read(workbook(*rows, merged="A1:A1", hidden=(3, 4)), name="c.xlsx")

    assert one.numbers == [ANN, BOB, EVE]
    assert one.report.notes == [
        "1 row that is hidden in the sheet is read as well: delete what is not meant"
    ]
    assert two.report.notes == [
        "2 rows that are hidden in the sheet are read as well: delete what is not meant"
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("filler", [0, 1_048_530, 1_048_560, 2_100_000])
def test_a_tag_is_found_wherever_a_block_of_the_sheet_ends(filler: int, encoding: str) -> None:
    """Each merged cell and each hidden row counts once, in either encoding."""
    cell = '<x:c t="inlineStr"><x:is/></x:c>'
    rest = '<x:row r="2" hidden="1"/><x:mergeCell ref="C2:C4"/>'
    shared, own = (
        read_layout(io.BytesIO(f"<x:c>{'y' * filler}</x:c>{more}{rest}".encode(encoding)))
        for more in ("", cell)
    )

    assert shared == Layout({2: [Merge(2, 4)]}, 1, own_texts=False)
    assert own == shared._replace(own_texts=True)


def test_endless_merged_cells_are_a_damaged_sheet() -> None:
    """Nobody merges two hundred thousand cells."""
    sheet = b'<mergeCell ref="A1:A2"/>' * 200_001

    with pytest.raises(ValueError, match="too many"):
        read_layout(io.BytesIO(sheet))


def test_what_a_cell_stores_of_its_own_is_kept() -> None:
    """Other programs store something in every merged cell."""
    merged = MergedCells(read_layout(io.BytesIO(b'<mergeCell ref="A1:A3"/>')).merges)
    rows = [["a"], ["b"], ["", "x"], ["", "y"]]
    for number, cells in enumerate(rows, 1):
        merged.fill(number, cells)

    assert rows == [["a"], ["b"], ["a", "x"], ["", "y"]]
