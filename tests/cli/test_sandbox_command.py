"""`callagent sandbox`: the pretended providers as a process of their own."""

import signal
from pathlib import Path

import pytest
from command_line import (
    INSTANT,
    callagent,
    complaint,
    sandbox,
    started,
    status,
    until_line,
    write_contacts,
    write_settings,
)


def test_a_run_finds_the_sandbox_of_its_folder(tmp_path: Path) -> None:
    """The calls are placed by the process beside the run, whose latency they have."""
    write_contacts(tmp_path, 2)
    write_settings(tmp_path, INSTANT)
    with sandbox(tmp_path, "--dial-latency", "120ms") as process:
        run = callagent("run", "contacts.csv", "--json", folder=tmp_path)
        assert process.poll() is None
    settled = [line for line in run.stdout.splitlines() if '"elevenlabs.dial"' in line]

    assert (run.returncode, status(tmp_path)["totals"]["done"]) == (0, 2)
    assert settled
    assert all(float(line.partition('"duration_s":')[2].split(",")[0]) >= 0.12 for line in settled)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_stop(number: signal.Signals, tmp_path: Path) -> None:
    """It names its addresses, says that no phone rings, and ends with 0."""
    with started("sandbox", folder=tmp_path) as process:
        first = until_line(process, "elevenlabs")
        until_line(process, "no phone rings")
        process.send_signal(number)
        _, err = process.communicate(timeout=10)

    assert first.startswith("SANDBOX elevenlabs http://127.0.0.1:")
    assert (process.returncode, err) == (0, "")


def test_a_second_sandbox_of_a_folder_is_refused(tmp_path: Path) -> None:
    """Two would write one ledger."""
    with sandbox(tmp_path):
        second = callagent("sandbox", folder=tmp_path)

    assert second.returncode == 2
    assert "already running" in complaint(second)[0]


def test_a_latency_that_is_no_duration_is_a_usage_error(tmp_path: Path) -> None:
    """Exit code 2, and how durations are written."""
    run = callagent("sandbox", "--dial-latency", "slow", folder=tmp_path)

    assert run.returncode == 2
    assert "`--dial-latency`" in complaint(run)[0]
