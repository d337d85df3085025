"""The scenarios that come with callagent."""

from pathlib import Path

import pytest

from callagent_cli.cli.simulate.scenarios_command import run_scenarios
from callagent_cli.simulation.judge.verdict import INVARIANTS
from callagent_cli.simulation.scenario.loader import (
    find_scenario,
    library,
    load_scenario,
    settings_of,
)

REQUIRED = {
    "answer-lost",
    "crm-auth-401",
    "crm-down",
    "day-long-outage",
    "elevenlabs-503",
    "elevenlabs-503-lanes",
    "elevenlabs-grey",
    "flapping-elevenlabs",
    "flapping-outage",
    "late-listing",
    "llm-out-of-credit",
    "llm-rate-limited",
    "llm-timeout",
    "nobody-answers",
    "quota-exceeded",
    "recovery-herd",
    "slow-brownout",
    "stuck-calls",
    "total-network-outage",
}


def test_the_library_is_complete() -> None:
    """Nobody removes a scenario by accident."""
    assert {path.stem for path in library()} >= REQUIRED


@pytest.mark.parametrize("path", library(), ids=lambda path: path.stem)
def test_every_scenario_of_the_library_can_run(path: Path) -> None:
    """It loads, its settings hold, and it judges every invariant, or breaks it on purpose."""
    loaded = load_scenario(path)

    expect = loaded.scenario.expect
    assert settings_of(loaded).lanes == loaded.scenario.campaign.lanes
    assert {*expect.always, *expect.breaks, "finished"} == set(INVARIANTS)
    assert find_scenario(path.stem) == path


def test_the_library_is_listed_with_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    """`callagent scenarios` fits into 80 columns."""
    run_scenarios("", [], json=False)

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(library())
    assert [line for line in lines if len(line) > 80] == []


@pytest.mark.parametrize("path", library(), ids=lambda path: path.stem)
def test_every_scenario_says_what_it_teaches(path: Path) -> None:
    """The file begins with a comment for people."""
    assert path.read_text(encoding="utf-8").startswith(("# Teaches", "# Breaks"))
