"""A journal that is followed gives back the events it was written from."""

from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callagent_cli.cli.screen import journal_tail
from callagent_cli.cli.screen.journal_tail import JournalTail, event_of
from callagent_cli.errors import LogError
from callagent_cli.events import Event, RunPaused, RunResumed, ServiceEvent, Stamped
from callagent_cli.reporting.journal import LineEncoder, run_file
from callagent_cli.reporting.redaction import Redactor

RUN = "run_0123456789abcdef"
ENCODER = LineEncoder(Redactor())


def kinds(base: type[Event] = Event) -> list[type[Event]]:
    """Return every kind of event there is."""
    below = [kind for each in base.__subclasses__() for kind in (each, *kinds(each))]
    return [kind for kind in below if kind is not ServiceEvent]


def _value(annotation: Any) -> Any:  # noqa: ANN401 — any field of any event.
    if get_origin(annotation) is not None:
        inner = [each for each in get_args(annotation) if each is not type(None)]
        if get_origin(annotation) is dict:
            return {"done": 3}
        return _value(inner[0]) if isinstance(inner[0], type) else inner[0]
    return {str: "text", int: 7, float: 1.5, bool: True}[annotation]


def example(kind: type[Event]) -> Event:
    """Return an event of a kind with something in every field."""
    fields = msgspec.structs.fields(kind)
    return kind(**{field.encode_name: _value(field.type) for field in fields})


def line_of(event: Event, sequence: int = 1) -> bytes:
    """Return an event as the journal writes it."""
    return ENCODER.encode(Stamped(1767600000.25, 9.0, sequence, RUN, "spring", event))


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_every_kind_of_event_comes_back(kind: type[Event]) -> None:
    """A line of any kind is read as the event it was, with its time, run and campaign."""
    event = example(kind)

    assert event_of(line_of(event)) == Stamped(1767600000.25, 0.0, 1, RUN, "spring", event)


@given(st.binary(max_size=200))
def test_no_line_can_break_the_reader(line: bytes) -> None:
    """A torn, foreign or damaged line is left out."""
    assert event_of(line) is None


def test_a_line_of_a_later_version_is_left_out() -> None:
    """An unknown event is no error; unknown fields are not even a loss."""
    known = line_of(RunPaused(by="anna"))

    assert event_of(known.replace(b"run_paused", b"run_teleported")) is None
    assert event_of(known.replace(b'"by"', b'"mood":"good","by"')) is not None


def _file(folder: Path) -> Path:
    return run_file(folder, 1767600000.0, RUN)


def _bys(tail: JournalTail) -> list[str]:
    return [stamped.event.by for stamped in tail.events() if isinstance(stamped.event, RunPaused)]


def test_what_is_appended_is_read_once(tmp_path: Path) -> None:
    """Each line comes once, when it is whole."""
    tail, path = JournalTail(tmp_path, RUN), _file(tmp_path)
    assert (_bys(tail), tail.found) == ([], False)
    first, second = line_of(RunPaused(by="first")), line_of(RunPaused(by="second"))
    path.write_bytes(first + second[:20])
    assert (_bys(tail), tail.found) == (["first"], True)
    with path.open("ab") as file:
        file.write(second[20:])

    assert _bys(tail) == ["second"]
    assert _bys(tail) == []


def test_the_next_part_of_a_rotated_journal_is_read(tmp_path: Path) -> None:
    """After the last line of one part come those of the next, the tenth after the ninth."""
    path = _file(tmp_path)
    path.write_bytes(line_of(RunPaused(by="1")))
    tail = JournalTail(tmp_path, RUN)
    assert _bys(tail) == ["1"]
    for part in range(2, 12):
        path.with_name(f"{path.stem}.{part}.jsonl").write_bytes(line_of(RunPaused(by=f"{part}")))

    assert [by for _ in range(12) for by in _bys(tail)] == [str(part) for part in range(2, 12)]


def test_another_runs_journal_is_not_read(tmp_path: Path) -> None:
    """Only the journal of the run that is followed counts."""
    run_file(tmp_path, 1767600000.0, "run_other").write_bytes(line_of(RunPaused(by="other")))

    assert _bys(JournalTail(tmp_path, RUN)) == []


def test_a_long_journal_is_read_from_shortly_before_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what was written before only the end is read, beginning with a whole line."""
    monkeypatch.setattr(journal_tail, "HISTORY_BYTES", 1000)
    lines = [line_of(RunPaused(by=f"{number:04d}")) for number in range(100)]
    _file(tmp_path).write_bytes(b"".join(lines))
    read = _bys(JournalTail(tmp_path, RUN))

    assert read == [f"{number:04d}" for number in range(100 - len(read), 100)]
    assert 0 < len(read) <= 1000 // len(lines[0])


def test_a_journal_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    """A journal that vanishes is an error for a person, not a crash."""
    path = _file(tmp_path)
    path.write_bytes(line_of(RunResumed(by="anna")))
    tail = JournalTail(tmp_path, RUN)
    tail.events()
    path.unlink()

    with pytest.raises(LogError, match="cannot read"):
        tail.events()
