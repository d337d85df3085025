"""Which events become rows of the sheet, and what a row may hold."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reporting_doubles import (
    EPOCH_S,
    KEY,
    NUMBER,
    alert,
    breaker,
    failed_attempt,
    failed_call,
    good_attempt,
)

from callagent_cli.events import DialIntended, Event, RunPaused, Stamped
from callagent_cli.reporting.redaction import Redactor
from callagent_cli.reporting.sheet import CsvRows, Row, SheetRows
from callagent_cli.reporting.sinks import MemorySink


def _rows(*events: Event) -> list[list[str]]:
    sink = MemorySink()
    rows = SheetRows(CsvRows(sink), Redactor([KEY]))
    for number, event in enumerate(events):
        rows(Stamped(EPOCH_S, 1.0, number, "run_1", "contacts", event))
    return list(csv.reader(io.StringIO(b"".join(sink.lines).decode())))


def test_failures_breakers_failed_calls_and_alerts_become_rows() -> None:
    """Seven cells each: time, service, event, message, breaker state, call, masked number."""
    time = "2026-01-05T09:00:00.000Z"

    assert _rows(
        DialIntended(call="call_1", dial="dial_1", number=NUMBER),
        failed_attempt(),
        breaker("closed", "open"),
        failed_call(waits_for="elevenlabs"),
        alert(),
    ) == [
        [
            time,
            "elevenlabs",
            "attempt_failed",
            "elevenlabs answered 503",
            "closed",
            "call_1",
            "…123",
        ],
        [time, "elevenlabs", "breaker_open", "elevenlabs answered 503", "open", "", ""],
        [time, "elevenlabs", "call_failed", "elevenlabs answered 503", "open", "call_1", "…123"],
        [time, "elevenlabs", "alert_opened", "title 1", "open", "", ""],
    ]


@pytest.mark.parametrize(
    "event",
    [
        good_attempt(),
        failed_attempt(outcome="cancelled"),
        failed_attempt(outcome="local_rejection"),
        failed_call(new="done"),
        RunPaused(by="anna"),
    ],
)
def test_everything_else_is_no_row(event: Event) -> None:
    """Successes and what we did ourselves stay out of the sheet."""
    assert _rows(event) == []


def test_rows_hold_no_secret_and_no_number() -> None:
    """What a provider echoes is masked before it leaves."""
    text = repr(
        _rows(
            failed_attempt(error_message=f"{KEY} {NUMBER}"),
            failed_call(reason=NUMBER, number=NUMBER),
            alert(title=NUMBER),
        )
    )

    assert KEY not in text
    assert NUMBER.removeprefix("+") not in text
    assert "…123" in text


@given(cell=st.text(max_size=30))
def test_no_cell_is_a_formula_and_no_row_has_two_lines(cell: str) -> None:
    """Whatever a provider writes, a spreadsheet shows it as text, on one line."""
    sink = MemorySink()
    cells: Any = (cell, "=1+1", "-2", "@x", "plain", "  =1", "\t=1")
    CsvRows(sink).write(Row("key", cells))
    read = next(csv.reader(io.StringIO(sink.lines[0].decode(), newline="")))

    assert sink.lines[0].count(b"\n") == 1
    assert not read[0].lstrip(" ").startswith(("=", "+", "-", "@", "\t"))
    assert read[1:6] == ["'=1+1", "'-2", "'@x", "plain", "'  =1"]
    assert read[6].startswith("'")


def test_a_long_message_is_cut() -> None:
    """A page of HTML does not fill the sheet."""
    assert len(_rows(failed_attempt(error_message="x" * 5000))[0][3]) == 500
