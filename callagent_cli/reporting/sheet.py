"""The Google Sheet: which events become rows, and the file that stands in for it."""

import csv
import io
from typing import Final, NamedTuple, Protocol

from callagent_cli.clock import utc_text
from callagent_cli.events import (
    AlertRaised,
    AttemptFinished,
    BreakerChanged,
    CallChanged,
    DialIntended,
    Stamped,
)
from callagent_cli.masking import mask
from callagent_cli.reporting.redaction import Redactor
from callagent_cli.reporting.sinks import Sink

HEADER: Final = (
    "time",
    "service",
    "event",
    "error message",
    "breaker state",
    "call",
    "masked number",
)
ROW_EVENTS: Final = (AttemptFinished, BreakerChanged, CallChanged, AlertRaised, DialIntended)
"""The events that `SheetRows` must hear; no others become rows."""

CELL_MAX: Final = 500
"""Characters of a cell that are kept."""

_NUMBERS_MAX: Final = 20_000
_NO_FAILURE: Final = frozenset({"ok", "cancelled", "local_rejection"})
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


class Row(NamedTuple):
    """One row; `key` is unique among all runs, so that no row is written twice."""

    key: str
    cells: tuple[str, ...]


class RowSink(Protocol):
    """Takes rows and never waits."""

    @property
    def dropped(self) -> int:
        """Rows lost so far."""

    def write(self, row: Row) -> None:
        """Take one row."""

    def close(self, timeout_s: float) -> None:
        """Write what waits, for at most `timeout_s`."""


class SheetRows:
    """Listens to the bus: failed attempts, breaker changes, failed calls and alerts become rows."""

    def __init__(self, sink: RowSink, redactor: Redactor) -> None:
        self.sink = sink
        self._redact = redactor.text
        self._numbers: dict[str, str] = {}
        self._breakers: dict[str, str] = {}

    def __call__(self, stamped: Stamped) -> None:
        """Write the row of one event, if it has one."""
        event = stamped.event
        if isinstance(event, AttemptFinished):
            if event.outcome not in _NO_FAILURE:
                self._write(
                    stamped,
                    event.service,
                    "attempt_failed",
                    said=event.error_message,
                    state=event.breaker_state,
                    call=event.call,
                )
        elif isinstance(event, BreakerChanged):
            self._breakers[event.service] = event.new
            self._write(
                stamped,
                event.service,
                f"breaker_{event.new}",
                said=event.error_message or event.reason,
                state=event.new,
            )
        elif isinstance(event, CallChanged):
            self._call_changed(stamped, event)
        elif isinstance(event, AlertRaised):
            self._write(
                stamped,
                event.service,
                f"alert_{event.kind}",
                said=event.title,
                state=self._breakers.get(event.service, ""),
                call=event.call,
            )
        elif isinstance(event, DialIntended):
            self._learn(event.call, event.number)

    def _call_changed(self, stamped: Stamped, event: CallChanged) -> None:
        if event.number:
            self._learn(event.call, event.number)
        if event.new == "failed":
            service = event.waits_for
            self._write(
                stamped,
                service,
                "call_failed",
                said=event.reason,
                state=self._breakers.get(service, ""),
                call=event.call,
            )
        if event.new in {"done", "failed", "cancelled"}:
            self._numbers.pop(event.call, None)

    def _learn(self, call: str, number: str) -> None:
        """Remember the masked number of a call; its attempts do not say it."""
        if len(self._numbers) >= _NUMBERS_MAX and call not in self._numbers:
            del self._numbers[next(iter(self._numbers))]
        self._numbers[call] = mask(number)

    def _write(
        self, stamped: Stamped, service: str, name: str, *, said: str, state: str, call: str = ""
    ) -> None:
        cells = (
            utc_text(stamped.utc_s),
            service,
            name,
            self._redact(said)[:CELL_MAX],
            state,
            call,
            self._numbers.get(call, ""),
        )
        self.sink.write(Row(f"{stamped.run}-{stamped.sequence}", cells))


class CsvRows:
    """Stands in for the sheet: writes rows as lines of CSV to a sink that has the header already.

    A cell that a spreadsheet would take for a formula gets an apostrophe in front.
    """

    def __init__(self, sink: Sink) -> None:
        self.lines = sink

    @property
    def dropped(self) -> int:
        """Rows lost so far."""
        return self.lines.dropped

    def write(self, row: Row) -> None:
        """Take one row."""
        self.lines.write(csv_line([_harmless(cell) for cell in row.cells]))

    def close(self, timeout_s: float) -> None:
        """Write what waits, for at most `timeout_s`."""
        self.lines.close(timeout_s)


def csv_line(cells: list[str]) -> bytes:
    """Return cells as one line of CSV in UTF-8, with its line feed; cells hold no line feeds."""
    text = io.StringIO()
    flat = [cell.replace("\r", " ").replace("\n", " ") for cell in cells]
    csv.writer(text, lineterminator="\n").writerow(flat)
    return text.getvalue().encode()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell
