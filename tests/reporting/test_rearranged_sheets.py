"""Real gspread and a sheet that people work in: rows find their columns, and none comes twice."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from memory_documents import MemoryDocuments
from reporting_doubles import quick_clock
from sheets_twin import Grid, SheetsTwin

from callagent_cli.reporting.google_sheet import KIND, GoogleSheet, SheetError
from callagent_cli.reporting.sheet import Row
from callagent_cli.reporting.sheet_layout import COLUMNS
from callagent_cli.store.sqlite_store import SqliteStore

STANDARD = list(COLUMNS)
FORMULAS = ("=1+1", "+1", "-1", "@x", "'x")


def _row(number: int) -> list[str]:
    return [f"t{number}", "s", "e", "m", "open", "c", "…123", f"run_1-{number}"]


def _keys(grid: Grid) -> list[str]:
    """Return the keys under the header's name, wherever that is."""
    top = next(row for row in grid.rows if "key" in row)
    place = top.index("key")
    return [row[place] for row in grid.rows if len(row) > place and row[place].startswith("run_")]


def _insert_column(grid: Grid, at: int, name: str) -> None:
    """Insert a column as a person does, with a name in its header only."""
    for number, row in enumerate(grid.rows):
        if len(row) >= at:
            row.insert(at, name if number == 0 else "")
    grid.size[1] += 1


def _sort(grid: Grid) -> None:
    """Sort all rows upside down, the header with them."""
    grid.rows.reverse()


def _title_above(grid: Grid) -> None:
    grid.rows[:0] = [["Our calls"], []]


def _drop_header(grid: Grid) -> None:
    del grid.rows[0]


def _drop_key_column(grid: Grid) -> None:
    for row in grid.rows:
        del row[7:]


REARRANGED: dict[str, Callable[[Grid], None]] = {
    "a column in front": lambda grid: _insert_column(grid, 0, "who"),
    "a column between": lambda grid: _insert_column(grid, 3, "seen"),
    "a column without a name": lambda grid: _insert_column(grid, 1, ""),
    "sorted with the header": _sort,
    "a title above": _title_above,
    "a renamed column": lambda grid: grid.put(0, 3, ["Fehlermeldung"]),
    "no header": _drop_header,
    "an empty row between": lambda grid: grid.rows.insert(2, []),
    "a note of one's own": lambda grid: grid.put(1, 9, ["called back"]),
}


@pytest.mark.parametrize("rearrange", REARRANGED.values(), ids=REARRANGED)
def test_rows_find_their_columns_in_a_sheet_that_people_rearranged(
    rearrange: Callable[[Grid], None],
) -> None:
    """Each value stands under its own name, own columns stay, and no key comes twice."""
    with SheetsTwin(titles=("callagent",)) as twin:
        grid = twin.grids["callagent"]
        writer = twin.writer()
        writer.append([_row(1), _row(2), _row(3)])
        rearrange(grid)
        before = [list(row) for row in grid.rows]
        present = writer.keys()
        writer.append([_row(4), _row(5)])
        added = [row for row in grid.rows if any(cell in {"run_1-4", "run_1-5"} for cell in row)]

    assert {"run_1-1", "run_1-2", "run_1-3"} <= present
    assert len(added) == 2
    assert [row for row in grid.rows if row in before] == before
    assert sorted(_keys(grid)) == [f"run_1-{number}" for number in range(1, 6)]
    header = next(row for row in grid.rows if "key" in row)
    place = header.index("time")
    assert sorted(row[place] for row in added) == ["t4", "t5"]


def test_a_key_column_that_was_deleted_is_added_at_the_end() -> None:
    """The grid is made wider where there is no room."""
    with SheetsTwin(titles=("callagent",)) as twin:
        grid = twin.grids["callagent"]
        writer = twin.writer()
        writer.append([_row(1)])
        _insert_column(grid, 0, "who")
        _drop_key_column(grid)
        grid.size[1] = 7
        writer.append([_row(2)])

    assert grid.rows[0] == ["who", *STANDARD[:6], "masked number", "key"]
    assert _keys(grid) == ["run_1-2"]
    assert grid.size[1] == 9


def test_no_cell_becomes_a_formula() -> None:
    """Whatever a provider wrote goes in raw, also where the table has a gap."""
    with SheetsTwin(titles=("callagent",)) as twin:
        writer = twin.writer()
        cells = [*FORMULAS, "c", "n"]
        writer.append([[*cells, "run_1-1"]])
        _insert_column(twin.grids["callagent"], 1, "")
        writer.append([[*cells, "run_1-2"]])
        rows = twin.grids["callagent"].rows

    assert twin.inputs == ["RAW"]
    assert rows[1] == [cells[0], "", *cells[1:], "run_1-1"]
    assert rows[2] == [cells[0], "", *cells[1:], "run_1-2"]


def test_a_full_spreadsheet_is_said_in_plain_words() -> None:
    """Ten million cells: nothing was written, and the way out is named."""
    with SheetsTwin(titles=("callagent", "archive")) as twin:
        twin.grids["archive"].size = [1_250_000, 8]
        writer = twin.writer()
        with pytest.raises(SheetError, match=r"is full .*delete old rows") as raised:
            writer.append([_row(1)])

    assert not raised.value.ambiguous


# A worksheet that vanishes


class _Desk:
    """A sheet behind its queue, and what it said."""

    def __init__(self, twin: SheetsTwin, documents: MemoryDocuments) -> None:
        self.said: list[tuple[str, str]] = []
        self.sheet = GoogleSheet(
            twin.writer,
            documents,
            quick_clock(),
            on_broken=lambda _, why: self.said.append(("broken", why)),
            on_works=lambda _: self.said.append(("works", "")),
            on_notice=lambda _, text: self.said.append(("notice", text)),
            every_s=0.0,
        )

    def write(self, *numbers: int) -> None:
        """Take rows."""
        for number in numbers:
            *cells, key = _row(number)
            self.sheet.write(Row(key, tuple(cells)))


def test_a_worksheet_deleted_in_a_run_is_made_again_with_its_header() -> None:
    """Rows that wait are written once; those that were deleted stay deleted; it is told once."""

    async def story(twin: SheetsTwin) -> list[tuple[str, str]]:
        desk = _Desk(twin, MemoryDocuments())
        desk.write(1, 2)
        assert await desk.sheet.flush(10) == 0
        del twin.grids["callagent"]
        desk.write(3)
        assert await desk.sheet.flush(10) == 1
        assert await desk.sheet.flush(10) == 0
        desk.write(4)
        assert await desk.sheet.flush(10) == 0
        desk.sheet.close(1)
        return desk.said

    with SheetsTwin(titles=("callagent",)) as twin:
        said = asyncio.run(story(twin))

    assert twin.grids["callagent"].rows == [STANDARD, _row(3), _row(4)]
    assert [kind for kind, _ in said] == ["works", "notice"]
    assert said[1][1].startswith("the worksheet `callagent` was deleted or renamed: it was made")


def test_a_worksheet_that_comes_back_with_its_rows_gets_none_twice() -> None:
    """An answer was lost, the worksheet vanished and was brought back: the keys are read first."""

    async def story(twin: SheetsTwin) -> None:
        desk = _Desk(twin, MemoryDocuments())
        desk.write(1)
        assert await desk.sheet.flush(10) == 1
        kept = twin.grids.pop("callagent")
        twin.answers = [(400, {"error": {"code": 400, "message": "Unable to parse range: x"}})]
        twin.grids["callagent"] = kept
        left = [await desk.sheet.flush(10) for _ in range(2)]
        assert left == [1, 0]
        desk.sheet.close(1)
        assert desk.said == [("works", "")]

    with SheetsTwin((503, "{}", True), titles=("callagent",)) as twin:
        asyncio.run(story(twin))

    assert _keys(twin.grids["callagent"]) == ["run_1-1"]


def test_a_worksheet_deleted_between_the_look_and_the_write_is_made_again() -> None:
    """The refusal proves that nothing was written; the next try makes the worksheet."""

    async def story(twin: SheetsTwin) -> None:
        desk = _Desk(twin, MemoryDocuments())
        twin.before_append = [lambda: twin.grids.pop("callagent")]
        desk.write(1)
        left = [await desk.sheet.flush(10) for _ in range(3)]
        assert left == [1, 1, 0]
        desk.sheet.close(1)

    with SheetsTwin(titles=("callagent",)) as twin:
        asyncio.run(story(twin))

    assert twin.grids["callagent"].rows == [STANDARD, _row(1)]


# Killed

_CHILD = """
import asyncio, json, sys
from pathlib import Path
import sheets_twin
from callagent_cli.clock import system_clock
from callagent_cli.reporting.google_sheet import GoogleSheet
from callagent_cli.reporting.sheet import Row
from callagent_cli.store.sqlite_store import SqliteStore

async def main():
    given = json.loads(Path(sys.argv[1]).read_text())
    store = SqliteStore.open(Path(given["database"]))
    twin = sheets_twin.SheetsTwin()
    twin.base = given["base"]
    sheet = GoogleSheet(
        lambda: twin.writer(given["account"]),
        store, system_clock(), on_broken=print, on_works=lambda name: None, every_s=0.0)
    for number in range(given["rows"]):
        sheet.write(Row(f"run_1-{number}", ("t", "s", "e", "m", "open", "c", "n")))
    store.flush()
    left = await sheet.flush(30)
    store.close()
    print(left)

asyncio.run(main())
"""


def test_a_process_killed_after_google_wrote_doubles_and_loses_nothing(tmp_path: Path) -> None:
    """SIGKILL between the effect of an append and our note of it; the next start reads first."""
    children: list[subprocess.Popen[str]] = []
    database, given = tmp_path / "live.db", tmp_path / "given.json"

    def start(rows: int) -> subprocess.Popen[str]:
        told = {"database": str(database), "base": twin.base, "account": twin.account, "rows": rows}
        given.write_bytes(msgspec.json.encode(told))
        child = subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(given)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=subprocess.PIPE,
            text=True,
        )
        children.append(child)
        return child

    with SheetsTwin(titles=("callagent",)) as twin:
        twin.after_append = [lambda: os.kill(children[0].pid, signal.SIGKILL)]
        killed = start(700)
        killed.communicate(timeout=15)
        inside = len(twin.grids["callagent"].rows) - 1
        again = start(0)
        said, _ = again.communicate(timeout=15)
        keys = _keys(twin.grids["callagent"])
    store = SqliteStore.open(database)
    waiting = store.documents(KIND, open_only=True)
    store.close()

    assert killed.returncode == -signal.SIGKILL
    assert inside == 500
    assert said.strip() == "0"
    assert sorted(keys) == sorted(f"run_1-{number}" for number in range(700))
    assert waiting == []
