"""Random worlds: the fixed ones of every change, and the machinery around them."""

import signal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callagent_cli.cli.simulate import explore_command
from callagent_cli.cli.simulate.explore_command import ExploreOptions, run_exploration
from callagent_cli.errors import ScenarioError
from callagent_cli.events import Stamped
from callagent_cli.settings import Settings
from callagent_cli.simulation.explore.explore import explore, try_seeds, try_world, world_text
from callagent_cli.simulation.explore.random_world import RandomWorld, random_world
from callagent_cli.simulation.explore.shrink import shrink
from callagent_cli.simulation.scenario.check import scenario_problems
from callagent_cli.simulation.scenario.fault_kind import KINDS, kinds_of
from callagent_cli.simulation.scenario.format import Scenario
from callagent_cli.simulation.worlds.stage import Follow
from callagent_cli.simulation.worlds.world import Kill, World
from callagent_cli.yaml_file import parse_yaml

FALSE_ALARMS = {
    "a trial that is over at once": 1796036083,
    "a calendar set forward before a kill": 1796040121,
    "incidents that a kill keeps from the disk": 1796046102,
    "a record in the instant of a kill": 1796046227,
}
FIXED = 300
PER_TEST = 30


@pytest.mark.parametrize("first", range(0, FIXED, PER_TEST))
def test_every_invariant_holds_in_the_fixed_worlds(first: int) -> None:
    """Whatever fails and whenever the process is killed, no invariant breaks."""
    broken = {
        explored.seed: explored.broken
        for explored in explore(range(first, first + PER_TEST), cores=1)
        if explored.broken
    }

    assert broken == {}


@pytest.mark.parametrize("seed", FALSE_ALARMS.values(), ids=FALSE_ALARMS)
def test_the_judge_is_not_misled_by_an_unlikely_world(seed: int) -> None:
    """Nothing is wrong in these, and it takes ten thousand others to find one like them."""
    assert try_world(random_world(seed)).broken == {}


@pytest.mark.parametrize("seed", [3, 42, 106])
def test_a_world_is_the_same_whenever_it_is_tried(seed: int) -> None:
    """One seed gives one log, kills included."""
    assert try_world(random_world(seed)) == try_world(random_world(seed))


def test_a_world_knows_nothing_of_the_one_before_it() -> None:
    """In one database after the other, killed or not, each world is what it is alone."""
    seeds = list(range(12))

    assert try_seeds(seeds) == [try_world(random_world(seed)) for seed in seeds]


@given(st.integers(min_value=0, max_value=2**63 - 1))
def test_every_random_world_is_a_valid_and_plausible_scenario(seed: int) -> None:
    """No world breaks the rules of the format, and no list lags longer than the proofs wait."""
    world = random_world(seed)

    file = parse_yaml(
        world_text(world), Scenario, path=Path("explored.yaml"), error=ScenarioError, hint=""
    )
    assert scenario_problems(file) == []
    assert file.value == world.scenario()
    grace_s = Settings().services.elevenlabs.lookup_grace_s
    assert file.value.services.elevenlabs.list_lag < grace_s
    assert 3 <= file.value.campaign.contacts <= 12
    assert 1 <= file.value.campaign.lanes <= 4
    assert len(world.kills) <= 2


def test_every_kind_of_fault_is_tried() -> None:
    """The fixed worlds hold each kind at least once, and each kind of kill."""
    worlds = [random_world(seed) for seed in range(FIXED)]
    kinds = {
        kind
        for world in worlds
        for phase in world.scenario().timeline
        if phase.fault is not None
        for kind in kinds_of(phase.fault)
    }

    assert kinds == {*KINDS, "latency"}
    assert {kill.where for world in worlds for kill in world.kills} == {
        "step",
        "before_commit",
        "after_commit",
    }


def test_shrinking_leaves_only_what_the_failure_needs() -> None:
    """Whatever is not needed to fail is taken away."""
    world = next(
        world
        for world in map(random_world, range(FIXED))
        if len(world.plain["timeline"]) >= 3 and len(world.kills) == 2
    )
    guilty = world.plain["timeline"][1]["name"]

    def fails(candidate: RandomWorld) -> bool:
        return guilty in [phase["name"] for phase in candidate.plain["timeline"]]

    small = shrink(world, fails)

    assert [phase["name"] for phase in small.plain["timeline"]] == [guilty]
    assert small.kills == ()
    assert small.plain["campaign"] == {"contacts": 1, "lanes": 1}


def test_the_text_of_a_world_names_its_kills() -> None:
    """What a scenario file cannot say stands above it as a comment."""
    world = msgspec.structs.replace(
        random_world(1), kills=(Kill(where="after_commit", number=8, restart_after_s=2.5),)
    )

    first = world_text(world).splitlines()[0]

    assert first == "# life 1 is killed at its after commit 8, and the next begins 2.5 s later"


class Impatient(World):
    """A world whose onlooker presses Ctrl-C at its fiftieth event."""

    def __init__(self, scenario: Scenario, seed: int, *, follow: Follow) -> None:
        def cut(at_s: float, stamped: Stamped) -> None:
            follow(at_s, stamped)
            if stamped.sequence == 50:
                signal.raise_signal(signal.SIGINT)

        super().__init__(scenario, seed, follow=cut)


def test_ctrl_c_in_a_replay_prints_what_was_judged_so_far(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever loses patience still learns what is known of the world."""
    monkeypatch.setattr(explore_command, "World", Impatient)
    options = ExploreOptions(seeds=None, minutes=None, seed=3, json=False)

    exit_code = run_exploration(options)

    shown = capsys.readouterr().out
    assert exit_code == 130
    assert "judged so far" in shown
    assert "✓ nobody_dialed_twice" in shown
