"""Command lines about contacts: in this process where that is enough, else in one of their own."""

import csv
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from callagent_cli.cli.app import exit_code_of

INSTANT: Final = {"sandbox": {"pace": 0}, "dialing": {"max_dials": 1}}
"""Settings under which a sandbox run takes no time: nobody is dialed a second time."""


_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def closed_window() -> dict[str, Any]:
    """Return a calling window that no zone is near, whenever the test runs: in three days."""
    day = _DAYS[(datetime.now(UTC).weekday() + 3) % 7]
    return {"opens": "00:00", "closes": "00:01", "days": [day]}


@dataclass
class Said:
    """What a command line printed and ended with."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON object on standard output."""
        found: dict[str, Any] = json.loads(self.out)
        return found


class Desk:
    """A folder of one's own to give command lines in."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def say(self, *arguments: str) -> Said:
        """Run a command line in this process."""
        self._capsys.readouterr()
        code = exit_code_of(list(arguments))
        captured = self._capsys.readouterr()
        return Said(code, captured.out, captured.err)

    def write(self, text: str | bytes, name: str = "contacts.csv") -> str:
        """Write a file and return its name."""
        data = text.encode() if isinstance(text, str) else text
        (self.folder / name).write_bytes(data)
        return name


def in_a_process(*arguments: str, folder: Path) -> Said:
    """Run a command line as its users do; a warning is an error."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "callagent_cli", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1"},
        timeout=18,
    )
    return Said(done.returncode, done.stdout, done.stderr)


def exported(text: str) -> list[dict[str, str]]:
    """Return the rows of an export in CSV."""
    return list(csv.DictReader(text.splitlines()))
