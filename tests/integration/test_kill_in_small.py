"""The kill test in small, for every run of the tests."""

from pathlib import Path

import pytest
from kill_driver import kill_again_and_again


@pytest.mark.timeout(60)  # Eight processes one after the other: 7 s on an idle machine.
def test_three_kills_lose_nobody_and_dial_nobody_twice(tmp_path: Path) -> None:
    """`kill -9` at three moments of a run, one at least in a dial: each number rings once."""
    seen = kill_again_and_again(tmp_path, people=20, kills=3, lanes=8, seed=1)

    assert seen.kills == 3
    assert seen.in_dial >= 1
    assert seen.rung == [1] * 20
    assert seen.status["totals"]["done"] == 20
    assert (seen.exit_code, seen.status["verdict"]["word"]) == (0, "DONE")
