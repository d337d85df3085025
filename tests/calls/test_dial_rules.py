"""How often a person is dialed, and how much later: each result with each number of dials."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callagent_cli.calls.dial_rules import after
from callagent_cli.calls.evidence import Result
from callagent_cli.settings import Dialing, Redial

MINUTES: Final = {
    Result.NO_ANSWER: 7.0,
    Result.BUSY: 11.0,
    Result.VOICEMAIL: 13.0,
    Result.DECLINED: 17.0,
}
BY_DEFAULT: Final = {Result.NO_ANSWER: 60, Result.BUSY: 15, Result.VOICEMAIL: 240}
ALL: Final = Redial(no_answer_min=7.0, busy_min=11.0, voicemail_min=13.0, declined_min=17.0)
NEVER: Final = Redial(no_answer_min=None, busy_min=None, voicemail_min=None, declined_min=None)


@pytest.mark.parametrize("result", Result)
@pytest.mark.parametrize("dials", range(7))
@pytest.mark.parametrize("max_dials", [1, 3, 5])
def test_each_result_after_each_number_of_dials(result: Result, dials: int, max_dials: int) -> None:
    """Each result has its own delay until the limit is reached; the others end the call."""
    decision = after(result, dials, Dialing(max_dials=max_dials, redial=ALL))
    again = result in MINUTES and dials < max_dials

    assert decision.again is again
    assert decision.delay_s == (MINUTES[result] * 60 if again else 0.0)


@pytest.mark.parametrize("result", Result)
def test_a_delay_that_is_switched_off_ends_the_call(result: Result) -> None:
    """`null` means never: the reason is the result alone, not that dials are used up."""
    decision = after(result, 1, Dialing(redial=NEVER))

    assert (decision.again, decision.delay_s, decision.reason) == (False, 0.0, result.value)


@pytest.mark.parametrize("result", sorted(MINUTES))
def test_the_reason_says_whether_the_dials_are_used_up(result: Result) -> None:
    """A person reads it in the list of calls."""
    rules = Dialing(max_dials=2, redial=ALL)

    assert after(result, 1, rules).reason == f"{result.value}, again"
    assert after(result, 2, rules).reason == f"{result.value} after 2 dials"
    assert after(result, 9, rules).reason == f"{result.value} after 9 dials"


def test_a_decline_is_dialed_again_only_by_a_setting() -> None:
    """By default a decline is an answer."""
    assert not after(Result.DECLINED, 1, Dialing()).again
    assert after(Result.DECLINED, 1, Dialing(redial=Redial(declined_min=5.0))).delay_s == 300.0


@given(
    result=st.sampled_from(Result),
    dials=st.integers(0, 20),
    max_dials=st.integers(1, 10),
    scale=st.floats(1e-6, 1e3),
)
def test_scale_changes_the_delay_and_nothing_else(
    result: Result, dials: int, max_dials: int, scale: float
) -> None:
    """The sandbox decides as the real run does, only faster."""
    rules = Dialing(max_dials=max_dials, redial=ALL)
    plain, scaled = after(result, dials, rules), after(result, dials, rules, scale=scale)

    assert (scaled.again, scaled.reason) == (plain.again, plain.reason)
    assert scaled.delay_s == pytest.approx(plain.delay_s * scale)


@given(results=st.lists(st.sampled_from(sorted(MINUTES)), min_size=12), most=st.integers(1, 10))
def test_no_series_of_results_leads_beyond_the_limit(results: list[Result], most: int) -> None:
    """A person who is never reached is dialed exactly as often as allowed."""
    dials = 0
    for result in results:
        dials += 1
        if not after(result, dials, Dialing(max_dials=most, redial=ALL)).again:
            break

    assert dials == most


@pytest.mark.parametrize("result", Result)
def test_only_who_was_not_reached_is_dialed_again(result: Result) -> None:
    """By default after no answer, a busy line and a voicemail; not after a decline."""
    decision = after(result, 1, Dialing())

    assert decision.again == (result in BY_DEFAULT)
    assert decision.delay_s == BY_DEFAULT.get(result, 0) * 60


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
