"""The judge of trials sees every two that overlap, and looks at few."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from judge_worlds import attempt, breaker, world

from callagent_cli.settings import Settings
from callagent_cli.simulation.judge.evidence import TOLERANCE_S
from callagent_cli.simulation.judge.trials import TrialsAtMost1

Trial = tuple[float, float]
"""When it began, and how long it took."""

TRIALS = st.lists(
    st.tuples(
        st.integers(0, 12).map(float),
        st.sampled_from([0.0, TOLERANCE_S / 2, 0.5, 3.0, 6.0]),
    ),
    max_size=8,
)


def first_too_many(trials: list[Trial], limit: int) -> str:
    """Look at every trial and all that began before it; the trials stand as they ended."""
    begun = sorted((from_s, order, for_s) for order, (from_s, for_s) in enumerate(trials))
    for number, (from_s, _, for_s) in enumerate(begun):
        others = sum(
            since_s + lasted_s > from_s + TOLERANCE_S and from_s + for_s > since_s + TOLERANCE_S
            for since_s, _, lasted_s in begun[:number]
        )
        if others >= limit:
            return f"elevenlabs had {others + 1} trials at {from_s:.1f} s"
    return ""


@given(TRIALS, st.integers(1, 3))
def test_too_many_at_once_are_seen_whenever_they_end(trials: list[Trial], limit: int) -> None:
    """Short or long, within one another or across: as if all were compared with all."""
    trials = sorted(trials, key=lambda trial: trial[0] + trial[1])
    policy = {"policy": {"breaker": {"trials": limit}}}
    settings = msgspec.convert({"services": {"elevenlabs": policy}}, Settings)
    ended = [(from_s + for_s, attempt(duration_s=for_s, trial=True)) for from_s, for_s in trials]

    broken = world((0.0, breaker("open", "half_open")), *ended, settings=settings).broken(
        "trials_at_most_1"
    )

    assert ("" if broken is None else broken.text) == first_too_many(trials, limit)


def test_a_spinning_world_is_judged_as_fast_as_it_spins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials that are over at once are compared with no other such trial."""
    compared = 0
    overlap = TrialsAtMost1._overlap

    def counted(*given: object) -> bool:
        nonlocal compared
        compared += 1
        return overlap(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(TrialsAtMost1, "_overlap", counted)
    spinning = [(5.0, attempt(duration_s=0.0, trial=True))] * 2_000

    assert world((0.0, breaker("open", "half_open")), *spinning).broken("trials_at_most_1") is None
    assert compared == 0
