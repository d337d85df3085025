"""Exploration finds the bugs that were planted for it."""

import time

import pytest
from _mutants import MUTANTS, Plant

from callagent_cli.simulation.explore.explore import try_world
from callagent_cli.simulation.explore.random_world import random_world

SEEDS = 200


def _first_found(seeds: range) -> tuple[int, str] | None:
    for seed in seeds:
        broken = try_world(random_world(seed)).broken
        if broken:
            return seed, next(iter(broken.values()))
    return None


@pytest.mark.parametrize("plant", MUTANTS, ids=lambda plant: plant.__name__)
def test_a_planted_bug_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within 200 worlds one breaks an invariant."""
    plant(monkeypatch)
    began_s = time.process_time()

    found = _first_found(range(SEEDS))

    took_s = time.process_time() - began_s
    assert found is not None, f"{plant.__name__} was not found in {SEEDS} worlds"
    print(f"{plant.__name__}: seed {found[0]}, {took_s:.2f} s of CPU, {found[1]}")


@pytest.mark.timeout(120)
def test_without_a_planted_bug_nothing_is_found() -> None:
    """What finds the mutants is no false alarm."""
    assert _first_found(range(SEEDS)) is None
