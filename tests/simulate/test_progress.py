"""Nobody waits for long without a word, and what was found until then is not lost."""

import json
from pathlib import Path

import pytest

from callagent_cli.cli.simulate import explore_command, show
from callagent_cli.cli.simulate.command import SimulateOptions, run_simulation
from callagent_cli.cli.simulate.explore_command import Tally
from callagent_cli.simulation.explore.explore import Explored
from callagent_cli.simulation.explore.random_world import RandomWorld, random_world
from callagent_cli.simulation.explore.shrink import Tried, shrink

BROKEN = Explored(seed=3, broken={"finished": "✗ finished"}, calls=1, kills=0, log_sha256="")
SHORT = """
callagent: scenario/v1
name: short
title: One call
campaign: {contacts: 1, lanes: 1}
people: {ring: 1s, talk: 1s, processing: 1s}
until: {at_most: 10m}
"""


def _impatient(world: RandomWorld, _broken: str, *, tried: Tried) -> RandomWorld:
    """Find one smaller world; then Ctrl-C is pressed."""
    small = shrink(world, lambda _: True, tries_max=1)
    tried(1, small)
    raise KeyboardInterrupt


def _on_the_wire(folder: Path) -> SimulateOptions:
    return SimulateOptions(
        scenario=str(folder / "short.yaml"),
        seed=None,
        seeds=None,
        compare=(),
        wire=True,
        speed=None,
        journal=None,
        json=True,
    )


def test_a_world_on_the_wire_tells_how_far_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With `--json` nothing else is to be seen until the end."""
    (tmp_path / "short.yaml").write_text(SHORT, encoding="utf-8")
    monkeypatch.setattr(show, "_SILENT_S", 0.0)

    run_simulation(_on_the_wire(tmp_path))

    shown = capsys.readouterr()
    assert json.loads(shown.out)["label"] == "SIMULATION"
    assert "SIMULATION short: 3s of the world, 0 of 1 calls\n" in shown.err


def test_a_program_is_told_what_the_wire_plays_differently(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The object that `--json` prints holds the notes that a person reads."""
    dns = "timeline: [{name: lost, at: 0s, for: 1s, target: crm, fault: {dns: true}}]\n"
    (tmp_path / "short.yaml").write_text(SHORT + dns, encoding="utf-8")

    run_simulation(_on_the_wire(tmp_path))

    notes = json.loads(capsys.readouterr().out)["notes"]
    assert notes[0] == "lost is played as a refused connection: no name is looked up outside"
    assert notes[1].startswith("clock fidelity: ")


def test_whoever_loses_patience_has_the_smallest_world_so_far(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ctrl-C ends the making small, and keeps what it has found."""
    monkeypatch.setattr(explore_command, "shrunken", _impatient)

    small = explore_command._smallest(BROKEN)

    assert small == shrink(random_world(3), lambda _: True, tries_max=1)
    assert small != random_world(3)


def test_the_making_small_tells_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A minute of tries is not a minute of silence."""
    monkeypatch.setattr(explore_command, "_TELL_EVERY_S", 0.0)
    monkeypatch.setattr(explore_command, "shrunken", _impatient)

    list(explore_command._summary(Tally(worlds=1, failed=[BROKEN]), 1.0))

    assert "SIMULATION seed 3: being made small, 1 of at most 150 tries" in capsys.readouterr().err
