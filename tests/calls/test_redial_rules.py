"""How often a person is dialed, and how much later."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callagent_cli.calls.dial_rules import after
from callagent_cli.calls.evidence import Result
from callagent_cli.settings import Dialing, Redial

DEFAULT_MINUTES = {Result.NO_ANSWER: 60, Result.BUSY: 15, Result.VOICEMAIL: 240}


@pytest.mark.parametrize("result", Result)
def test_only_who_was_not_reached_is_dialed_again(result: Result) -> None:
    """By default after no answer, a busy line and a voicemail; not after a decline."""
    decision = after(result, 1, Dialing())

    assert decision.again == (result in DEFAULT_MINUTES)
    assert decision.delay_s == DEFAULT_MINUTES.get(result, 0) * 60


def test_the_last_dial_is_the_last() -> None:
    """At most three dials by default, and the reason says so."""
    assert after(Result.NO_ANSWER, 2, Dialing()).again
    last = after(Result.NO_ANSWER, 3, Dialing())

    assert (last.again, last.reason) == (False, "no_answer after 3 dials")


@given(
    result=st.sampled_from(Result),
    dials=st.integers(0, 20),
    max_dials=st.integers(1, 10),
    minutes=st.none() | st.floats(0.1, 1e4),
    scale=st.floats(1e-3, 1),
)
def test_nobody_is_ever_dialed_beyond_the_limit(
    result: Result, dials: int, max_dials: int, minutes: float | None, scale: float
) -> None:
    """For any rules: never beyond the limit, never without a wait, never when switched off."""
    redial = Redial(
        no_answer_min=minutes, busy_min=minutes, voicemail_min=minutes, declined_min=minutes
    )
    decision = after(result, dials, Dialing(max_dials=max_dials, redial=redial), scale=scale)

    if decision.again:
        assert dials < max_dials
        assert minutes is not None
        assert decision.delay_s == pytest.approx(minutes * 60 * scale)
    assert decision.reason
