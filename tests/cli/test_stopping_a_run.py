"""Stopping: the first signal drains, the second stops at once; nobody is lost either way."""

import signal
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
from command_line import (
    callagent,
    complaint,
    journal,
    kill,
    started,
    states,
    status,
    until,
    write_contacts,
    write_settings,
)

QUICK: Final[dict[str, Any]] = {
    "lanes": 2,
    "sandbox": {"pace": 0.5},
    "dialing": {"max_dials": 1},
}
LONG: Final[dict[str, Any]] = {**QUICK, "sandbox": {"pace": 100}}
PEOPLE: Final = 8


def _until_event(folder: Path, name: str) -> None:
    until(
        lambda: (folder / "logs").is_dir() and any(each["event"] == name for each in _log(folder)),
        name,
    )


def _log(folder: Path) -> list[dict[str, Any]]:
    try:
        return journal(folder)
    except ValueError:  # The last line is being written.
        return []


def _end(process: "subprocess.Popen[str]") -> tuple[str, str]:
    out, err = process.communicate(timeout=15)
    assert "Traceback" not in err
    return out, err


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)]
)
def test_one_signal_drains(number: signal.Signals, code: int, tmp_path: Path) -> None:
    """What has rung is finished, nobody else is called, and the exit code says which signal."""
    write_contacts(tmp_path, PEOPLE)
    write_settings(tmp_path, QUICK)
    with started("run", "contacts.csv", folder=tmp_path) as process:
        _until_event(tmp_path, "dial_settled")
        process.send_signal(number)
        out, err = _end(process)
    left = status(tmp_path)

    assert (process.returncode, err) == (code, "")
    assert "draining" in out
    assert "the same command again" in out
    assert set(states(left)) <= {"done", "pending", "parked"}
    assert left["totals"]["done"] >= 1
    assert sum(states(left).values()) == PEOPLE
    assert left["verdict"]["word"] == "STOPPED"


def test_a_second_signal_stops_at_once(tmp_path: Path) -> None:
    """A call that would go on for minutes is left to the next run."""
    write_contacts(tmp_path, PEOPLE)
    write_settings(tmp_path, LONG)
    with started("run", "contacts.csv", folder=tmp_path) as process:
        _until_event(tmp_path, "dial_settled")
        process.send_signal(signal.SIGINT)
        _until_event(tmp_path, "run_draining")
        process.send_signal(signal.SIGINT)
        out, err = _end(process)
    left = status(tmp_path)

    assert (process.returncode, err) == (130, "")
    assert "stopped at once" in out
    assert sum(states(left).values()) == PEOPLE
    assert (left["run"]["exit_code"], left["verdict"]["word"]) == (130, "STOPPED")


def test_a_killed_run_is_lost_and_then_goes_on(tmp_path: Path) -> None:
    """After a kill the status says LOST and who is gone; the next run goes on."""
    write_contacts(tmp_path, 3)
    write_settings(tmp_path, QUICK)
    with started("run", "contacts.csv", folder=tmp_path) as process:
        _until_event(tmp_path, "dial_settled")
        kill(process)
    # A busy machine lets go of a killed process's lock a moment after its end.
    gone = f"SANDBOX ! LOST  pid {process.pid} on "
    until(
        lambda: callagent("status", folder=tmp_path).stdout.startswith(gone), "the worker is lost"
    )
    lost = callagent("status", folder=tmp_path)
    again = callagent("run", "contacts.csv", folder=tmp_path)

    assert lost.returncode == 0
    assert "no worker holds the database" in lost.stdout
    assert again.returncode == 0, again.stderr
    assert states(status(tmp_path)) == {"done": 3}


def test_a_second_worker_is_refused_by_pid_and_host(tmp_path: Path) -> None:
    """The database is held by a living worker: its pid and host are named, exit code 2."""
    write_contacts(tmp_path, PEOPLE)
    write_settings(tmp_path, LONG)
    with started("run", "contacts.csv", folder=tmp_path) as process:
        _until_event(tmp_path, "dial_settled")
        second = callagent("run", "contacts.csv", folder=tmp_path)
        kill(process)
    error, hint = complaint(second)

    assert second.returncode == 2
    assert f"pid {process.pid} on " in error
    assert "callagent status" in hint
