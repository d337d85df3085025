"""A run compared with what the sandbox says it received: the ledger is believed, not the worker."""

import csv
import shutil
from collections import Counter
from pathlib import Path
from typing import Final

from command_line import callagent, status, write_contacts, write_settings

from callagent_cli.simulation.sandbox.sandbox import read_ledger

ROOT: Final = Path(__file__).parents[2]


def test_the_sample_contacts_are_all_called_as_the_ledger_says(tmp_path: Path) -> None:
    """`callagent run contacts.csv`: 12 contacts accounted for, each rung as often as is told."""
    shutil.copy(ROOT / "contacts.csv", tmp_path)
    write_settings(tmp_path, {"sandbox": {"pace": 0.1, "redial_scale": 0.0001}})
    with (ROOT / "contacts.csv").open(newline="", encoding="utf-8") as file:
        numbers = ["+" + "".join(filter(str.isdigit, row["phone"])) for row in csv.DictReader(file)]
    run = callagent("run", "contacts.csv", folder=tmp_path)
    shown, ledger = status(tmp_path), read_ledger(tmp_path / ".callagent")

    assert (run.returncode, run.stderr) == (0, ""), run.stdout
    assert (shown["contacts"], shown["totals"]["done"]) == (12, 12)
    assert sum(shown["results"].values()) == 12
    rung = Counter(placed.number for placed in ledger.placed())
    assert set(rung) == set(numbers)
    assert max(rung.values()) <= 3
    requests = [each for each in ledger.requests("elevenlabs") if each.effect]
    assert len(requests) == rung.total()


def test_running_the_same_file_again_calls_nobody(tmp_path: Path) -> None:
    """The second run of a finished campaign reaches no provider with a dial."""
    write_contacts(tmp_path, 5)
    write_settings(tmp_path, {"sandbox": {"pace": 0}, "dialing": {"max_dials": 1}})
    first = callagent("run", "contacts.csv", folder=tmp_path)
    rung = len(read_ledger(tmp_path / ".callagent").placed())
    second = callagent("run", "contacts.csv", folder=tmp_path)

    assert (first.returncode, second.returncode) == (0, 0)
    assert "known" in second.stdout
    assert len(read_ledger(tmp_path / ".callagent").placed()) == rung == 5


def test_nothing_but_the_twins_is_told_a_whole_number(tmp_path: Path) -> None:
    """No log, alert or output of a run has a contact's whole number."""
    numbers = write_contacts(tmp_path, 6)
    write_settings(tmp_path, {"sandbox": {"pace": 0}, "dialing": {"max_dials": 1}})
    run = callagent("run", "contacts.csv", folder=tmp_path)
    texts = [path.read_text() for path in (tmp_path / "logs").iterdir()]

    digits = {number.removeprefix("+") for number in numbers}
    assert run.returncode == 0
    assert texts
    assert not [
        number for number in digits for text in [*texts, run.stdout, run.stderr] if number in text
    ]
