"""The kill test: a worker killed at any moment loses nobody and dials nobody twice."""

from pathlib import Path

import pytest
from kill_driver import kill_again_and_again

PEOPLE, KILLS, LANES = 200, 20, 8


@pytest.mark.timeout(180)
@pytest.mark.parametrize("seed", [7])
def test_twenty_kills_lose_nobody_and_dial_nobody_twice(tmp_path: Path, seed: int) -> None:
    """`kill -9` at 20 moments of a run; the sandbox's ledger knows every number exactly once."""
    seen = kill_again_and_again(tmp_path, people=PEOPLE, kills=KILLS, lanes=LANES, seed=seed)

    print(
        f"{seen.kills} kills, {seen.in_dial} between a POST and its answer; "
        f"{len(seen.numbers)} contacts in {seen.seconds:.0f} s"
    )
    assert seen.kills == KILLS
    assert seen.in_dial >= 5
    assert seen.rung == [1] * PEOPLE
    assert seen.status["totals"]["done"] == PEOPLE
    assert (seen.exit_code, seen.status["verdict"]["word"]) == (0, "DONE")
