"""Follows the journal of a run in another process: its lines, as the events they were."""

import re
from datetime import datetime
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any, Final

import msgspec

from callagent_cli.errors import LogError
from callagent_cli.events import Event, ServiceEvent, Stamped

HISTORY_BYTES: Final = 512 * 1024
"""How much of what was written before is read: more than the last thousand events."""

PORTION_BYTES: Final = 1024 * 1024
"""How much is read at a time, so that a screen never waits for a long journal."""


class _Head(msgspec.Struct, frozen=True):
    """What every line says beside its event."""

    time: datetime
    run: str
    campaign: str
    sequence: int


def _kinds(base: type[Event]) -> list[type[Event]]:
    found: list[type[Event]] = []
    for kind in base.__subclasses__():
        found += [*([] if kind is ServiceEvent else [kind]), *_kinds(kind)]
    return found


_decode_head: Final = msgspec.json.Decoder(_Head).decode
_EVENTS: Any = reduce(or_, _kinds(Event))
_decode_event: Final = msgspec.json.Decoder(_EVENTS).decode


def event_of(line: bytes) -> Stamped | None:
    """Return what a line of the journal tells; none for one that another version wrote."""
    try:
        head, event = _decode_head(line), _decode_event(line)
    except msgspec.DecodeError:
        return None
    return Stamped(head.time.timestamp(), 0.0, head.sequence, head.run, head.campaign, event)


class JournalTail:
    """Reads what is appended to a run's journal, through all of its parts.

    The first reading begins shortly before the end. `found` is false while there is no journal.
    """

    def __init__(self, folder: Path, run: str) -> None:
        self._folder, self._run = folder, run
        self._path: Path | None = None
        self._at = 0
        self._rest = b""

    @property
    def found(self) -> bool:
        """Whether there is a journal to read."""
        return self._path is not None

    def events(self) -> list[Stamped]:
        """Return what was written since the last reading; raises `LogError`."""
        try:
            return [event for line in self._lines() if (event := event_of(line)) is not None]
        except OSError as error:
            message = f"cannot read `{self._path}`: {error.strerror or error}"
            raise LogError(message, hint="the logs are where the worker's settings say") from error

    def _lines(self) -> list[bytes]:
        parts = self._parts()
        if self._path is None:
            return self._first(parts[-1]) if parts else []
        lines = self._next(self._path)
        here = parts.index(self._path) + 1 if self._path in parts else len(parts)
        if not lines and here < len(parts):
            self._path, self._at, self._rest = parts[here], 0, b""
            lines = self._next(self._path)
        return lines

    def _first(self, path: Path) -> list[bytes]:
        """Return the last lines there are; where it begins within a line, that one is left out."""
        self._path = path
        self._at = max(0, path.stat().st_size - HISTORY_BYTES)
        torn = 1 if self._at else 0
        return self._next(path)[torn:]

    def _next(self, path: Path) -> list[bytes]:
        """Return the whole lines of the next portion."""
        with path.open("rb") as file:
            file.seek(self._at)
            data = file.read(PORTION_BYTES)
        self._at += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        return lines

    def _parts(self) -> list[Path]:
        """Return the files of the run's journal in the order in which they were written."""
        return sorted(self._folder.glob(f"run-*-{self._run}*.jsonl"), key=_number)


def _number(path: Path) -> int:
    found = re.search(r"\.(\d+)\.jsonl$", path.name)
    return int(found[1]) if found else 1
