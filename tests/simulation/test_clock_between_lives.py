"""What happens to the machine while no worker lives on it, in virtual time and on the wire."""

from collections import defaultdict
from pathlib import Path
from typing import Literal

import pytest

from callagent_cli.clock import EPOCH_OF_SIMULATIONS_S
from callagent_cli.events import Stamped
from callagent_cli.services.httpx_client import HttpxClient
from callagent_cli.simulation.judge.verdict import judge
from callagent_cli.simulation.scenario.format import Scenario
from callagent_cli.simulation.scenario.loader import parse_scenario
from callagent_cli.simulation.scenario.schema import scenario_schema
from callagent_cli.simulation.worlds.stage import Follow, Stage
from callagent_cli.simulation.worlds.wire_world import WireWorld
from callagent_cli.simulation.worlds.world import Kill, World

Carrier = Literal["virtual", "wire"]

TEXT = """
callagent: scenario/v1
name: machine
title: What is done to a machine without a worker
campaign: {contacts: 2, lanes: 1}
people: {ring: 1s, talk: 4s, processing: 1s}
timeline:
TIMELINE
until: {at_most: 10m}
expect:
  always: [no_call_lost, nobody_dialed_twice, completed_step_never_repeated]
  outcome: {done: 2, dialed: 2}
"""
CUT = "  - {name: cut, at: 3s, do: kill, restart_after: 6s}\n"


def _scenario(timeline: str) -> Scenario:
    return parse_scenario(TEXT.replace("TIMELINE\n", timeline), Path("machine.yaml")).scenario


def _stage(scenario: Scenario, carrier: Carrier, follow: Follow) -> Stage:
    if carrier == "virtual":
        return World(scenario, 7, follow=follow)
    return WireWorld(scenario, 7, client=lambda url: HttpxClient(base_url=url), follow=follow)


def _calendar_ahead_s(timeline: str, carrier: Carrier) -> dict[str, set[int]]:
    """Return by how many seconds the worker's calendar was ahead in each run; all must hold."""
    ahead_s: dict[str, set[int]] = defaultdict(set)

    def follow(at_s: float, stamped: Stamped) -> None:
        ahead_s[stamped.run].add(round(stamped.utc_s - EPOCH_OF_SIMULATIONS_S - at_s))

    scenario = _scenario(timeline)
    world = _stage(scenario, carrier, follow)
    assert isinstance(world, World | WireWorld)

    evidence = world.run()

    assert [str(each) for each in judge(evidence).broken] == []
    assert world._actions == []
    return dict(ahead_s)


@pytest.mark.parametrize("carrier", ["virtual", "wire"])
@pytest.mark.parametrize(("by", "ahead_s"), [("1h", 3600), ("-30s", -30)])
def test_the_next_life_begins_with_a_clock_that_was_stepped_while_nobody_lived(
    by: str, ahead_s: int, carrier: Carrier
) -> None:
    """The calendar of the machine goes on without its worker, forward or back."""
    step = f"  - {{name: jump, at: 6s, do: clock_step, by: {by}}}\n"

    assert _calendar_ahead_s(CUT + step, carrier) == {"run_1": {0}, "run_2": {ahead_s}}


@pytest.mark.parametrize("carrier", ["virtual", "wire"])
def test_steps_while_nobody_lives_add_up_and_a_kill_finds_nobody(carrier: Carrier) -> None:
    """Each step counts once; who is dead already is neither killed again nor kept down longer."""
    timeline = (
        "  - {name: before, at: 500ms, do: clock_step, by: 10s}\n"
        + CUT
        + "  - {name: jump, at: 5s, do: clock_step, by: 1h}\n"
        + "  - {name: again, at: 6s, do: kill, restart_after: 60s, may_miss: true}\n"
        + "  - {name: back, at: 7s, do: clock_step, by: -20m}\n"
    )

    assert _calendar_ahead_s(timeline, carrier) == {"run_1": {0, 10}, "run_2": {2410}}


def test_a_step_in_the_pause_after_any_kill_is_seen_by_the_next_life() -> None:
    """It makes no difference whether the scenario or whoever explores it pulls the plug."""
    ahead_s: dict[str, int] = {}

    def follow(at_s: float, stamped: Stamped) -> None:
        ahead_s[stamped.run] = round(stamped.utc_s - EPOCH_OF_SIMULATIONS_S - at_s)

    scenario = _scenario("  - {name: jump, at: 50s, do: clock_step, by: 1h}\n")
    kill = Kill(where="before_commit", number=8, restart_after_s=100.0)

    evidence = World(scenario, 7, follow=follow).run(kill)

    assert ahead_s == {"run_1": 0, "run_2": 3600}
    assert evidence.totals == {"done": 2}


@pytest.mark.parametrize(
    ("action", "do"),
    [
        ("at: 9m, do: kill", "kill"),
        ("at: 9m, do: stop, restart_after: 1s", "stop"),
        ("at: 9m, do: clock_step, by: 1h", "clock_step"),
        ("at: 4s, do: kill", "kill"),
    ],
)
def test_what_is_done_to_nobody_is_there_in_vain(action: str, do: str) -> None:
    """A kill after the end of the campaign, or while nobody lives, proves nothing of a restart."""
    timeline = f"{CUT}  - {{name: late, {action}}}\n"

    broken, may_miss = (
        judge(World(_scenario(text), 7).run()).broken
        for text in (timeline, timeline.replace("late,", "late, may_miss: true,"))
    )

    assert [each.kind for each in broken] == ["reached"]
    assert f"to meet this `{do}`" in str(broken[0])
    assert may_miss == []


@pytest.mark.parametrize("carrier", ["virtual", "wire"])
def test_no_life_begins_before_the_one_that_is_stopped_has_ended(carrier: Carrier) -> None:
    """A stop lets a call end, however soon the next life is due: no two workers live at a time."""
    runs: list[tuple[float, str]] = []
    scenario = _scenario("  - {name: halt, at: 5s, do: stop, restart_after: 1s}\n")
    world = _stage(scenario, carrier, lambda at_s, stamped: runs.append((at_s, stamped.run)))
    assert isinstance(world, World | WireWorld)

    evidence = world.run()

    first_ends_s = max(at_s for at_s, run in runs if run == "run_1")
    second_begins_s = min(at_s for at_s, run in runs if run == "run_2")
    assert 6.0 < first_ends_s <= second_begins_s
    assert evidence.totals == {"done": 2}


@pytest.mark.parametrize("do", ["kill", "stop"])
def test_without_a_time_the_next_life_begins_at_once(do: str) -> None:
    """A supervisor restarts what ended; the format says so where an editor shows it."""
    begun_s: dict[str, float] = {}
    scenario = _scenario(f"  - {{name: halt, at: 3s, do: {do}}}\n")

    def follow(at_s: float, stamped: Stamped) -> None:
        begun_s.setdefault(stamped.run, at_s)
        ended_s[stamped.run] = at_s

    ended_s: dict[str, float] = {}

    evidence = World(scenario, 7, follow=follow).run()

    assert evidence.totals == {"done": 2}
    assert begun_s["run_2"] == pytest.approx(max(3.0, ended_s["run_1"]), abs=0.01)
    assert "and without it at once" in scenario_schema()["$defs"]["Phase"]["description"]


@pytest.mark.parametrize(("at_most", "totals"), [("10m", {"done": 2}), ("5s", {"active": 1})])
def test_a_world_need_not_finish_but_ends_when_it_has(at_most: str, totals: dict[str, int]) -> None:
    """`until.finished: false` takes back an expectation and keeps no worker waiting."""
    text = TEXT.replace("TIMELINE\n", "  []\n").replace("{at_most: 10m}", "{at_most: AT}")
    text = text.replace("at_most: AT", f"finished: false, at_most: {at_most}")
    scenario = parse_scenario(text, Path("machine.yaml")).scenario

    evidence = World(scenario, 7).run()

    assert evidence.ended_at_s < 60
    assert {name: evidence.totals[name] for name in totals} == totals
    assert "finished" not in {each.title for each in judge(evidence).findings}
