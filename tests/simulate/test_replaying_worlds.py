"""A world that was found can be played again: from its text and its command."""

import json
import shlex
from pathlib import Path

import msgspec
import pytest

from callagent_cli.__main__ import main
from callagent_cli.cli.simulate import explore_command
from callagent_cli.cli.simulate.kills import read_kills, written
from callagent_cli.errors import UsageError
from callagent_cli.simulation.explore.explore import Explored, try_world
from callagent_cli.simulation.explore.random_world import RandomWorld, random_world
from callagent_cli.simulation.scenario.loader import find_scenario, library, load_scenario
from callagent_cli.simulation.worlds.world import Kill, World

KILLS = (
    Kill(where="step", number=120),
    Kill(where="after_commit", number=8, restart_after_s=2.5),
)
FOUND = Explored(seed=1, broken={"finished": "✗ finished"}, calls=1, kills=0, log_sha256="")


def test_the_smallest_world_is_played_by_what_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its text is a scenario file, its command has the kills, and its log is the same."""
    small = msgspec.structs.replace(random_world(1), kills=KILLS)

    def shrunken(*_: object, **_more: object) -> RandomWorld:
        return small

    def found(*_: object) -> explore_command.Tally:
        return explore_command.Tally(worlds=1, failed=[FOUND])

    monkeypatch.setattr(explore_command, "shrunken", shrunken)
    monkeypatch.setattr(explore_command, "_tried", found)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(["explore", "--seed", "1", "--seeds", "1"])
    lines = capsys.readouterr().out.splitlines()
    unlabeled = [line for line in lines if not line.startswith("SIMULATION")]
    command = next(line.split("replay it: ")[1] for line in lines if "replay it: " in line)
    (tmp_path / "explored.yaml").write_text("\n".join(unlabeled), encoding="utf-8")

    with pytest.raises(SystemExit):
        main([*shlex.split(command)[1:], "--json"])

    assert unlabeled[0] == "# SIMULATION: random world 1, made small"
    assert command == ("callagent simulate explored.yaml --kill step:120 --kill after_commit:8+2.5")
    played = json.loads(capsys.readouterr().out)
    assert played["log"]["sha256"] == try_world(small).log_sha256
    assert played["log"]["sha256"] != try_world(random_world(1)).log_sha256


def test_a_replay_counts_what_the_exploration_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """The phones that rang in one world are those that rang in it among many."""
    with pytest.raises(SystemExit):
        main(["explore", "--seed", "1", "--json"])

    counted = json.loads(capsys.readouterr().out)
    tried = try_world(random_world(1))
    assert tried.calls > 0
    assert (counted["calls"], counted["kills"]) == (tried.calls, tried.kills)


def test_a_kill_is_written_as_it_is_read() -> None:
    """What the command line is given is what it was told to be given."""
    assert read_kills(tuple(map(written, KILLS))) == list(KILLS)


@pytest.mark.parametrize(
    ("kills", "missed"),
    [
        (["step:30", "before_commit:2"], []),
        (["before_commit:3"], []),
        (["step:999999999"], ["step:999999999"]),
        (["after_commit:99999"], ["after_commit:99999"]),
        (["step:120", "step:999999999+5", "step:7"], ["step:999999999+5", "step:7"]),
    ],
)
def test_a_kill_that_strikes_nobody_breaks_the_verdict(
    kills: list[str], missed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody takes a world in which nothing was killed for one that outlived a kill."""
    asked = [part for kill in kills for part in ("--kill", kill)]
    with pytest.raises(SystemExit) as ended:
        main(["simulate", "late-listing", *asked, "--json"])

    told = json.loads(capsys.readouterr().out)
    reached = [each for each in told["expectations"] if each["title"].startswith("--kill ")]
    assert [each["title"] for each in reached] == [f"--kill {kill} struck" for kill in missed]
    assert not any(each["held"] for each in reached)
    assert (ended.value.code, told["verdict"]) == ((1, "broken") if missed else (0, "held"))


def test_a_kill_of_the_timeline_is_not_the_one_that_was_asked_for() -> None:
    """A life that the scenario ends before leaves the kill on the command line without a strike."""
    names = [path.stem for path in library() if "do: kill" in path.read_text(encoding="utf-8")]
    world = World(load_scenario(find_scenario(names[0])).scenario, 7)
    never = Kill(where="step", number=999_999_999)
    world.run(never)

    assert world.missed == [never]


@pytest.mark.parametrize("text", ["", "step", "step:0", "step:-1", "commit:3", "step:5+", "step:x"])
def test_what_is_no_moment_is_refused_with_an_example(text: str) -> None:
    """Nobody guesses how a moment is written."""
    with pytest.raises(UsageError, match="names no moment") as refused:
        read_kills((text,))

    assert "step:120" in refused.value.hint
