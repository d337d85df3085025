"""What `run` prints: plain lines in a pipe, JSON Lines for programs, a bar on a terminal."""

import json
import os
import pty
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from command_line import (
    INSTANT,
    PROGRAM,
    callagent,
    environment,
    states,
    status,
    write_contacts,
    write_settings,
)

PEOPLE: Final = 4


def _prepared(folder: Path, *more: dict[str, Any]) -> list[str]:
    write_settings(folder, INSTANT, *more)
    return write_contacts(folder, PEOPLE)


def _on_a_terminal(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run on a pseudo-terminal; return the exit code and everything that was shown."""
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            [*PROGRAM, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
            env=environment(TERM="xterm"),
        )
        os.close(theirs)
        shown = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # How Linux says that the last process has closed it.
                break
            if not piece:
                break
            shown += piece
        return process.wait(timeout=15), shown.decode()
    finally:
        os.close(ours)


def test_in_a_pipe_each_line_says_sandbox_and_no_number(tmp_path: Path) -> None:
    """Plain lines on standard output, nothing on standard error, numbers masked."""
    numbers = _prepared(tmp_path)
    run = callagent("run", "contacts.csv", folder=tmp_path)
    lines = run.stdout.splitlines()

    assert (run.returncode, run.stderr) == (0, "")
    assert all(line.startswith(("SANDBOX ", "  ")) for line in lines)
    assert sum(" done (" in line for line in lines) == PEOPLE
    assert lines[-1].startswith("SANDBOX ended: everything is done. Next: ")
    assert not [number for number in numbers if number in run.stdout]


def test_json_is_one_event_a_line_and_nothing_else(tmp_path: Path) -> None:
    """Every line of standard output parses; the first says what was imported, the last ends."""
    _prepared(tmp_path)
    run = callagent("run", "contacts.csv", "--json", folder=tmp_path)
    events = [json.loads(line) for line in run.stdout.splitlines()]

    assert (run.returncode, run.stderr) == (0, "")
    names = [event["event"] for event in events]
    assert names[0] == "contacts_imported"
    assert names[-1] == "run_ended"
    assert events[-1]["totals"] == {"done": PEOPLE}
    assert all({"time", "event", "run", "campaign"} <= event.keys() for event in events)


def test_contacts_come_from_standard_input(tmp_path: Path) -> None:
    """`-` reads them, under a campaign of that name, and keeps no copy."""
    write_settings(tmp_path, INSTANT)
    rows = "name,phone\nA,+12125550101\nB,+12125550102\n"
    run = callagent("run", "-", folder=tmp_path, text=rows)
    broken = callagent("run", "-", folder=tmp_path, text="name\nA\n")

    assert (run.returncode, run.stderr) == (0, "")
    assert "SANDBOX standard input: 2 rows: 2 new" in run.stdout
    assert status(tmp_path)["campaign"] == "stdin"
    assert broken.returncode == 2
    assert "standard input: no phone column" in broken.stderr


def test_a_dry_run_calls_nobody_and_makes_nothing(tmp_path: Path) -> None:
    """It reports what the file holds; no database is made and no provider reached."""
    _prepared(tmp_path)
    run = callagent("run", "contacts.csv", "--dry-run", folder=tmp_path)

    assert (run.returncode, run.stderr) == (0, "")
    assert f"dry run: {PEOPLE} people, 4 lanes, nobody called" in run.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["callagent.yaml", "contacts.csv"]


def test_on_a_terminal_without_the_monitor_a_bar_stands_under_the_lines(tmp_path: Path) -> None:
    """Rich draws it on standard error; the last lines are the same as in a pipe."""
    _prepared(tmp_path)
    code, shown = _on_a_terminal(tmp_path, "run", "contacts.csv", "--headless")

    assert code == 0
    assert "━" in shown
    assert f"{PEOPLE}/{PEOPLE}" in shown
    assert "in flight" in shown
    assert "SANDBOX ended: everything is done." in shown


def test_whole_numbers_are_shown_on_a_terminal_only(tmp_path: Path) -> None:
    """`--show-numbers` shows them to a person; in a pipe it warns and masks them."""
    numbers = _prepared(tmp_path)
    arguments = ("run", "contacts.csv", "--headless", "--show-numbers")
    _, shown = _on_a_terminal(tmp_path, *arguments)
    write_contacts(tmp_path, PEOPLE + 1)
    piped = callagent("run", "contacts.csv", "--show-numbers", folder=tmp_path)

    assert [number for number in numbers if number not in shown] == []
    assert piped.returncode == 0
    assert "warning: `--show-numbers`" in piped.stderr
    assert "+1212555" not in piped.stdout


def test_outside_the_calling_window_it_says_when_the_next_call_is_due(tmp_path: Path) -> None:
    """Everybody is scheduled; the wait names the hours to go, and can be cut short."""
    now = datetime.now(UTC) + timedelta(hours=5)
    window = {"opens": f"{now:%H:%M}", "closes": f"{now + timedelta(minutes=30):%H:%M}"}
    _prepared(tmp_path, {"dialing": {"window": window}})
    run = callagent("run", "contacts.csv", "--max-wait", "300ms", folder=tmp_path)

    assert run.returncode == 3, run.stderr
    assert f"waiting: {PEOPLE} scheduled, the next in 4h" in run.stdout
    assert f"{PEOPLE} scheduled: outside the calling window, the next in 4h" in run.stdout
    assert "the same command again goes on" in run.stdout
    assert states(status(tmp_path)) == {"scheduled": PEOPLE}


def test_a_changed_file_adds_people_and_says_so(tmp_path: Path) -> None:
    """The same campaign with a longer file: the new ones are called, and a note says it."""
    _prepared(tmp_path)
    callagent("run", "contacts.csv", folder=tmp_path)
    write_contacts(tmp_path, PEOPLE + 2)
    run = callagent("run", "contacts.csv", folder=tmp_path)

    assert run.returncode == 0
    assert f"2 new, {PEOPLE} known" in run.stdout
    assert "another version" in run.stderr
    assert states(status(tmp_path)) == {"done": PEOPLE + 2}


def test_a_reader_that_goes_away_ends_no_run(tmp_path: Path) -> None:
    """`callagent run … | head -1`: the campaign is finished all the same."""
    _prepared(tmp_path)
    with subprocess.Popen(
        [*PROGRAM, "run", "contacts.csv"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=environment(),
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr is not None
        err = process.stderr.read()
        code = process.wait(timeout=15)

    assert (code, err) == (0, b"")
    assert states(status(tmp_path)) == {"done": PEOPLE}
