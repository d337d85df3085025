"""The real sheet: batches on a thread, no row lost, none written twice."""

import threading
from collections.abc import Sequence
from typing import Any

from callagent_cli.reporting.google_sheet import BATCH_ROWS, GoogleSheet, SheetError
from callagent_cli.reporting.sheet import Row


def _row(number: int) -> Row:
    return Row(f"run_1-{number}", (str(number), "s", "e", "m", "open", "call", "…123"))


class ScriptedSheet:
    """A spreadsheet that fails as told, before or after it wrote; `grown` tells of each change."""

    def __init__(self, *answers: Any) -> None:  # noqa: ANN401 — words or nothing.
        self.answers = list(answers)
        self.rows: list[str] = []
        self.writes = 0
        self.released = threading.Event()
        self.reached = threading.Event()

    def append(self, rows: Sequence[Sequence[str]]) -> None:
        """Append the rows' keys, or fail."""
        self.writes += 1
        answer = self.answers.pop(0) if self.answers else None
        if answer == "hang":
            self.reached.set()
            self.released.wait(10)
        if answer == "refused":
            raise SheetError("429", ambiguous=False)
        if answer == "lost before":
            raise SheetError("503 before", ambiguous=True)
        self.rows += [row[-1] for row in rows]
        if answer == "lost after":
            raise SheetError("503 after", ambiguous=True)

    def keys(self) -> set[str]:
        """Return the keys, or fail."""
        if self.answers and self.answers[0] == "no keys":
            self.answers.pop(0)
            raise SheetError("503 reading", ambiguous=True)
        return set(self.rows)


def _sheet(writer: ScriptedSheet, told: list[tuple[int, str]] | None = None) -> GoogleSheet:
    hears = told if told is not None else []
    return GoogleSheet(
        lambda: writer,
        on_dropped=lambda dropped, why: hears.append((dropped, why)),
        every_s=0.0,
        delays_s=(0.0,),
    )


def _finished(sheet: GoogleSheet, writer: ScriptedSheet, rows: int) -> None:
    """Wait until the script is over and every row is written, then close."""
    while sheet._rows and sheet._thread.is_alive():
        sheet._thread.join(0.001)
    sheet.close(5)
    assert len(writer.rows) == rows


def test_rows_arrive_in_batches_and_in_order() -> None:
    """Many rows cost few writes."""
    writer = ScriptedSheet("hang")
    sheet = _sheet(writer)
    sheet.write(_row(0))
    assert writer.reached.wait(5)
    for number in range(1, 1201):
        sheet.write(_row(number))
    writer.released.set()
    _finished(sheet, writer, 1201)

    assert writer.rows == [f"run_1-{number}" for number in range(1201)]
    assert writer.writes == 1 + -(-1200 // BATCH_ROWS)
    assert sheet.dropped == 0


def test_no_row_is_lost_and_none_written_twice() -> None:
    """503 after the effect, 503 before it, 429, an unreadable key column: each row stands once."""
    told: list[tuple[int, str]] = []
    writer = ScriptedSheet(
        "lost after", "no keys", "lost before", "no keys", "refused", "lost after", "refused"
    )
    sheet = _sheet(writer, told)
    for number in range(50):
        sheet.write(_row(number))
    _finished(sheet, writer, 50)

    assert sorted(writer.rows) == sorted(f"run_1-{number}" for number in range(50))
    assert told[0] == (0, "503 after")
    assert sheet.dropped == 0


def test_a_slow_sheet_delays_nobody_and_counts_what_does_not_fit() -> None:
    """Writing returns while Google hangs; beyond the bound rows are counted as lost."""
    writer = ScriptedSheet("hang")
    told: list[tuple[int, str]] = []
    sheet = GoogleSheet(
        lambda: writer,
        on_dropped=lambda dropped, why: told.append((dropped, why)),
        every_s=0.0,
        rows_max=10,
    )
    sheet.write(_row(0))
    assert writer.reached.wait(5)
    for number in range(1, 15):
        sheet.write(_row(number))
    dropped = sheet.dropped
    writer.released.set()
    _finished(sheet, writer, 10)

    assert dropped == 5
    assert told[-1][0] == 5


def test_closing_gives_up_on_a_dead_sheet_and_counts_the_rest() -> None:
    """The end of a run tries once more, then says how many rows were lost."""
    writer = ScriptedSheet(*["lost before"] * 1000)
    sheet = GoogleSheet(lambda: writer, every_s=0.0, delays_s=(3600.0,))
    for number in range(7):
        sheet.write(_row(number))
    sheet.close(5)

    assert sheet.dropped == 7
    assert not sheet._thread.is_alive()
    sheet.write(_row(8))
    sheet.close(5)
    assert sheet.dropped == 8
