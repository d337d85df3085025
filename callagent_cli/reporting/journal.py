"""The journal: every event as one line of JSON, the same bytes for the same events."""

from datetime import UTC, datetime
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


def run_file(folder: Path, started_utc_s: float, run: str) -> Path:
    """Return where a run's journal goes: `run-20260105T090000Z-<run>.jsonl`."""
    started = datetime.fromtimestamp(started_utc_s, UTC).strftime("%Y%m%dT%H%M%SZ")
    return folder / f"run-{started}-{run}.jsonl"


class _Plan:
    """What has to be looked at in the events of one class."""

    __slots__ = ("floats", "head_length", "texts")

    def __init__(self, kind: type[Event]) -> None:
        fields = msgspec.structs.fields(kind)
        self.texts = [field.name for field in fields if field.name in FREE_TEXT]
        self.floats = [field.name for field in fields if _is_float(field.type)]
        tag = kind.__struct_config__.tag
        self.head_length = len(f'{{"event":"{tag}"')


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
        self._places: dict[tuple[str, str], str] = {}

    def encode(self, stamped: Stamped) -> bytes:
        """Return the event as one line of JSON, with its line feed."""
        event = stamped.event
        kind = type(event)
        plan = self._plans.get(kind)
        if plan is None:
            plan = self._plans[kind] = _Plan(kind)
        changes = self._changes(event, plan)
        body = self._encode(msgspec.structs.replace(event, **changes) if changes else event)
        place = self._places.get((stamped.run, stamped.campaign)) or self._place(stamped)
        head = (
            f'{{"time":"{utc_text(stamped.utc_s)}",{body[1 : plan.head_length].decode()}'
            f',{place},"sequence":{stamped.sequence}'
        )
        line = head.encode() + body[plan.head_length :] + b"\n"
        return self._redactor.line(line)

    def _changes(self, event: Event, plan: _Plan) -> dict[str, object]:
        changes: dict[str, object] = {}
        for name in plan.floats:
            value = getattr(event, name)
            if value is not None:
                changes[name] = round(value, _DECIMALS)
        for name in plan.texts:
            text = getattr(event, name)
            if text and (redacted := self._redactor.text(text)) is not text:
                changes[name] = redacted
        return changes

    def _place(self, stamped: Stamped) -> str:
        """Return run and campaign as JSON; they hardly ever change, so they are kept."""
        run, campaign = self._encode(stamped.run), self._encode(stamped.campaign)
        place = f'"run":{run.decode()},"campaign":{campaign.decode()}'
        self._places = {(stamped.run, stamped.campaign): place}
        return place


class Journal:
    """Listens to the bus and writes each event as a line to its sink."""

    def __init__(self, sink: Sink, redactor: Redactor) -> None:
        self.sink = sink
        self._encoder = LineEncoder(redactor)

    def __call__(self, stamped: Stamped) -> None:
        """Write one event."""
        self.sink.write(self._encoder.encode(stamped))
