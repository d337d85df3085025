"""The journal of what people do while no worker runs: `logs/commands.jsonl`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from callagent_cli.cli.place.workplace import Workplace
from callagent_cli.clock import Clock
from callagent_cli.events import Bus
from callagent_cli.reporting.journal import Journal
from callagent_cli.reporting.redaction import Redactor
from callagent_cli.reporting.sinks import FileSink

FILE: Final = "commands.jsonl"
_CLOSE_S: Final = 5.0


@contextmanager
def command_log(place: Workplace, clock: Clock, campaign: str) -> Iterator[Bus]:
    """Yield a bus whose events are journaled; raises `LogError` when the file cannot be opened."""
    bus = Bus(clock, campaign=campaign)
    sink = FileSink(place.logs_dir / FILE)
    bus.listen(Journal(sink, Redactor()))
    try:
        yield bus
    finally:
        sink.close(_CLOSE_S)
