"""Each scenario of the library fails when callagent unlearns what the scenario teaches."""

import pytest
from scenario_plants import FOUND, Plant, with_settings
from short_day import DAY, day_of

from callagent_cli.simulation.judge.verdict import judge
from callagent_cli.simulation.scenario.format import Scenario
from callagent_cli.simulation.scenario.loader import find_scenario, library, load_scenario
from callagent_cli.simulation.worlds.world import World

CHECKS = {"policy": {"health": {"interval_s": 300.0, "stale_after_s": 900.0}}}


def _scenario(name: str) -> Scenario:
    """Return a scenario of the library; of a day, what fits into a second or so."""
    if name != DAY:
        return load_scenario(find_scenario(name)).scenario
    services = dict.fromkeys(("elevenlabs", "llm", "crm"), CHECKS)
    return with_settings(day_of(20, lanes=2), {"services": services})


@pytest.mark.parametrize(
    ("name", "plant", "expectation"),
    FOUND,
    ids=[f"{name}-{plant.__name__}" for name, plant, _ in FOUND],
)
def test_a_scenario_notices_what_it_is_about(
    name: str, plant: Plant, expectation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the bug in place, the expectation that teaches the lesson does not hold."""
    scenario = plant(monkeypatch, _scenario(name))

    broken = [str(each) for each in judge(World(scenario, scenario.seed).run()).broken]

    assert [text for text in broken if expectation in text], broken


def test_every_scenario_has_its_plant() -> None:
    """Nobody adds a scenario that nothing could break."""
    assert {name for name, _, _ in FOUND} == {path.stem for path in library()}


def test_a_short_day_holds_without_a_plant() -> None:
    """What the plants of the day break is not broken by making it short."""
    assert judge(World(_scenario(DAY), 7).run()).broken == []
