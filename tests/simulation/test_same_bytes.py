"""The same seed gives the same bytes, and nothing in the engine looks at the real world."""

import hashlib
import os
import random
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from callagent_cli.simulation.explore.random_world import random_world
from callagent_cli.simulation.judge.verdict import judge
from callagent_cli.simulation.scenario.loader import find_scenario, library, load_scenario
from callagent_cli.simulation.worlds.world import Kill, World

PACKAGE = str(Path(__file__).resolve().parents[2] / "callagent_cli")
LONG = {"day-long-outage"}
DOORS: tuple[tuple[object, str], ...] = (
    (time, "time"),
    (time, "time_ns"),
    (time, "monotonic"),
    (time, "monotonic_ns"),
    (time, "perf_counter"),
    (time, "perf_counter_ns"),
    (time, "sleep"),
    (os, "urandom"),
    (uuid, "uuid1"),
    (uuid, "uuid4"),
    (random, "random"),
    (random, "uniform"),
    (random, "choice"),
)


def _world(name: str, seed: int = 7) -> World:
    return World(load_scenario(find_scenario(name)).scenario, seed)


@pytest.mark.parametrize(
    "path", [path for path in library() if path.stem not in LONG], ids=lambda path: path.stem
)
def test_every_scenario_of_the_library_holds(path: Path) -> None:
    """Each scenario's expectations hold under its own seed."""
    scenario = load_scenario(path).scenario

    verdict = judge(World(scenario, scenario.seed).run())

    assert [str(each) for each in verdict.broken] == []


def test_one_seed_gives_one_log() -> None:
    """Two runs of one world write the same bytes."""
    first, second = _world("total-network-outage"), _world("total-network-outage")
    logs: list[bytes] = []
    for world in (first, second):
        written: list[bytes] = []
        world.log.copy_to(written.append)
        world.run()
        logs.append(b"".join(written))

    assert logs[0] == logs[1]
    assert len(logs[0]) > 10_000
    assert first.log.sha256 == second.log.sha256 == hashlib.sha256(logs[0]).hexdigest()


def _trip_wires(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Put a wire into each door to the real world; return who of ours went through one."""
    caught: list[str] = []

    def watched(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 — as the real one.
            frame: FrameType | None = sys._getframe(1)
            if frame is not None and frame.f_code.co_filename.startswith(PACKAGE):
                caught.append(f"{name} in {frame.f_code.co_filename}:{frame.f_lineno}")
            return real(*arguments, **options)

        return call

    for module, name in DOORS:
        monkeypatch.setattr(module, name, watched(name, getattr(module, name)))
    return caught


def test_nothing_in_the_engine_reads_a_real_clock_or_real_chance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While a world runs, no code of ours asks the machine for time, sleep or randomness."""
    worlds = [_world("answer-lost"), _world("total-network-outage")]
    caught = _trip_wires(monkeypatch)
    for world in worlds:
        world.run()

    assert caught == []


def test_a_trip_wire_is_hit_by_each_way_to_the_real_world(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check above sees whoever reads a real clock: a world made to have such code is caught."""
    arguments = {"sleep": (0,), "urandom": (1,), "uniform": (0, 1), "choice": ([1],)}
    planted: dict[str, Any] = {}
    source = "def read(door, arguments): door(*arguments)"
    exec(compile(source, f"{PACKAGE}/planted.py", "exec"), planted)  # noqa: S102 — code of the package, for the wire.
    doors = list(DOORS)

    def follow(_at_s: float, _stamped: object) -> None:
        if doors:
            module, name = doors.pop()
            planted["read"](getattr(module, name), arguments.get(name, ()))

    world = World(load_scenario(find_scenario("elevenlabs-503")).scenario, 7, follow=follow)
    caught = _trip_wires(monkeypatch)
    world.run()

    names = [each.partition(" ")[0] for each in caught]
    assert names == [name for _, name in reversed(DOORS)]
    assert all("planted.py:1" in each for each in caught)


@pytest.mark.parametrize("where", ["step", "before_commit", "after_commit"])
def test_a_killed_world_goes_on_where_it_stood(where: str) -> None:
    """A kill at a step, or at either side of a commit, loses nobody and dials nobody twice."""
    kill = Kill(where=where, number=20, restart_after_s=3.0)  # type: ignore[arg-type]

    runs: set[str] = set()
    scenario = _world("answer-lost").scenario

    evidence = World(scenario, 7, follow=lambda _, stamped: runs.add(stamped.run)).run(kill)

    broken = [each.title for each in judge(evidence).broken if each.kind == "always"]
    assert runs == {"run_1", "run_2"}
    assert broken == []


def test_a_kill_that_never_comes_changes_nothing() -> None:
    """A world that ends before its kill is the world without one."""
    kill = Kill(where="step", number=10**9)

    logs = [_world("crm-auth-401").run(*kills).log for kills in ([kill], [])]

    assert logs[0].sha256 == logs[1].sha256
    assert logs[0].lines == logs[1].lines > 100


def test_random_worlds_are_made_from_their_seed_alone() -> None:
    """Two calls give equal worlds, and neighbors differ."""
    assert random_world(5) == random_world(5)
    assert random_world(5).plain != random_world(6).plain
