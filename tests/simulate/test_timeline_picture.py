"""The picture of a rehearsal: nothing that happened is painted over or cut in two."""

import re
from typing import Literal

import pytest

from callagent_cli.cli.simulate.timeline import Timeline
from callagent_cli.durations import duration_text
from callagent_cli.events import BreakerChanged, HealthChecked
from callagent_cli.simulation.scenario.loader import library, load_scenario

State = Literal["closed", "open", "half_open"]
SCENARIO = load_scenario(next(path for path in library() if path.stem == "elevenlabs-503")).scenario


def _timeline(*moves: tuple[float, State]) -> Timeline:
    timeline = Timeline(SCENARIO)
    check = HealthChecked(service="elevenlabs", health="healthy", duration_s=0.1, next_check_s=10.0)
    timeline.take(0.0, check)
    for at_s, state in moves:
        moved = BreakerChanged(service="elevenlabs", old="closed", new=state, reason="a test")
        timeline.take(at_s, moved)
    return timeline


def test_a_state_shorter_than_a_column_is_seen() -> None:
    """Half-open for a moment is what an operator looks for."""
    timeline = _timeline((400.0, "open"), (610.2, "half_open"), (610.4, "closed"))

    row = next(row for row in timeline.rows(1000.0, 122) if "breaker" in row)

    assert re.search("─+█+▒─+$", row)


@pytest.mark.parametrize("width", [60, 80, 101, 120, 200])
@pytest.mark.parametrize("ended_at_s", [59.0, 1562.0, 100_000.0])
def test_no_instant_of_the_ruler_is_cut_in_two(width: int, ended_at_s: float) -> None:
    """`|25` is not a short `|25m9s`."""
    ruler = next(iter(_timeline().rows(ended_at_s, width)))[22:]
    columns = width - 22

    ticks = [ruler[at.start() + 1 :].split("|")[0].strip() for at in re.finditer(r"\|", ruler)]

    starts = [at.start() for at in re.finditer(r"\|", ruler)]
    expected = [duration_text(float(round(each * ended_at_s / columns))) for each in starts]
    assert len(ruler) <= columns
    assert ticks == expected
