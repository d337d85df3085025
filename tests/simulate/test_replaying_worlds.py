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
from callagent_cli.simulation.worlds.world import Kill

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


def test_a_kill_is_written_as_it_is_read() -> None:
    """What the command line is given is what it was told to be given."""
    assert read_kills(tuple(map(written, KILLS))) == list(KILLS)


@pytest.mark.parametrize("text", ["", "step", "step:0", "step:-1", "commit:3", "step:5+", "step:x"])
def test_what_is_no_moment_is_refused_with_an_example(text: str) -> None:
    """Nobody guesses how a moment is written."""
    with pytest.raises(UsageError, match="names no moment") as refused:
        read_kills((text,))

    assert "step:120" in refused.value.hint
