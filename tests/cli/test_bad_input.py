"""Bad input to `run`: an error, a hint, the documented exit code, and nothing lost."""

import json
import os
import resource
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
from command_line import (
    INSTANT,
    PROGRAM,
    callagent,
    complaint,
    environment,
    sandbox,
    states,
    status,
    write_contacts,
    write_settings,
)

from callagent_cli.store.sqlite_store import SqliteStore

SMALL_FILES = 400_000


def _sheet(text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / "contacts.csv").write_text(text, encoding="utf-8")


def _settings(text: str) -> Callable[[Path], object]:
    def prepare(folder: Path) -> None:
        write_contacts(folder, 2)
        (folder / "callagent.yaml").write_text(text, encoding="utf-8")

    return prepare


def _contacts(folder: Path) -> None:
    write_contacts(folder, 2)


def _database(content: bytes) -> Callable[[Path], object]:
    def prepare(folder: Path) -> None:
        write_contacts(folder, 2)
        (folder / ".callagent").mkdir()
        (folder / ".callagent" / "sandbox.db").write_bytes(content)

    return prepare


def _other_version(folder: Path) -> None:
    write_contacts(folder, 2)
    file = folder / ".callagent" / "sandbox.db"
    SqliteStore.open(file).close()
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA user_version = 999")


def _unwritable_logs(folder: Path) -> None:
    write_contacts(folder, 2)
    (folder / "logs").write_text("a file where the folder should be")


class Case(NamedTuple):
    """What is wrong, how it comes about, what is typed, and words of the error and the hint."""

    name: str
    prepare: Callable[[Path], object]
    arguments: tuple[str, ...]
    error: tuple[str, ...]
    hint: str


CASES = (
    Case("missing", lambda _: None, (), ("contacts.csv: no such file",), "path"),
    Case("empty", _sheet(""), (), ("contacts.csv: the file is empty",), "export"),
    Case(
        "directory",
        lambda folder: (folder / "contacts.csv").mkdir(),
        (),
        ("contacts.csv", "a directory"),
        "file",
    ),
    Case(
        "unreadable",
        lambda folder: (folder / "contacts.csv").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0"),
        (),
        ("contacts.csv", "a picture"),
        "CSV",
    ),
    Case("no phones", _sheet("name,city\nA,B\n"), (), ("no phone column",), "--phone-column"),
    Case(
        "mostly unusable",
        _sheet("name,phone\nA,123\nB,+12125550101\n"),
        (),
        ("1 of 2 rows cannot be used",),
        "--allow-rejects",
    ),
    Case(
        "unknown keys",
        _settings("lans: 3\nsandbox:\n  pase: 1\n"),
        (),
        ("callagent.yaml:1", "`lans`", "`lanes`", "callagent.yaml:3", "pase`", "pace`"),
        "correct",
    ),
    Case("wrong type", _settings("lanes: many\n"), (), ("callagent.yaml:1", "`lanes`"), "correct"),
    Case("no yaml", _settings("lanes: [1\n"), (), ("callagent.yaml",), ""),
    Case(
        "no settings",
        _contacts,
        ("--config", "other.yaml"),
        ("other.yaml",),
        "",
    ),
    Case("another version", _other_version, (), ("sandbox.db", "version"), ""),
    Case("no database", _database(b"no database\n" * 99), (), ("sandbox.db", "database"), "copy"),
    Case("logs", _unwritable_logs, (), ("cannot write `logs/",), "folder"),
    Case("wait", _contacts, ("--max-wait", "abc"), ("`--max-wait`", "`abc`"), "30s"),
    Case("negative wait", _contacts, ("--max-wait", "-5s"), ("`--max-wait`",), "30s"),
    Case("no lanes", _contacts, ("--lanes", "0"), ("`--lanes`", "0"), "callagent run --help"),
    Case("lanes by word", _contacts, ("--lanes", "x"), ("`--lanes`",), "callagent run --help"),
    Case("campaign", _contacts, ("--campaign", "a/b"), ("`a/b`", "campaign"), "--campaign NAME"),
    Case("option", _contacts, ("--lane", "3"), ("--lane",), "`--lanes`"),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_input_is_explained_and_ends_with_2(case: Case, tmp_path: Path) -> None:
    """One error, a blank line, one hint, exit code 2, and nobody is called."""
    case.prepare(tmp_path)
    run = callagent("run", "contacts.csv", *case.arguments, folder=tmp_path)
    error, hint = complaint(run)
    everything = run.stderr.partition("hint: ")[0]

    assert run.returncode == 2, run.stderr
    assert [word for word in case.error if word not in everything] == []
    assert error
    assert case.hint in hint
    assert "done" not in run.stdout


def test_a_file_that_cannot_be_used_leaves_nothing_behind(tmp_path: Path) -> None:
    """A misspelled file name makes no database, and so no empty campaign."""
    run = callagent("run", "contacts.csv", folder=tmp_path)

    assert run.returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_mostly_unusable_adds_nobody(tmp_path: Path) -> None:
    """The usable rows of a refused file are not called by the next run either."""
    _sheet("name,phone\nA,123\nB,+12125550101\n")(tmp_path)
    refused = callagent("run", "contacts.csv", folder=tmp_path)
    _sheet("name,phone\nC,+12125550102\n")(tmp_path)
    write_settings(tmp_path, INSTANT)
    mended = callagent("run", "contacts.csv", folder=tmp_path)

    assert (refused.returncode, mended.returncode) == (2, 0)
    assert status(tmp_path)["contacts"] == 1


def test_an_unusable_row_is_reported_and_stops_nobody(tmp_path: Path) -> None:
    """Its line and reason are shown, and written to a file; the others are called."""
    rows = "".join(f"P{index},+121255501{index:02d}\n" for index in range(9))
    _sheet(f"name,phone\n{rows}Bad,12\n")(tmp_path)
    write_settings(tmp_path, INSTANT)
    run = callagent("run", "contacts.csv", folder=tmp_path)
    rejects = (tmp_path / "logs" / "contacts-rejects.csv").read_text().splitlines()

    assert run.returncode == 0, run.stderr
    assert "line 11: " in run.stdout
    assert "fix: " in run.stdout
    assert len(rejects) == 2
    assert rejects[1].startswith("11,")
    assert status(tmp_path)["totals"]["done"] == 9


def test_a_full_disk_stops_the_run_and_loses_nothing(tmp_path: Path) -> None:
    """Exit code 3, two lines, and with room again the same command finishes the campaign."""
    write_contacts(tmp_path, 150)
    write_settings(tmp_path, INSTANT)

    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL_FILES, SMALL_FILES))

    with sandbox(tmp_path):
        full = subprocess.run(
            [*PROGRAM, "run", "contacts.csv"],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=no_room,
            timeout=15,
        )
        left = status(tmp_path)
        again = callagent("run", "contacts.csv", folder=tmp_path)

    assert full.returncode == 3, full.stderr
    assert "disk is full" in complaint(full)[0]
    assert sum(states(left).values()) in {0, 150}
    assert again.returncode == 0, again.stderr
    assert states(status(tmp_path)) == {"done": 150}


def test_a_live_run_without_keys_ends_with_4(tmp_path: Path) -> None:
    """Everything that is missing is named at once; no provider is reached."""
    write_contacts(tmp_path, 1)
    write_settings(tmp_path, {"mode": "live"})
    run = callagent("run", "contacts.csv", "--yes", folder=tmp_path)
    error, hint = complaint(run)

    assert run.returncode == 4
    assert all(word in error for word in ("ELEVENLABS_API_KEY", "HUBSPOT_TOKEN", "agent_id"))
    assert "sandbox" in hint


def test_a_live_run_with_nobody_to_ask_needs_yes(tmp_path: Path) -> None:
    """Without a terminal and without `--yes` no real phone rings."""
    (tmp_path / "contacts.csv").write_text("name,phone\nA,+442079460001\n")
    voice = {"agent_id": "a", "agent_phone_number_id": "p", "base_url": "http://127.0.0.1:9"}
    write_settings(
        tmp_path,
        {"mode": "live", "services": {"elevenlabs": voice, "crm": {"provider": "none"}}},
    )
    run = callagent(
        "run",
        "contacts.csv",
        "--allow-rejects",
        folder=tmp_path,
        ELEVENLABS_API_KEY="not-a-real-key",
        OPENAI_API_KEY="not-a-real-key",
    )
    error, hint = complaint(run)

    assert run.returncode == 2
    assert "real people" in error
    assert "--yes" in hint


@pytest.mark.parametrize("command", ["status", "requeue", "pause", "alerts"])
def test_before_the_first_run_there_is_nothing_to_ask(command: str, tmp_path: Path) -> None:
    """Exit code 2, and how to begin."""
    run = callagent(command, folder=tmp_path)

    assert run.returncode == 2
    assert "callagent run contacts.csv" in complaint(run)[1]
    assert os.listdir(tmp_path) == []  # noqa: PTH208 — names only.


def test_settings_problems_are_the_same_for_every_command(tmp_path: Path) -> None:
    """`status` reads the same settings, and complains as `run` does."""
    (tmp_path / "callagent.yaml").write_text(json.dumps({"lans": 3}))
    run = callagent("status", folder=tmp_path)

    assert run.returncode == 2
    assert "`lanes`" in run.stderr
