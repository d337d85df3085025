"""Rows for the real Google Sheet wait here; a daemon thread appends them, none of them twice."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, Protocol

from callagent_cli.reporting.sheet import Row
from callagent_cli.reporting.sinks import Dropped

ROWS_MAX: Final = 20_000
"""Rows that may wait for Google; what does not fit is counted as dropped."""

BATCH_ROWS: Final = 500
EVERY_S: Final = 2.0
"""The least time between two writes: 30 a minute, half of what Google allows one user."""

DELAYS_S: Final = (5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0)


class SheetError(Exception):
    """A write failed. `ambiguous` means the rows may be in the sheet all the same."""

    def __init__(self, message: str, *, ambiguous: bool) -> None:
        super().__init__(message)
        self.ambiguous = ambiguous


class SheetWriter(Protocol):
    """What the thread needs of a spreadsheet."""

    def append(self, rows: Sequence[Sequence[str]]) -> None:
        """Append rows, all or none; raises `SheetError`."""

    def keys(self) -> set[str]:
        """Return the keys of all rows in the sheet; raises `SheetError`."""


class GoogleSheet:
    """Takes rows at once and writes them in batches, behind a bounded queue.

    A failed write is repeated after 5, 10, 20 … 300 s; after one that may have worked the keys in
    the sheet are read first. `on_dropped` hears of lost rows and, in plain words, of the first
    failure of each outage.
    """

    def __init__(
        self,
        writer: Callable[[], SheetWriter],
        *,
        on_dropped: Dropped | None = None,
        every_s: float = EVERY_S,
        delays_s: Sequence[float] = DELAYS_S,
        rows_max: int = ROWS_MAX,
    ) -> None:
        self.dropped = 0
        self._make_writer = writer
        self._writer: SheetWriter | None = None
        self._on_dropped = on_dropped
        self._every_s = every_s
        self._delays_s = delays_s
        self._rows_max = rows_max
        self._rows: deque[Row] = deque()
        self._in_doubt = False
        self._failures = 0
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="google sheet", daemon=True)
        self._thread.start()

    def write(self, row: Row) -> None:
        """Take one row; a full queue drops it."""
        with self._changed:
            if not self._closing.is_set() and len(self._rows) < self._rows_max:
                self._rows.append(row)
                self._changed.notify()
                return
        self._lose(1, "the sheet takes no more rows")

    def close(self, timeout_s: float) -> None:
        """Write what waits, for at most `timeout_s`; what is left then counts as dropped."""
        if self._closing.is_set():
            return
        self._closing.set()
        with self._changed:
            self._changed.notify()
        self._thread.join(timeout_s)
        with self._changed:
            left = len(self._rows)
            self._rows.clear()
        if left:
            self._lose(left, "closed before everything was written")

    def _lose(self, rows: int, why: str) -> None:
        self.dropped += rows
        self._tell(why)

    def _tell(self, why: str) -> None:
        if self._on_dropped is not None:
            # The hearer may hand over to a loop that has ended: then nobody is left to tell.
            with suppress(RuntimeError):
                self._on_dropped(self.dropped, why)

    # What follows runs on the thread.

    def _work(self) -> None:
        while batch := self._next_batch():
            wait_s = self._every_s if self._write(batch) else self._delay_s()
            if self._closing.is_set() and self._failures:
                return
            self._closing.wait(wait_s)

    def _next_batch(self) -> list[Row]:
        """Wait for rows; none means that there are no more to come."""
        with self._changed:
            while not self._rows and not self._closing.is_set():
                self._changed.wait()
            return [self._rows[index] for index in range(min(BATCH_ROWS, len(self._rows)))]

    def _write(self, batch: list[Row]) -> bool:
        try:
            if self._writer is None:
                self._writer = self._make_writer()
            self._append(self._writer, batch)
        except SheetError as error:
            self._failed(error)
            return False
        self._in_doubt, self._failures = False, 0
        with self._changed:
            for _ in batch[: len(self._rows)]:
                self._rows.popleft()
        return True

    def _append(self, writer: SheetWriter, batch: list[Row]) -> None:
        """Append what is not in the sheet yet; a failure of unknown effect leaves a doubt."""
        if self._in_doubt:
            present = writer.keys()
            batch = [row for row in batch if row.key not in present]
        if not batch:
            return
        try:
            writer.append([[*row.cells, row.key] for row in batch])
        except SheetError as error:
            self._in_doubt = self._in_doubt or error.ambiguous
            raise

    def _failed(self, error: SheetError) -> None:
        self._failures += 1
        if self._failures == 1:
            self._tell(str(error))

    def _delay_s(self) -> float:
        return self._delays_s[min(self._failures, len(self._delays_s)) - 1]
