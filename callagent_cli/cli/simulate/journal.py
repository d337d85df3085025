"""The journal of a rehearsal: everything that was asked, that happened and that was concluded."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec

from callagent_cli import __version__
from callagent_cli.cli.place.private import private
from callagent_cli.cli.simulate.report import nothing_yet
from callagent_cli.errors import UsageError
from callagent_cli.simulation.judge.evidence import Evidence
from callagent_cli.simulation.judge.verdict import Verdict
from callagent_cli.simulation.recording.spool import Spool
from callagent_cli.simulation.scenario.format import Scenario
from callagent_cli.simulation.twins.ledger import PlacedCall, ReceivedRequest
from callagent_cli.simulation.worlds.stage import Stage

SCHEMA: Final = "callagent.simulation-journal/v1"

_encode = msgspec.json.Encoder().encode


class JournalFile:
    """One JSON file, written while the world runs; it has its name only when it is complete.

    Until then it stands beside as `.NAME.PID.part`. What is no ordinary file, such as a pipe, is
    written at once. Raises `UsageError` at once when it cannot be written; a disk that fails
    meanwhile is told at the end, and the world is judged all the same.
    """

    def __init__(self, path: Path, scenario: Scenario, seed: int) -> None:
        self._path = self._shown = path
        self._failure: OSError | None = None
        self._between_events = self._between_requests = b""
        self._file, self._part = self._open()
        # The requests come after the events in the file, and before them in the world.
        self._requests = Spool()
        head = {
            "schema": SCHEMA,
            "label": "SIMULATION",
            "versions": {"callagent": __version__, "python": platform.python_version()},
            "seed": seed,
            "scenario": msgspec.to_builtins(scenario),
        }
        try:
            self._file.write(_encode(head)[:-1] + b',"events":[\n')
        except OSError as error:
            self.close()
            raise self._unusable(error) from error

    def watch(self, world: Stage) -> None:
        """Write down what happens in a world from now on."""
        world.log.copy_to(self.take)
        world.ledger.tell(self)

    def take(self, lines: bytes) -> None:
        """Write lines of the log, each with its line feed."""
        if lines and self._failure is None:
            try:
                self._file.write(self._between_events + lines[:-1].replace(b"\n", b",\n"))
            except OSError as error:
                self._failure = error
            self._between_events = b",\n"

    def receive(self, request: ReceivedRequest) -> None:
        """Keep a request aside until the events are written."""
        if self._failure is None:
            try:
                self._requests.write(self._between_requests + _encode(request))
            except OSError as error:
                self._failure = error
            self._between_requests = b",\n"

    def place(self, call: PlacedCall) -> None:
        """Leave a phone that rings to the end: the world keeps it."""

    def write(self, evidence: Evidence, verdict: Verdict, *, interrupted: bool = False) -> None:
        """Write what the twins saw and what was concluded, and give the file its name.

        The verdict on a world that was `interrupted` has that as its status, and null as `held` of
        what was not decided yet.
        """
        try:
            if self._failure is not None:
                raise self._failure
            concluded = msgspec.to_builtins(verdict)
            if interrupted:
                concluded["status"] = "interrupted"
                for told, finding in zip(concluded["findings"], verdict.findings, strict=True):
                    told.update(nothing_yet(finding))
            self._finish(evidence, concluded)
        except OSError as error:
            raise self._unusable(error) from error

    def close(self) -> None:
        """Release everything; a file that was not completed is removed."""
        self._requests.close()
        with suppress(OSError):
            self._file.close()
        if self._part is not None:
            self._part.unlink(missing_ok=True)

    def _finish(self, evidence: Evidence, verdict: dict[str, Any]) -> None:
        file = self._file
        file.write(b'],"placed":' + _encode(evidence.placed) + b',"requests":[')
        file.writelines(self._requests.pieces())
        file.write(b'],"verdict":' + _encode(verdict) + b"}\n")
        file.close()
        if self._part is not None:
            self._part.replace(self._path)

    def _open(self) -> tuple[BinaryIO, Path | None]:
        path = self._path
        try:
            if path.exists() and not path.is_file():
                return path.open("wb"), None
            path = self._path = path.resolve()
            may_replace = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
            if path.exists() and not may_replace:
                return path.open("wb"), None
            part = path.with_name(f".{path.name}.{os.getpid()}.part")
            return open(part, "wb", opener=private), part
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> UsageError:
        message = f"cannot write `{self._shown}`: {error.strerror or error}"
        return UsageError(message, hint="choose another file for `--journal`")


@contextmanager
def journal_of(world: Stage, path: Path | None) -> Iterator[JournalFile | None]:
    """Write the journal of a world, if a file was named; raises `UsageError`."""
    if path is None:
        yield None
        return
    journal = JournalFile(path, world.scenario, world.seed)
    try:
        journal.watch(world)
        yield journal
    finally:
        journal.close()
