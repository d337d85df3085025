"""Folders that may not be looked into: an error with a hint, never a crash."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from callagent_cli.cli.app import exit_code_of

LOCKED = (".callagent", "scenarios")


def _refuse(path: Path | str) -> None:
    if Path(path).parent.name in LOCKED:
        raise PermissionError(13, "Permission denied", str(path))


@pytest.fixture(autouse=True)
def _locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work beside folders that let nobody in: the administrator, too, for whom none is locked."""
    monkeypatch.chdir(tmp_path)
    for name in LOCKED:
        Path(name).mkdir()
    stat, open_, access, iterdir = Path.stat, os.open, os.access, Path.iterdir

    def locked_stat(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        _refuse(path)
        return stat(path, follow_symlinks=follow_symlinks)

    def locked_open(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        _refuse(path)
        return open_(path, flags, mode, dir_fd=dir_fd)

    def locked_access(path: Path, mode: int) -> bool:
        return path.name not in LOCKED and access(path, mode)

    def locked_iterdir(path: Path) -> Iterator[Path]:
        _refuse(path / "inside")
        return iterdir(path)

    monkeypatch.setattr(Path, "stat", locked_stat)
    monkeypatch.setattr(Path, "iterdir", locked_iterdir)
    monkeypatch.setattr(os, "open", locked_open)
    monkeypatch.setattr(os, "access", locked_access)


@pytest.mark.parametrize(
    "typed",
    [
        "status",
        "status --json",
        "incidents",
        "export",
        "alerts",
        "contacts suppressed",
        "scenarios",
        "scenarios --json",
        "simulate elevenlabs-503",
    ],
)
def test_a_folder_that_may_not_be_looked_into_is_named_with_a_hint(
    typed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever runs it learns which permissions to look at."""
    assert exit_code_of(typed.split()) == 2

    said = capsys.readouterr()
    assert said.out == ""
    assert "Permission denied" in said.err
    assert said.err.splitlines()[-1].startswith("hint: check ")


def test_doctor_marks_the_folder_and_looks_at_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    """A check that may not look says so, and the others are made all the same."""
    assert exit_code_of(["doctor", "--json"]) == 1

    checks = {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}
    assert checks["database"]["status"] == checks["worker"]["status"] == "failed"
    assert checks["database"]["fix"] == "make it a folder that you may write to"
    assert "Permission denied" in checks["worker"]["text"]
    assert checks["channels"]["status"] == "ok"


def test_doctor_survives_a_disk_that_says_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A state folder below one that lets nobody in has a disk that cannot be asked either."""

    def refuse(_folder: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("shutil.disk_usage", refuse)
    exit_code_of(["doctor"])

    assert "! disk: cannot be asked for its free room: Permission denied" in capsys.readouterr().out
