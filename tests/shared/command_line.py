"""callagent as its users start it: a process in a folder of its own."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from callagent_cli.cli.place.workplace import Workplace
from callagent_cli.settings import Settings

PROGRAM: Final = (sys.executable, "-W", "error", "-m", "callagent_cli")
INSTANT: Final[Mapping[str, Any]] = {"sandbox": {"pace": 0}, "dialing": {"max_dials": 1}}
"""Settings under which a sandbox run takes no time: nobody is dialed a second time."""

PATIENCE_S: Final = 15.0


def environment(**more: str) -> dict[str, str]:
    """Return this process's variables and some more, without color and 80 columns wide."""
    return {**os.environ, "COLUMNS": "80", "NO_COLOR": "1", "PYTHONUNBUFFERED": "1", **more}


def callagent(
    *arguments: str, folder: Path, text: str | None = None, **environ: str
) -> "subprocess.CompletedProcess[str]":
    """Run one command line in a folder to its end; `text` is its standard input."""
    return subprocess.run(
        [*PROGRAM, *arguments],
        input=text,
        stdin=subprocess.DEVNULL if text is None else None,
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=environment(**environ),
        timeout=PATIENCE_S,
    )


@contextmanager
def started(*arguments: str, folder: Path, **environ: str) -> Iterator["subprocess.Popen[str]"]:
    """Run one command line in the background; what is left of it is killed."""
    process = subprocess.Popen(
        [*PROGRAM, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env=environment(**environ),
    )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


@contextmanager
def sandbox(folder: Path, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Run `callagent sandbox` in a folder; it is ready when this yields."""
    with started("sandbox", *arguments, folder=folder) as process:
        until_line(process, "ready")
        yield process
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)


def until_line(process: "subprocess.Popen[str]", words: str) -> str:
    """Read standard output up to the first line with these words, and return that line."""
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(line)
        if words in line:
            return line
    raise AssertionError(f"no line with `{words}` in:\n{''.join(seen)}")


def until(condition: Callable[[], bool], what: str, *, within_s: float = PATIENCE_S) -> None:
    """Wait for something another process does."""
    until_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < until_s, f"not within {within_s:.0f} s: {what}"
        time.sleep(0.02)


def place_in(folder: Path) -> Workplace:
    """Return the sandbox's workplace in a folder."""
    return Workplace(settings=Settings(), state_dir=folder / ".callagent", logs_dir=folder / "logs")


def write_settings(folder: Path, *parts: Mapping[str, Any]) -> None:
    """Write `callagent.yaml` from nested mappings; later ones win."""
    merged: dict[str, Any] = {}
    for part in parts:
        _merge(merged, part)
    (folder / "callagent.yaml").write_text(json.dumps(merged, indent=1), encoding="utf-8")


def write_contacts(folder: Path, people: int, name: str = "contacts.csv") -> list[str]:
    """Write a contacts file of up to 1,100 people and return their numbers."""
    numbers = [number_of(index) for index in range(people)]
    with (folder / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["name", "phone", "timezone"])
        writer.writerows(
            [f"Person {index}", number, "Europe/London"] for index, number in enumerate(numbers)
        )
    return numbers


def finished_run(folder: Path, people: int) -> None:
    """Leave in a folder what an instant run of so many people leaves there.

    The run is made once a process and copied: it is where a test begins, not what it is about.
    """
    for name, (content, mode) in _left_by_a_run(people).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(mode)


@cache
def _left_by_a_run(people: int) -> dict[str, tuple[bytes, int]]:
    with TemporaryDirectory() as made:
        folder = Path(made)
        write_contacts(folder, people)
        write_settings(folder, INSTANT)
        run = callagent("run", "contacts.csv", folder=folder)
        assert (run.returncode, run.stderr) == (0, ""), run.stderr
        files = [path for path in folder.rglob("*") if path.is_file()]
        return {
            str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mode)
            for path in files
        }


def number_of(index: int) -> str:
    """Return one of the numbers reserved for fiction."""
    return f"+1212555{100 + index:04d}" if index < 100 else f"+44207946{index - 100:04d}"


def status(folder: Path, *arguments: str) -> dict[str, Any]:
    """Return what `callagent status --json` prints."""
    run = callagent("status", "--json", *arguments, folder=folder)
    assert (run.returncode, run.stderr) == (0, ""), run.stderr
    document: dict[str, Any] = json.loads(run.stdout)
    return document


def journal(folder: Path) -> list[dict[str, Any]]:
    """Return every event of every run's log, in order."""
    logs = sorted((folder / "logs").glob("run-*.jsonl"))
    return [json.loads(line) for log in logs for line in log.read_text().splitlines()]


def complaint(run: "subprocess.CompletedProcess[str]") -> tuple[str, str]:
    """Return an error's two parts; anything else on standard error is a failure."""
    lines = run.stderr.splitlines()
    assert "Traceback" not in run.stderr, run.stderr
    assert len(lines) >= 3, run.stderr
    assert lines[-1].startswith("hint: "), run.stderr
    assert lines[-2] == "", run.stderr
    errors = [line for line in lines if line.startswith("error: ")]
    assert len(errors) == 1, run.stderr
    return errors[0].removeprefix("error: "), lines[-1].removeprefix("hint: ")


def states(document: Mapping[str, Any]) -> dict[str, int]:
    """Return the totals that are not zero."""
    return {state: calls for state, calls in document["totals"].items() if calls}


def kill(process: "subprocess.Popen[str]") -> None:
    """End a process as a power cut would, and wait until it is gone."""
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=PATIENCE_S)


def _merge(into: dict[str, Any], part: Mapping[str, Any]) -> None:
    for key, value in part.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = dict(value) if isinstance(value, Mapping) else value


def words(lines: Sequence[str]) -> str:
    """Return lines as one text, for searching across wraps."""
    return " ".join(" ".join(lines).split())
