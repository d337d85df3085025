"""What holds state is readable by its owner only, whatever the umask says."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from command_line import (
    INSTANT,
    callagent,
    journal,
    kill,
    sandbox,
    started,
    status,
    until,
    until_line,
    write_contacts,
    write_settings,
)

from callagent_cli.cli.text.crash import write_crash_report

PRIVATE, PRIVATE_FOLDER = 0o600, 0o700


@contextmanager
def _careless() -> Iterator[None]:
    """Let everybody read and write what is made without a thought."""
    before = os.umask(0o000)
    try:
        yield
    finally:
        os.umask(before)


def _modes(folder: Path) -> dict[str, int]:
    """Return the permissions of every file below a folder."""
    return {
        str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode)
        for path in folder.rglob("*")
        if path.is_file()
    }


def _assert_private(folder: Path, *expected: str) -> None:
    modes = {**_modes(folder / ".callagent"), **_modes(folder / "logs")}
    public = {name: oct(mode) for name, mode in modes.items() if mode != PRIVATE}

    assert not public
    for name in expected:
        assert any(file.endswith(name) for file in modes), (name, sorted(modes))
    for name in (".callagent", "logs"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == PRIVATE_FOLDER, name


def test_a_run_that_goes_on_keeps_its_files_private(tmp_path: Path) -> None:
    """Database, write-ahead log, lock, journal, alerts, sheet rows, rejects, suppressions."""
    with _careless():
        write_contacts(tmp_path, 12)
        with (tmp_path / "contacts.csv").open("a", encoding="utf-8") as file:
            file.write("Nobody,12,Europe/London\n")
        write_settings(tmp_path, {"sandbox": {"pace": 1.0}, "dialing": {"max_dials": 1}})
        assert callagent("contacts", "suppress", "+1 212 555 0199", folder=tmp_path).returncode == 0
        with started("run", "contacts.csv", "--headless", folder=tmp_path) as process:
            until(lambda: any(e["event"] == "dial_settled" for e in journal(tmp_path)), "a dial")
            _assert_private(
                tmp_path,
                "sandbox.db",
                "sandbox.db-wal",
                "sandbox.db-shm",
                "sandbox.lock",
                "suppressions.db",
                "rejects.csv",
                "google-sheet.csv",
                "alerts.jsonl",
                ".jsonl",
            )
            with started("status", "--watch", folder=tmp_path) as watching:
                until_line(watching, "RUNNING")
                kill(process)
                until((tmp_path / ".callagent" / "sandbox.watch.lock").exists, "a watch")
                kill(watching)
        _assert_private(tmp_path, "sandbox.watch.lock")


def test_the_sandbox_of_its_own_process_keeps_its_ledger_private(tmp_path: Path) -> None:
    """The pretended providers know numbers too."""
    with _careless():
        write_settings(tmp_path, INSTANT)
        write_contacts(tmp_path, 2)
        with sandbox(tmp_path):
            assert callagent("run", "contacts.csv", folder=tmp_path).returncode == 0
            _assert_private(tmp_path, "sandbox/sandbox.db", "sandbox/sandbox.db-wal")
    assert sum(status(tmp_path)["totals"].values()) == 2


def test_a_crash_report_is_private(tmp_path: Path) -> None:
    """It is the last thing that is written, and no less private."""
    with _careless():
        report = write_crash_report(ValueError("x"), ["run"], tmp_path / ".callagent")

    assert stat.S_IMODE(report.stat().st_mode) == PRIVATE


def test_what_init_writes_is_private(tmp_path: Path) -> None:
    """The settings name accounts, and `.env` will hold keys."""
    with _careless():
        assert callagent("init", folder=tmp_path).returncode == 0

    assert set(_modes(tmp_path).values()) == {PRIVATE}
