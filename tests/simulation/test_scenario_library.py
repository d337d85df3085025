"""The scenarios that come with callagent."""

from pathlib import Path

import pytest

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


@pytest.mark.parametrize("path", library(), ids=lambda path: path.stem)
def test_every_scenario_says_what_it_teaches(path: Path) -> None:
    """The file begins with a comment for people."""
    assert path.read_text(encoding="utf-8").startswith(("# Teaches", "# Breaks"))
