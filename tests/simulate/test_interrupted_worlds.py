"""What is told of a world that was cut off: nothing about the time that it did not reach."""

import json
from pathlib import Path

from callagent_cli.cli.simulate.journal import journal_of
from callagent_cli.cli.simulate.report import document, interrupted_lines
from callagent_cli.events import Stamped
from callagent_cli.simulation.judge.verdict import judge
from callagent_cli.simulation.scenario.loader import find_scenario, load_scenario
from callagent_cli.simulation.worlds.world import World

SCENARIO = load_scenario(find_scenario("day-long-outage")).scenario


def _cut(world: World) -> None:
    """Let a world end at its first event: hours before its outage."""

    def interrupt(_at_s: float, _stamped: Stamped) -> None:
        world.interrupt()

    world._follow = interrupt


def test_a_program_is_told_what_is_not_decided_as_a_person_is() -> None:
    """A fault that was not due yet is neither met nor missed: `held` is null, and not false."""
    world = World(SCENARIO, 7)
    _cut(world)
    evidence = world.run()
    verdict = judge(evidence)
    told = document(evidence, verdict, seed=7, interrupted=True)
    open_ = {each["title"] for each in told["expectations"] if each["held"] is None}

    lines = [line for line in interrupted_lines(evidence, verdict) if line.startswith("– ")]
    assert told["verdict"] == "interrupted"
    assert {line.removeprefix("– ").removesuffix(": not decided yet") for line in lines} == open_
    assert {"finished", "outage struck"} <= open_
    assert not any("nobody met" in each["text"] for each in told["expectations"])
    assert any(each["held"] is True for each in told["expectations"])


def test_a_journal_leaves_open_what_is_open(tmp_path: Path) -> None:
    """It says of each expectation what `--json` says."""
    world = World(SCENARIO, 7)
    _cut(world)
    with journal_of(world, tmp_path / "j.json") as journal:
        evidence = world.run()
        verdict = judge(evidence)
        assert journal is not None
        journal.write(evidence, verdict, interrupted=True)
    written = json.loads((tmp_path / "j.json").read_bytes())["verdict"]["findings"]

    told = document(evidence, verdict, seed=7, interrupted=True)["expectations"]
    assert [(each["title"], each["held"], each["text"]) for each in written] == [
        (each["title"], each["held"], each["text"]) for each in told
    ]
