"""The real sheet: rows wait in the store, batches go out on a thread, none is lost or doubled."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from memory_documents import MemoryDocuments
from reporting_doubles import loop_clock, quick_clock, run_jumping

from callagent_cli.clock import Clock
from callagent_cli.errors import AuthenticationFailed
from callagent_cli.reporting.google_sheet import BATCH_ROWS, WINDOW_ROWS, GoogleSheet, SheetError
from callagent_cli.reporting.sheet import Row

Told = list[tuple[str, ...]]


def _row(number: int) -> Row:
    return Row(f"run_1-{number}", (str(number), "s", "e", "m", "open", "call", "…123"))


class ScriptedSheet:
    """A spreadsheet that fails as told, before or after it wrote."""

    def __init__(self, *answers: Any) -> None:  # noqa: ANN401 — words or nothing.
        self.answers = list(answers)
        self.rows: list[str] = []
        self.writes = 0
        self.released = threading.Event()

    def append(self, rows: Sequence[Sequence[str]]) -> None:
        """Append the rows' keys, or fail."""
        self.writes += 1
        answer = self.answers.pop(0) if self.answers else None
        if answer == "hang":
            self.released.wait(10)
        if answer == "refused":
            raise SheetError("401", ambiguous=False, kind=AuthenticationFailed)
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


def _sheet(
    writer: ScriptedSheet, clock: Clock, documents: MemoryDocuments, told: Told | None = None
) -> GoogleSheet:
    hears = told if told is not None else []
    return GoogleSheet(
        lambda: writer,
        documents,
        clock,
        on_broken=lambda name, why: hears.append(("broken", name, why)),
        on_works=lambda name: hears.append(("works", name)),
        every_s=0.0,
    )


def _run(story: Callable[[], Awaitable[None]]) -> None:
    async def begin() -> None:
        await story()

    asyncio.run(begin())


def test_rows_arrive_in_batches_and_in_order() -> None:
    """Many rows cost few writes, and what is written is closed in the store."""

    async def story() -> None:
        writer, documents = ScriptedSheet(), MemoryDocuments()
        sheet = _sheet(writer, quick_clock(), documents)
        for number in range(1201):
            sheet.write(_row(number))
        assert await sheet.flush(10) == 0
        sheet.close(1)

        assert writer.rows == [f"run_1-{number}" for number in range(1201)]
        assert writer.writes == -(-1201 // BATCH_ROWS)
        assert documents.documents("sheet-row", open_only=True) == []

    _run(story)


def test_no_row_is_lost_and_none_written_twice() -> None:
    """503 after the effect, 503 before it, an unreadable key column: each row stands once."""

    async def story() -> None:
        writer = ScriptedSheet("lost after", "no keys", "lost before", "no keys", "lost after")
        sheet = _sheet(writer, quick_clock(), MemoryDocuments())
        for number in range(50):
            sheet.write(_row(number))
        for _ in range(5):
            await sheet.flush(10)
        assert await sheet.flush(10) == 0
        sheet.close(1)

        assert writer.rows == [f"run_1-{number}" for number in range(50)]

    _run(story)


def test_what_cannot_be_written_is_written_by_the_next_run() -> None:
    """Waiting rows are in the store; after a kill in the middle of an append none is doubled."""

    async def story() -> None:
        documents = MemoryDocuments()
        writer = ScriptedSheet("lost after")
        sheet = _sheet(writer, quick_clock(), documents)
        sheet.write(_row(1))
        assert await sheet.flush(10) == 1
        again = _sheet(writer, quick_clock(), documents)
        assert again.waiting == 1
        again.write(_row(2))
        assert await again.flush(10) == 0

        assert writer.rows == ["run_1-1", "run_1-2"]

    _run(story)


def test_a_sheet_that_hangs_delays_nobody() -> None:
    """Writing a row returns while Google hangs, and the end of a run waits no longer than told."""

    async def story() -> None:
        writer, documents = ScriptedSheet("hang"), MemoryDocuments()
        sheet = _sheet(writer, quick_clock(), documents)
        sheet.write(_row(0))
        assert await sheet.flush(0.05) == 1
        sheet.write(_row(1))
        writer.released.set()
        assert await sheet.flush(10) == 0

        assert sorted(writer.rows) == ["run_1-0", "run_1-1"]

    _run(story)


def test_more_rows_than_the_window_wait_in_the_store_only() -> None:
    """A long outage fills the disk and not the memory."""

    async def story() -> None:
        writer = ScriptedSheet("lost before")
        sheet = _sheet(writer, quick_clock(), MemoryDocuments())
        rows = WINDOW_ROWS + 700
        for number in range(rows):
            sheet.write(_row(number))
        assert len(sheet._rows) == WINDOW_ROWS
        assert sheet.waiting == rows
        assert await sheet.flush(10) == rows
        assert await sheet.flush(10) == 0

        assert writer.rows == [f"run_1-{number}" for number in range(rows)]

    _run(story)


@pytest.mark.parametrize("fault", ["lost before", "refused"])
def test_a_sheet_that_is_not_written_is_told_once(fault: str) -> None:
    """At the third failure, or at once when only a person can help; and once when it works."""

    async def story() -> None:
        told: Told = []
        writer = ScriptedSheet(*[fault] * 5)
        sheet = _sheet(writer, quick_clock(), MemoryDocuments(), told)
        sheet.write(_row(1))
        for _ in range(6):
            await sheet.flush(10)

        assert [entry[:2] for entry in told] == [("broken", "sheet"), ("works", "sheet")]
        assert writer.rows == ["run_1-1"]

    _run(story)


def test_rows_are_written_as_they_come_until_cancelled() -> None:
    """The sheet's task serves row after row, at most one write every two seconds."""

    async def story() -> None:
        writer, documents = ScriptedSheet(), MemoryDocuments()
        clock = loop_clock()
        sheet = GoogleSheet(
            lambda: writer,
            documents,
            clock,
            on_broken=lambda *_: None,
            on_works=lambda _: None,
        )
        serving = asyncio.create_task(sheet.serve())
        began_s = clock.monotonic()
        for number in range(3):
            sheet.write(_row(number))
            while len(writer.rows) <= number:  # noqa: ASYNC110 — a thread fills it.
                await asyncio.sleep(0.1)
        serving.cancel()
        await asyncio.wait({serving})

        assert writer.rows == ["run_1-0", "run_1-1", "run_1-2"]
        assert clock.monotonic() - began_s >= 4.0

    run_jumping(story())


class _AtOnce:
    """A hand that does everything on the loop, so that a loop that jumps need not wait for it."""

    async def do(self, act: Callable[[], None]) -> None:
        act()


def test_the_end_of_a_run_keeps_the_time_between_two_writes() -> None:
    """What came just after a write waits for its two seconds; a back-off is cut short."""

    async def story() -> None:
        writer, clock = ScriptedSheet(None, "lost before"), loop_clock()
        sheet = GoogleSheet(
            lambda: writer,
            MemoryDocuments(),
            clock,
            on_broken=lambda *_: None,
            on_works=lambda _: None,
        )
        sheet._hand = _AtOnce()  # type: ignore[assignment]
        left, ended_s = [], []
        for number in range(3):
            sheet.write(_row(number))
            left.append(await sheet.flush(10))
            ended_s.append(clock.monotonic())

        assert left == [0, 1, 0]
        assert ended_s == [0.0, 2.0, 4.0]

    run_jumping(story())
