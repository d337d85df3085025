"""The journal of a rehearsal: everything that was asked, that happened and that was concluded."""

import platform
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from callagent_cli import __version__
from callagent_cli.errors import UsageError
from callagent_cli.simulation.judge.evidence import Evidence
from callagent_cli.simulation.judge.verdict import Verdict
from callagent_cli.simulation.scenario.format import Scenario

SCHEMA: Final = "callagent.simulation-journal/v1"


class JournalFile:
    """One JSON file; raises `UsageError` at once when it cannot be written."""

    def __init__(self, path: Path, scenario: Scenario, seed: int) -> None:
        self._path = path
        self._head = {
            "schema": SCHEMA,
            "label": "SIMULATION",
            "versions": {"callagent": __version__, "python": platform.python_version()},
            "seed": seed,
            "scenario": msgspec.to_builtins(scenario),
        }
        self._file = self._open()

    def write(self, evidence: Evidence, verdict: Verdict) -> None:
        """Write events, ledger and verdict, and close the file."""
        try:
            with self._file as file:
                _write(file, self._head, evidence, verdict)
        except OSError as error:
            raise self._unusable(error) from error

    def _open(self) -> BinaryIO:
        try:
            return self._path.open("wb")
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> UsageError:
        message = f"cannot write `{self._path}`: {error.strerror or error}"
        return UsageError(message, hint="choose another file for `--journal`")


def _write(file: BinaryIO, head: dict[str, object], evidence: Evidence, verdict: Verdict) -> None:
    encode = msgspec.json.encode
    file.write(encode(head)[:-1])
    file.write(b',"verdict":' + encode(verdict))
    file.write(b',"events":[\n' + b",\n".join(evidence.log.splitlines()))
    file.write(b'],"placed":' + encode(evidence.placed))
    file.write(b',"requests":[\n')
    # One by one: a day has hundreds of thousands.
    for number, request in enumerate(evidence.requests):
        file.writelines((b",\n" if number else b"", encode(request)))
    file.write(b"]}\n")
