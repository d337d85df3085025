"""Each scenario of the library fails when callagent unlearns what the scenario teaches."""

import pytest
from scenario_plants import FOUND, Plant

from callagent_cli.simulation.judge.verdict import judge
from callagent_cli.simulation.scenario.loader import find_scenario, library, load_scenario
from callagent_cli.simulation.worlds.world import World

HUGE = {"day-long-outage"}


@pytest.mark.parametrize(
    ("name", "plant", "expectation"),
    FOUND,
    ids=[f"{name}-{plant.__name__}" for name, plant, _ in FOUND],
)
def test_a_scenario_notices_what_it_is_about(
    name: str, plant: Plant, expectation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the bug in place, the expectation that teaches the lesson does not hold."""
    scenario = plant(monkeypatch, load_scenario(find_scenario(name)).scenario)

    broken = [str(each) for each in judge(World(scenario, scenario.seed).run()).broken]

    assert [text for text in broken if expectation in text], broken


def test_every_scenario_has_its_plant() -> None:
    """Nobody adds a scenario that nothing could break."""
    assert {name for name, _, _ in FOUND} == {path.stem for path in library()} - HUGE
