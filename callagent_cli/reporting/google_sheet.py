"""Rows for the real Google Sheet wait in the store; a thread appends them, none of them twice."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import SimpleQueue
from typing import Final, Protocol

import msgspec

from callagent_cli.clock import Clock
from callagent_cli.errors import (
    CircuitOpen,
    Deferred,
    PermanentError,
    ServiceError,
    ServiceUnavailable,
)
from callagent_cli.reporting.delivery import delivery_guard
from callagent_cli.reporting.incidents import Documents
from callagent_cli.reporting.sheet import Row
from callagent_cli.resilience.work import Operation, Work

KIND: Final = "sheet-row"
"""The kind under which rows are kept as documents; open ones are not in the sheet yet."""

BATCH_ROWS: Final = 500
EVERY_S: Final = 2.0
"""The least time between two writes: 30 a minute, half of what Google allows one user."""

WINDOW_ROWS: Final = 5_000
"""Rows that are held in memory as well; what comes beyond that is read from the store in turn."""

BROKEN_AFTER: Final = 3
MENDED_S: Final = 900.0
"""A sheet that only a person can mend is tried again this often."""

NAME: Final = "sheet"
_LEASE_S: Final = 60.0


class SheetError(Exception):
    """A write failed. `ambiguous` means the rows may be in the sheet all the same.

    `kind` is the error it is to the sheet's Guard, `notice` what a person should be told besides.
    """

    def __init__(
        self,
        message: str,
        *,
        ambiguous: bool,
        kind: type[ServiceError] = ServiceUnavailable,
        status: int | None = None,
        retry_after_s: float | None = None,
        notice: str = "",
    ) -> None:
        super().__init__(message)
        self.ambiguous = ambiguous
        self.notice = notice
        self.kind = kind
        self.status = status
        self.retry_after_s = retry_after_s


class SheetWriter(Protocol):
    """What the thread needs of a spreadsheet."""

    def append(self, rows: Sequence[Sequence[str]]) -> None:
        """Append rows, all or none; raises `SheetError`."""

    def keys(self) -> set[str]:
        """Return the keys of all rows in the sheet; raises `SheetError`."""


class _Hand:
    """A daemon thread that does one thing after the other; nothing waits for it at the end."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[tuple[Callable[[], None], Callable[[SheetError | None], None]]] = (
            SimpleQueue()
        )
        self._thread: threading.Thread | None = None

    async def do(self, act: Callable[[], None]) -> None:
        """Return when `act` has been done; raises the `SheetError` it raised."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[SheetError | None] = loop.create_future()

        def settle(error: SheetError | None) -> None:
            # The loop may have ended while Google took its time.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(_settle, done, error)

        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._work, name="google sheet", daemon=True)
            self._thread.start()
        self._jobs.put((act, settle))
        error = await done
        if error is not None:
            raise error

    def _work(self) -> None:
        while True:
            act, settle = self._jobs.get()
            error: SheetError | None = SheetError("the sheet's thread broke", ambiguous=True)
            try:
                error = _error_of(act)
            finally:
                settle(error)


def _error_of(act: Callable[[], None]) -> SheetError | None:
    try:
        act()
    except SheetError as error:
        return error
    return None


def _settle(done: "asyncio.Future[SheetError | None]", error: SheetError | None) -> None:
    if not done.done():
        done.set_result(error)


def _say_nothing(_name: str, _text: str) -> None:
    """Tell nobody."""


class GoogleSheet:
    """Takes rows at once, keeps them in the store, and appends them in batches behind a Guard.

    After a write that may have worked, and after a restart with waiting rows, the keys in the
    sheet are read before anything is appended. `on_broken(name, error)` is called once when the
    sheet cannot be written, `on_works(name)` at the first write and when it can be written again,
    `on_notice(name, text)` for what mended itself. Must be made inside the loop.
    """

    def __init__(
        self,
        writer: Callable[[], SheetWriter],
        documents: Documents,
        clock: Clock,
        *,
        on_broken: Callable[[str, str], None],
        on_works: Callable[[str], None],
        on_notice: Callable[[str, str], None] = _say_nothing,
        every_s: float = EVERY_S,
    ) -> None:
        self.dropped = 0
        self._make_writer = writer
        self._writer: SheetWriter | None = None
        self._documents = documents
        self._clock = clock
        self._on_broken = on_broken
        self._on_works = on_works
        self._on_notice = on_notice
        self._every_s = every_s
        self._guard = delivery_guard(NAME, clock)
        self._operation = Operation("sheet.append", lease_s=_LEASE_S)
        self._hand = _Hand()
        self._rows: deque[Row] = deque()
        self._more = True
        self._not_before_s = 0.0
        self._free_s = 0.0
        self._failures = 0
        self._known_to_work = False
        self._wake = asyncio.Event()
        self._refill()
        self._in_doubt = bool(self._rows)

    def write(self, row: Row) -> None:
        """Take one row: it is in the store with the event that it tells of."""
        self._documents.put(KIND, row.key, msgspec.json.encode(row.cells))
        if self._more or len(self._rows) >= WINDOW_ROWS:
            self._more = True
        else:
            self._rows.append(row)
        self._wake.set()

    @property
    def waiting(self) -> int:
        """How many rows are not in the sheet yet."""
        if not self._more:
            return len(self._rows)
        return len(self._documents.documents(KIND, open_only=True))

    async def serve(self) -> None:
        """Write what waits until cancelled."""
        while True:
            self._refill()
            if not self._rows:
                self._wake.clear()
                await self._wake.wait()
                continue
            wait_s = self._not_before_s - self._clock.monotonic()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            await self._write_next(retries=True)

    async def flush(self, timeout_s: float) -> int:
        """Write what waits, for at most `timeout_s`; return how many rows still wait."""
        breaker = self._guard.breaker
        if breaker.state != "closed":
            breaker.reset("the run ends")
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                self._refill()
                while self._rows and await self._write_next(retries=False):
                    self._refill()
        return self.waiting

    def close(self, timeout_s: float) -> None:  # noqa: ARG002 — what waits stays in the store.
        """Stop; the rows that wait are written by the next run."""
        self._guard.disarm()

    def _refill(self) -> None:
        if self._rows or not self._more:
            return
        found = self._documents.documents(KIND, open_only=True)
        for key, body in found[:WINDOW_ROWS]:
            self._rows.append(Row(key, msgspec.json.decode(body, type=tuple[str, ...])))
        self._more = len(found) > WINDOW_ROWS

    async def _write_next(self, *, retries: bool) -> bool:
        """Write one batch through the Guard; return whether it is in the sheet."""
        breaker = self._guard.breaker
        if breaker.state == "isolated":
            breaker.reset("tried again: somebody may have mended it")
        work = Work(NAME, retries=retries)
        try:
            await self._guard.run(self._operation, self._attempt, work)
        except (ServiceError, CircuitOpen, Deferred) as error:
            self._not_before_s = self._clock.monotonic() + self._rest_s(error)
            return False
        self._not_before_s = self._clock.monotonic() + self._every_s
        return True

    def _rest_s(self, error: ServiceError | CircuitOpen | Deferred) -> float:
        breaker = self._guard.breaker
        if breaker.state == "isolated":
            return MENDED_S
        if isinstance(error, Deferred):
            return error.delay_s
        return max(self._every_s, breaker.retry_after_s)

    async def _attempt(self) -> None:
        """Append a batch; raises `ServiceError` when it is not certain to be in the sheet."""
        # The end of a run cuts a back-off short, but never the time between two writes.
        await asyncio.sleep(max(0.0, self._free_s - self._clock.monotonic()))
        # Chosen once the attempt has its slot: what another one wrote meanwhile is gone from here.
        batch = [self._rows[index] for index in range(min(BATCH_ROWS, len(self._rows)))]
        try:
            await self._write(batch)
        except SheetError as error:
            failure = error.kind(str(error), status=error.status, retry_after_s=error.retry_after_s)
            if error.notice:
                self._on_notice(NAME, error.notice)
            self._failed(failure)
            raise failure from error
        except asyncio.CancelledError:
            self._in_doubt = True  # The thread goes on without us.
            raise
        self._written(batch)

    async def _write(self, batch: list[Row]) -> None:
        try:
            await self._hand.do(lambda: self._append(batch))
        finally:
            self._free_s = self._clock.monotonic() + self._every_s

    def _append(self, batch: list[Row]) -> None:
        """Append, on the thread, what is not in the sheet yet."""
        if self._writer is None:
            self._writer = self._make_writer()
        try:
            if self._in_doubt:
                present = self._writer.keys()
                batch = [row for row in batch if row.key not in present]
            if batch:
                self._writer.append([[*row.cells, row.key] for row in batch])
        except SheetError as error:
            self._in_doubt = self._in_doubt or error.ambiguous
            raise

    def _written(self, batch: list[Row]) -> None:
        self._in_doubt = False
        for row in batch:
            self._rows.popleft()
            self._documents.put(KIND, row.key, b"", open_=False)
        if self._failures >= BROKEN_AFTER or not self._known_to_work:
            # A run before this one may have told that the sheet is broken.
            self._known_to_work = True
            self._on_works(NAME)
        self._failures = 0

    def _failed(self, error: ServiceError) -> None:
        told = self._failures >= BROKEN_AFTER
        self._failures = max(self._failures + 1, BROKEN_AFTER * isinstance(error, PermanentError))
        if self._failures >= BROKEN_AFTER and not told:
            self._on_broken(NAME, error.message)
