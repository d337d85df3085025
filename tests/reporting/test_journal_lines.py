"""The journal: one JSON object a line, the same bytes for the same events."""

import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from reporting_doubles import EPOCH_S, KEY, NUMBER, alert, failed_attempt

from callagent_cli import events
from callagent_cli.events import (
    CallChanged,
    CommandObeyed,
    DialIntended,
    Event,
    GateClosed,
    RunEnded,
    RunPaused,
    ServiceEvent,
    Stamped,
)
from callagent_cli.reporting.journal import Journal, LineEncoder, run_file
from callagent_cli.reporting.redaction import Redactor
from callagent_cli.reporting.sinks import MemorySink

KINDS = [
    kind
    for kind in vars(events).values()
    if isinstance(kind, type) and issubclass(kind, Event) and kind not in {Event, ServiceEvent}
]


def _stamped(event: Event, sequence: int = 1) -> Stamped:
    return Stamped(EPOCH_S + 0.1234, 5.0, sequence, "run_1", "contacts", event)


def _line(event: Event) -> dict[str, Any]:
    line = LineEncoder(Redactor([KEY])).encode(_stamped(event))
    decoded: dict[str, Any] = json.loads(line)
    return decoded


def _filled(kind: type[Event], text: str) -> Event:
    """Return an event of a class with `text` wherever a text may stand."""
    samples: dict[Any, Any] = {str: text, int: 1, float: 0.5, bool: True, dict[str, int]: {"a": 1}}
    fields = {
        field.name: samples[field.type]
        for field in msgspec.structs.fields(kind)
        if field.type in samples
    }
    closed = {field.name for field in msgspec.structs.fields(kind) if field.type not in samples}
    required = {
        "old": "closed",
        "new": "open",
        "status": "placed",
        "health": "healthy",
        "kind": "opened",
        "severity": "info",
    }
    return kind(**fields, **{name: required[name] for name in closed if name in required})


def test_a_line_begins_with_time_event_run_campaign_and_sequence() -> None:
    """The first five keys of every line say when, what and where."""
    line = _line(RunPaused(by="anna"))

    assert list(line.items()) == [
        ("time", "2026-01-05T09:00:00.123Z"),
        ("event", "run_paused"),
        ("run", "run_1"),
        ("campaign", "contacts"),
        ("sequence", 1),
        ("by", "anna"),
    ]


def test_every_event_about_a_service_has_all_keys() -> None:
    """Also those that stand at their defaults: whoever reads the log can rely on them."""
    wanted = {field.name for field in msgspec.structs.fields(ServiceEvent)}

    for kind in KINDS:
        if issubclass(kind, ServiceEvent):
            assert wanted <= set(_line(_filled(kind, "x")))


def test_no_event_leaks_a_secret_or_a_number() -> None:
    """A key in any text of any event, and a number in any free text, never reach a line."""
    for kind in KINDS:
        line = json.dumps(_line(_filled(kind, KEY)))
        assert KEY not in line, kind

    for event in (
        failed_attempt(error_message=f"bad number {NUMBER}"),
        GateClosed(service="llm", reason=NUMBER),
        DialIntended(call="call_1", dial="dial_1", number=NUMBER),
        CommandObeyed(command="requeue", argument=NUMBER, by="anna"),
        CallChanged(
            call="c",
            old="active",
            new="failed",
            step="dial",
            reason=NUMBER,
            name=NUMBER,
            number=NUMBER,
        ),
        alert(title=f"call {NUMBER} failed", body=NUMBER),
    ):
        text = json.dumps(_line(event), ensure_ascii=False)
        assert NUMBER.removeprefix("+") not in text, event
        assert "…123" in text


def test_fractions_have_three_decimals() -> None:
    """Durations and delays are rounded, so that equal stories have equal bytes."""
    line = _line(failed_attempt(duration_s=0.123456, delay_s=5.00001))

    assert line["duration_s"] == 0.123
    assert line["delay_s"] == 5.0


def test_numbers_that_json_does_not_know_become_null() -> None:
    """An infinite delay does not make a line unreadable."""
    assert _line(failed_attempt(duration_s=float("inf")))["duration_s"] is None


@given(
    messages=st.lists(st.text(max_size=40), max_size=10),
    durations=st.lists(st.floats(0, 1e6), min_size=10, max_size=10),
)
def test_the_same_events_give_the_same_bytes(messages: list[str], durations: list[float]) -> None:
    """Two journals over one story agree byte by byte, and each line is one line of JSON."""
    sinks = [MemorySink(), MemorySink(keep=False)]
    for sink in sinks:
        journal = Journal(sink, Redactor([KEY]))
        for number, message in enumerate(messages):
            event = failed_attempt(error_message=message, duration_s=durations[number])
            journal(_stamped(event, number))

    assert sinks[0].sha256 == sinks[1].sha256
    assert hashlib.sha256(b"".join(sinks[0].lines)).hexdigest() == sinks[0].sha256
    assert sinks[1].lines == []
    for line in sinks[0].lines:
        assert line.count(b"\n") == 1
        assert json.loads(line)["event"] == "attempt_finished"


def test_totals_stay_an_object() -> None:
    """A run's totals are written as they are."""
    assert _line(RunEnded(reason="done", exit_code=0, totals={"done": 12}))["totals"] == {
        "done": 12
    }


def test_a_run_has_a_file_of_its_own() -> None:
    """The name carries the start in UTC and the run."""
    path = run_file(Path("logs"), EPOCH_S + 0.9, "run_1")

    assert path == Path("logs/run-20260105T090000Z-run_1.jsonl")
