"""Exploration beyond the fixed worlds: two thousand of them, and fresh ones for five minutes."""

import time
from collections.abc import Iterator

from callagent_cli.simulation.explore.explore import explore

FIXED = 2_000
FRESH_S = 300.0


def test_two_thousand_worlds_hold() -> None:
    """No invariant breaks in the first two thousand worlds."""
    broken = {found.seed: found.broken for found in explore(range(FIXED)) if found.broken}

    assert broken == {}


def test_fresh_worlds_hold() -> None:
    """No invariant breaks in worlds that nobody has seen: each run takes other seeds."""
    first = int(time.time())
    until_s = time.monotonic() + FRESH_S
    print(f"fresh worlds from seed {first} on")

    def seeds() -> Iterator[int]:
        seed = first
        while time.monotonic() < until_s:
            yield seed
            seed += 1

    broken = {}
    tried = 0
    for found in explore(seeds()):
        tried += 1
        if found.broken:
            broken[found.seed] = found.broken
            break

    print(f"{tried} worlds")
    assert broken == {}, f"replay: callagent explore --seed {next(iter(broken))}"
