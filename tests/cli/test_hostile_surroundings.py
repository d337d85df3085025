"""Surroundings that nobody wished for: locales, names, addresses, a full disk, an early Ctrl-C."""

import csv
import io
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import PROGRAM, callagent, environment, write_contacts, write_settings

from callagent_cli.errors import StorageFull, StoreError
from callagent_cli.simulation.twins.durable_ledger import DurableLedger

ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
NO_TEXT = os.fsdecode(b"M\xfcnchen")
"""A name as an old file system wrote it: Latin-1, which is no UTF-8."""


def in_ascii(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    """Run the program in a locale that knows ASCII only, into a pipe."""
    return subprocess.run(
        [*PROGRAM, *arguments],
        cwd=folder,
        env={**environment(), **ASCII},
        capture_output=True,
        check=False,
        timeout=18,
    )


def test_a_locale_without_utf_8_changes_no_data(tmp_path: Path) -> None:
    """What is exported there is what is exported everywhere, and nothing fails for a letter."""
    (tmp_path / "contacts.csv").write_text("name,phone\nCarmen Díaz,+1 212 555 0123\n", "utf-8")
    write_settings(tmp_path, {"sandbox": {"pace": 0}, "dialing": {"max_dials": 1}})
    run = in_ascii(tmp_path, "run", "contacts.csv")
    shown = in_ascii(tmp_path, "export", "--format", "jsonl")
    table = in_ascii(tmp_path, "export")
    doctor = in_ascii(tmp_path, "doctor")

    assert (run.returncode, shown.returncode, table.returncode) == (0, 0, 0), run.stderr
    assert b"listener" not in run.stdout
    assert json.loads(shown.stdout)["name"] == "Carmen Díaz"
    assert next(csv.DictReader(io.StringIO(table.stdout.decode())))["name"] == "Carmen Díaz"
    assert doctor.returncode in {0, 1}


def test_a_folder_whose_name_is_no_text_is_a_folder(tmp_path: Path) -> None:
    """The database lies wherever the system can put it."""
    folder = tmp_path / NO_TEXT
    folder.mkdir()
    write_contacts(folder, 2)
    write_settings(folder, {"sandbox": {"pace": 0}, "dialing": {"max_dials": 1}})
    run = callagent("run", "contacts.csv", folder=folder)

    assert run.returncode == 0, run.stderr
    assert callagent("status", folder=folder).returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [["contacts.csv", "--campaign", NO_TEXT], ["contacts.csv", "--campaign", "a\nb"]],
    ids=["bytes", "lines"],
)
def test_a_campaign_whose_name_is_no_text_is_refused(arguments: list[str], tmp_path: Path) -> None:
    """The name goes into every log line and into a file's name."""
    write_contacts(tmp_path, 1)
    run = callagent("run", *arguments, folder=tmp_path)

    assert run.returncode == 2
    assert "a name that is no text" in run.stderr
    assert not (tmp_path / ".callagent").exists()


@pytest.mark.parametrize(
    "settings",
    [
        "sandbox: {url: 'http://[::1'}",
        "sandbox: {url: 'http://127.0.0.1:99999'}",
        "sandbox: {url: 'http://127.0.0.1:65534'}",
        "alerts: {webhook: {url: 'http://[::1'}}",
        "services: {llm: {base_url: 'http://[::1'}}",
        'state_dir: "a\\0b"',
    ],
)
def test_an_address_or_a_path_that_cannot_be_is_a_usage_error(
    settings: str, tmp_path: Path
) -> None:
    """It is named with its key, before anybody is called."""
    write_contacts(tmp_path, 1)
    (tmp_path / "callagent.yaml").write_text(f"{settings}\n")
    run = callagent("run", "contacts.csv", folder=tmp_path)

    assert (run.returncode, "hint:" in run.stderr) == (2, True), run.stderr


def test_a_secret_file_that_is_no_text_is_a_usage_error(tmp_path: Path) -> None:
    """Whoever names the wrong file is told which."""
    write_contacts(tmp_path, 1)
    (tmp_path / "key").write_bytes(b"\xff\xfe\x00")
    voice = {"agent_id": "a", "agent_phone_number_id": "b", "api_key": {"file": "key"}}
    write_settings(tmp_path, {"mode": "live", "services": {"elevenlabs": voice}})
    run = callagent("run", "contacts.csv", folder=tmp_path)

    assert run.returncode == 2
    assert "`key` is not text" in run.stderr


def test_ctrl_c_while_the_program_is_being_read_leaves_no_traceback(tmp_path: Path) -> None:
    """A third of a second is long enough for a person who mistyped."""
    early = (
        "import sys\n"
        "class Early:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'callagent_cli.cli.app':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Early())\n"
        "import callagent_cli.__main__\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", early],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        check=False,
        text=True,
        timeout=18,
    )

    assert (ended.returncode, ended.stderr) == (130, "")


def test_a_sandbox_that_cannot_be_kept_says_so_in_two_lines(tmp_path: Path) -> None:
    """Its folder is a file: that is the system's word and no crash."""
    (tmp_path / ".callagent").mkdir()
    (tmp_path / ".callagent" / "sandbox").write_text("in the way")
    write_contacts(tmp_path, 1)
    run = callagent("run", "contacts.csv", folder=tmp_path)

    assert run.returncode == 2
    assert "Traceback" not in run.stderr
    assert "hint:" in run.stderr


def test_a_ledger_on_a_full_disk_is_a_full_disk(tmp_path: Path) -> None:
    """The sandbox's own disk is a disk: exit code 3, and what is unwritten is kept for later."""
    ledger = DurableLedger(tmp_path / "sandbox.db")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ledger.keep("conversation", "conv_1", b"x" * 300_000)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(StorageFull):
            ledger.commit()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    ledger.close()
    again = DurableLedger(tmp_path / "sandbox.db")

    assert again.kept("conversation") == [("conv_1", b"x" * 300_000)]
    again.close()


def test_a_ledger_that_is_none_is_a_store_error(tmp_path: Path) -> None:
    """Something else stands where the sandbox keeps its ledger."""
    (tmp_path / "sandbox.db").write_bytes(b"no database at all" * 100)

    with pytest.raises(StoreError):
        DurableLedger(tmp_path / "sandbox.db")
