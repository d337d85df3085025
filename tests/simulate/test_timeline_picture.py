"""The picture of a rehearsal: nothing that happened is painted over or cut in two."""

import re
from typing import Literal

import pytest

from callagent_cli.cli.simulate.timeline import Timeline
from callagent_cli.durations import duration_text
from callagent_cli.events import BreakerChanged, CallChanged, HealthChecked
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


def test_calls_that_wait_are_seen_where_there_are_too_many_for_a_row_each() -> None:
    """Thirty calls that park and stay are no empty picture, also after a kill."""
    scenario = load_scenario(
        next(path for path in library() if path.stem == "crm-auth-401")
    ).scenario
    timeline = Timeline(scenario)
    for number in range(25):
        for at_s, old, new in ((10.0, "pending", "active"), (20.0, "active", "parked")):
            moved = CallChanged(call=f"call_{number:06}", old=old, new=new, step="dial", reason="")
            timeline.take(at_s, moved)
    for old, new in (("pending", "reconciling"), ("reconciling", "done")):
        moved = CallChanged(call="call_000000", old=old, new=new, step="dial", reason="")
        timeline.take(40.0 if new == "done" else 30.0, moved)

    rows = {row[:22].strip(): row[22:] for row in timeline.rows(100.0, 122)}

    assert rows["calls pending"] == "+" * 11 + "5" * 89
    assert rows["calls parked"] == " " * 20 + "+" * 80
    assert rows["calls reconciling"] == " " * 30 + "1" * 11
    assert rows["calls done"] == " " * 40 + "1"
