"""Where our columns stand under headers that people changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callagent_cli.reporting.sheet_layout import CELL_MAX, COLUMNS, find_layout, layout_of

STANDARD = list(COLUMNS)
ROW = [f"cell {number}" for number in range(len(COLUMNS))]


def test_the_header_that_we_write_is_the_one_that_we_find() -> None:
    """Eight columns, side by side, in the first row."""
    layout = find_layout([STANDARD])

    assert layout is not None
    assert (layout.row, layout.places, layout.missing) == (1, tuple(range(8)), 0)
    assert layout.gapless
    assert layout.spread(ROW) == ROW


@pytest.mark.parametrize(
    ("header", "places", "missing"),
    [
        (["who", *STANDARD], (1, 2, 3, 4, 5, 6, 7, 8), 0),
        ([*STANDARD[:3], "seen", "note", *STANDARD[3:]], (0, 1, 2, 5, 6, 7, 8, 9), 0),
        (list(reversed(STANDARD)), (7, 6, 5, 4, 3, 2, 1, 0), 0),
        (["Zeit", *STANDARD[1:]], tuple(range(8)), 0),
        (["Zeit", "Dienst", *STANDARD[2:]], tuple(range(8)), 0),
        ([" TIME ", "Service", *STANDARD[2:]], tuple(range(8)), 0),
        ([*STANDARD[:-1]], tuple(range(8)), 1),
        ([*STANDARD[:2], *STANDARD[3:]], (0, 1, 7, 2, 3, 4, 5, 6), 1),
        (["time", "note", "Dienst", *STANDARD[2:]], (0, 9, 3, 4, 5, 6, 7, 8), 1),
    ],
)
def test_columns_are_known_by_their_names_and_by_their_neighbors(
    header: list[str], places: tuple[int, ...], missing: int
) -> None:
    """Inserted, moved, renamed, deleted: in doubt a column of our own is added at the end."""
    layout = layout_of(header, 1)

    assert layout.places == places
    assert layout.missing == missing


def test_a_title_above_the_header_is_no_header() -> None:
    """People put a title and an empty row on top; rows of data are no header either."""
    rows = [["Our calls"], [], STANDARD, ["2026-01-05", "elevenlabs", "attempt_failed"]]

    layout = find_layout(rows)
    assert layout is not None
    assert layout.row == 3
    assert find_layout([rows[0], rows[1], rows[3]]) is None


@given(
    order=st.permutations(STANDARD),
    own=st.lists(
        st.tuples(st.integers(0, 8), st.sampled_from(["note", "", "who", "seen by"])), max_size=4
    ),
    renamed=st.sets(st.integers(0, 7), max_size=3),
)
def test_no_two_columns_share_a_place(
    order: list[str], own: list[tuple[int, str]], renamed: set[int]
) -> None:
    """Each cell has a place of its own, under its name wherever that is still there."""
    header = [f"other {at}" if at in renamed else name for at, name in enumerate(order)]
    for at, name in own:
        header.insert(at, name)
    layout = layout_of(header, 1)

    assert len(set(layout.places)) == len(COLUMNS)
    assert max(layout.places) < len(layout.header) == len(header) + layout.missing
    for name, place in zip(COLUMNS, layout.places, strict=True):
        assert layout.header[place] == name or name not in header


def test_a_cell_is_never_longer_than_google_takes() -> None:
    """One longer cell would refuse all rows of its batch."""
    spread = layout_of(STANDARD, 1).spread(["x" * 60_000, *ROW[1:]])

    assert len(spread[0] or "") == CELL_MAX == 50_000
