"""Many worlds at once on the command line: sweeps, comparisons, exploration, and Ctrl-C."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import started

from callagent_cli.cli.simulate import explore_command
from callagent_cli.cli.simulate.explore_command import Tally
from callagent_cli.simulation.explore.explore import Explored, world_text
from callagent_cli.simulation.explore.random_world import random_world
from callagent_cli.simulation.scenario.loader import parse_scenario

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = [sys.executable, "-W", "error", "-m", "callagent_cli"]
ENVIRON = {**os.environ, "PYTHONPATH": str(ROOT)}
BROKEN = Explored(seed=3, broken={"finished": "✗ finished"}, calls=1, kills=0, log_sha256="")


def _run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments], capture_output=True, text=True, check=False, cwd=folder, env=ENVIRON
    )


def _unending(folder: Path) -> None:
    text = (ROOT / "scenarios" / "elevenlabs-503.yaml").read_text(encoding="utf-8")
    text = text.replace("name: elevenlabs-503", "name: stuck").replace("for: 3m", "for: 5h")
    (folder / "stuck.yaml").write_text(text, encoding="utf-8")
    (folder / "lanes.yaml").write_text("lanes: 2\n", encoding="utf-8")


@pytest.mark.parametrize("asked", [("--seeds", "2"), ("--compare", "lanes.yaml")])
def test_what_nothing_can_finish_cannot_be_used_however_often_it_is_run(
    asked: tuple[str, str], tmp_path: Path
) -> None:
    """Many worlds of one scenario are refused with the words and the exit code of one of them."""
    _unending(tmp_path)

    run = _run("simulate", "stuck.yaml", *asked, folder=tmp_path)

    # A slow machine also shows how far the worlds are.
    told = [line for line in run.stderr.splitlines() if line and not line.startswith("SIMULATION")]
    assert run.returncode == 2
    assert [line.split(":")[0] for line in told] == ["error", "hint"]
    assert "nothing can finish under `outage`" in told[0]
    assert "8 pending while elevenlabs is open; call_000002 is parked at dial" in told[0]
    assert "no reason" not in told[0]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--seeds", "3"), "interrupted after 0 of 3 seeds; 0 held so far"),
        (("--compare", "lanes.yaml"), "interrupted: 0 of 2 settings were tried"),
    ],
)
def test_ctrl_c_waits_for_no_long_world(asked: tuple[str, str], said: str, tmp_path: Path) -> None:
    """Sweeps of long worlds tell how far they are, end at once, and claim nothing."""
    (tmp_path / "lanes.yaml").write_text("lanes: 40\n", encoding="utf-8")
    with started("simulate", "day-long-outage", *asked, folder=tmp_path) as process:
        assert process.stderr is not None
        assert "SIMULATION day-long-outage: 0 of" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        shown, _ = process.communicate(timeout=10)

    assert process.returncode == 130
    assert said in shown
    assert "HELD" not in shown


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_no_process_outlives_the_first(number: signal.Signals, tmp_path: Path) -> None:
    """However the command ends, what worked for it ends too; only a kill leaves no word."""
    with started("simulate", "day-long-outage", "--seeds", "4", folder=tmp_path) as process:
        assert process.stderr is not None
        assert "SIMULATION day-long-outage: 0 of" in process.stderr.readline()
        process.send_signal(number)
        # Each process has the pipe: its end is read when the last of them is gone.
        shown, complained = process.communicate(timeout=10)

    killed = number is signal.SIGKILL
    assert process.returncode == (-signal.SIGKILL if killed else 143)
    assert ("interrupted after 0 of 4 seeds" in shown) is not killed
    assert "Traceback" not in complained


def test_exploration_ends_at_whichever_comes_first(tmp_path: Path) -> None:
    """So many worlds, but no longer than so many minutes."""
    run = _run("explore", "--seeds", "3", "--minutes", "5", folder=tmp_path)

    assert run.returncode == 0
    assert "3 worlds" in run.stdout


def test_an_interrupted_exploration_claims_only_what_it_tried() -> None:
    """The worlds that were not tried may be broken."""
    cut = Tally(worlds=3, interrupted=True)

    assert list(explore_command._summary(cut, 1.0))[-1].startswith("interrupted; ")
    assert list(explore_command._summary(Tally(worlds=3), 1.0))[-1].startswith("HELD")


def test_ctrl_c_while_a_world_is_made_small_still_tells_what_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The whole world and its command are there without the small one."""

    def impatient(*_: object, **_more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(explore_command, "shrunken", impatient)

    lines = list(explore_command._summary(Tally(worlds=1, failed=[BROKEN]), 1.0))

    assert "    interrupted before there was one" in lines
    assert lines[-1] == "replay the first: callagent explore --seed 3"


def test_a_program_gets_the_worlds_and_the_command_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """`--json` holds what a person is shown of the first failure, and nothing without one."""
    monkeypatch.setattr(explore_command, "shrunken", lambda world, _broken, **_: world)

    told = explore_command._first_failed(Tally(worlds=1, failed=[BROKEN]))["first_failed"]

    assert told["replay"] == "callagent explore --seed 3"
    assert told["world"] == told["smallest"] == world_text(random_world(3))
    assert explore_command._first_failed(Tally(worlds=1)) == {}


@pytest.mark.parametrize("seed", range(0, 60, 3))
def test_the_text_of_a_world_can_be_simulated(seed: int) -> None:
    """What exploration prints is a scenario file, and nobody has to follow an alias in it."""
    text = world_text(random_world(seed))

    assert parse_scenario(text, Path("explored.yaml")).scenario == random_world(seed).scenario()
    assert "&id" not in text
