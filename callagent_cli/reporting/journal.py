"""The journal: every event as one line of JSON, the same bytes for the same events."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from callagent_cli.clock import utc_text
from callagent_cli.events import Event, Stamped
from callagent_cli.reporting.redaction import Redactor
from callagent_cli.reporting.sinks import Sink

FREE_TEXT: Final = frozenset(
    {
        "argument",
        "body",
        "by",
        "detail",
        "error_message",
        "instead",
        "name",
        "number",
        "reason",
        "title",
    }
)
"""Fields that may carry what a provider, a file or a person wrote; numbers are masked there."""

_DECIMALS: Final = 3
_replace: Final = msgspec.structs.replace


def run_file(folder: Path, started_utc_s: float, run: str) -> Path:
    """Return where a run's journal goes: `run-20260105T090000Z-<run>.jsonl`."""
    started = datetime.fromtimestamp(started_utc_s, UTC).strftime("%Y%m%dT%H%M%SZ")
    return folder / f"run-{started}-{run}.jsonl"


class _Plan:
    """What has to be looked at in the events of one class, and how their lines begin."""

    __slots__ = ("floats", "head_length", "middle", "texts")

    def __init__(self, kind: type[Event], place: str) -> None:
        self.texts, self.floats = _fields_of(kind)
        named = f'"event":"{kind.__struct_config__.tag}"'
        self.head_length = len(named) + 1
        self.middle = f'",{named},{place},"sequence":'


@cache
def _fields_of(kind: type[Event]) -> tuple[list[str], list[str]]:
    """Return the names of a class's free texts, and of its numbers with a fraction."""
    fields = msgspec.structs.fields(kind)
    texts = [field.name for field in fields if field.name in FREE_TEXT]
    return texts, [field.name for field in fields if _is_float(field.type)]


def _is_float(annotation: object) -> bool:
    return annotation is float or annotation == (float | None)


class LineEncoder:
    """Turns stamped events into lines: UTC time, event, run, campaign, sequence, then its fields.

    Numbers with a fraction have three decimals; texts are redacted.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._plans: dict[type[Event], _Plan] = {}
        self._encode = msgspec.json.Encoder().encode
        self._place = ("", "")
        self._utc_s = 0.0
        self._time = utc_text(0.0)

    def encode(self, stamped: Stamped) -> bytes:
        """Return the event as one line of JSON, with its line feed."""
        utc_s, _, sequence, run, campaign, event = stamped
        if self._place != (run, campaign):
            self._place = (run, campaign)
            self._plans = {}
        kind = type(event)
        plan = self._plans.get(kind) or self._plan(kind)
        changes = self._changes(event, plan)
        body = self._encode(_replace(event, **changes) if changes else event)
        if utc_s != self._utc_s:  # Much happens in one instant.
            self._utc_s, self._time = utc_s, utc_text(utc_s)
        head = f'{{"time":"{self._time}{plan.middle}{sequence}'.encode()
        return self._redactor.line(b"%b%b\n" % (head, body[plan.head_length :]))

    def _changes(self, event: Event, plan: _Plan) -> dict[str, object]:
        changes: dict[str, object] = {}
        for name in plan.floats:
            value = getattr(event, name)
            if value is not None and (rounded := round(value, _DECIMALS)) != value:
                changes[name] = rounded
        for name in plan.texts:
            text = getattr(event, name)
            if text and (redacted := self._redactor.text(text)) is not text:
                changes[name] = redacted
        return changes

    def _plan(self, kind: type[Event]) -> _Plan:
        """Make the plan of a class; run and campaign hardly ever change, so they are part of it."""
        run, campaign = map(self._encode, self._place)
        place = f'"run":{run.decode()},"campaign":{campaign.decode()}'
        plan = self._plans[kind] = _Plan(kind, place)
        return plan


class Journal:
    """Listens to the bus and writes each event as a line to its sink."""

    def __init__(self, sink: Sink, redactor: Redactor) -> None:
        self.sink = sink
        self._encoder = LineEncoder(redactor)

    def __call__(self, stamped: Stamped) -> None:
        """Write one event."""
        self.sink.write(self._encoder.encode(stamped))
