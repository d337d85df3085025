"""The diagram of a call's states."""

from callagent_cli.calls.model import (
    BEFORE_DIAL,
    FINAL_STATES,
    LEGAL_MOVES,
    NEXT_STEP,
    OPEN_DIALS,
    RUNG,
    CallState,
    DialStatus,
    Step,
)
from callagent_cli.masking import mask


def test_every_state_has_its_moves() -> None:
    """No state is forgotten in the diagram."""
    assert set(LEGAL_MOVES) == set(CallState)


def test_every_state_but_excluded_can_be_reached() -> None:
    """Excluded is decided at the import; pending is where calls begin."""
    reached = frozenset().union(*LEGAL_MOVES.values())

    assert set(CallState) - reached == {CallState.EXCLUDED}


def test_only_a_lane_fails_a_call() -> None:
    """Whatever waits does not fail by waiting; a person may fail what is in review."""
    failing = {state for state, moves in LEGAL_MOVES.items() if CallState.FAILED in moves}

    assert failing == {
        CallState.ACTIVE,
        CallState.BACKOFF,
        CallState.RECONCILING,
        CallState.REVIEW,
    }


def test_done_and_excluded_are_the_end() -> None:
    """Nobody, not even a person, takes such a call back."""
    assert {state for state in FINAL_STATES if not LEGAL_MOVES[state]} == {
        CallState.DONE,
        CallState.EXCLUDED,
    }


def test_a_waiting_call_begins_again_in_a_lane() -> None:
    """Parked and scheduled calls become active, or are cancelled."""
    for state in (CallState.PARKED, CallState.SCHEDULED):
        assert LEGAL_MOVES[state] - {state} == {CallState.ACTIVE, CallState.CANCELLED}


def test_the_steps_follow_each_other_from_look_up_to_record() -> None:
    """One way, in the order of DESIGN.md."""
    way = [Step.LOOK_UP]
    while (following := NEXT_STEP[way[-1]]) is not None:
        way.append(following)

    assert way == list(Step)


def test_the_dial_divides_the_steps() -> None:
    """Before it, the dial, and after the phone has rung: each step is one of them."""
    assert set(BEFORE_DIAL) | {Step.DIAL} | set(RUNG) == set(Step)
    assert not BEFORE_DIAL & RUNG


def test_a_dial_is_open_until_it_is_placed_refused_or_absent() -> None:
    """Intent, unproven and unknown may have rung."""
    assert set(DialStatus) - OPEN_DIALS == {
        DialStatus.PLACED,
        DialStatus.REFUSED,
        DialStatus.ABSENT,
    }


def test_a_masked_number_shows_its_last_three_digits() -> None:
    """No log needs more."""
    assert (mask("+12125550147"), mask("")) == ("…147", "")
