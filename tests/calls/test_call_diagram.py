"""The diagram of a call's states arrow by arrow, and what a log shows of a number."""

from collections.abc import Iterable
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callagent_cli.calls.model import (
    FINAL_STATES,
    LEGAL_MOVES,
    NEXT_STEP,
    CallState,
    Step,
)
from callagent_cli.masking import mask

ANYWHERE: Final = "pending active backoff parked reconciling scheduled done failed review cancelled"
ARROWS: Final = {
    "pending": "active scheduled cancelled",
    "active": ANYWHERE,
    "backoff": ANYWHERE,
    "parked": "active parked cancelled",
    "reconciling": ANYWHERE,
    "scheduled": "active scheduled cancelled",
    "done": "",
    "failed": "pending parked review done",
    "review": "pending parked done failed",
    "excluded": "",
    "cancelled": "pending",
}
"""State → the states that DESIGN.md lets it move to."""

UNFINISHED: Final = sorted(set(CallState) - FINAL_STATES)


def _reachable(start: CallState, without: Iterable[CallState] = ()) -> set[CallState]:
    """Return every state that a call in `start` can come to, never passing `without`."""
    seen, ahead = {start}, [start]
    while ahead:
        for state in LEGAL_MOVES[ahead.pop()] - seen - set(without):
            seen.add(state)
            ahead.append(state)
    return seen


@pytest.mark.parametrize("old", CallState)
@pytest.mark.parametrize("new", CallState)
def test_each_arrow_of_the_diagram(old: CallState, new: CallState) -> None:
    """Every pair of states is an arrow, or is none, as DESIGN.md says."""
    assert (new in LEGAL_MOVES[old]) == (new.value in ARROWS[old.value].split())


@pytest.mark.parametrize("state", UNFINISHED)
def test_a_call_that_is_not_over_can_be_finished_and_cancelled(state: CallState) -> None:
    """It comes to done without a person's help, and a person can cancel it at once."""
    assert CallState.DONE in _reachable(state, FINAL_STATES - {CallState.DONE})
    assert CallState.CANCELLED in LEGAL_MOVES[state]


@pytest.mark.parametrize("state", sorted(FINAL_STATES))
def test_a_call_that_is_over_is_never_worked_on_at_once(state: CallState) -> None:
    """A requeue makes it pending or parked first: the worker claims it like any other."""
    assert not LEGAL_MOVES[state] & {
        CallState.ACTIVE,
        CallState.BACKOFF,
        CallState.RECONCILING,
        CallState.SCHEDULED,
    }


@given(choices=st.lists(st.integers(0, 99), max_size=60), start=st.sampled_from(UNFINISHED))
def test_no_way_through_the_diagram_leaves_it(choices: list[int], start: CallState) -> None:
    """Whatever happens to a call that was not excluded at the import, it never becomes so."""
    state = start
    for choice in choices:
        moves = sorted(LEGAL_MOVES[state])
        if not moves:
            assert state is CallState.DONE
            return
        state = moves[choice % len(moves)]

        assert state is not CallState.EXCLUDED


@pytest.mark.parametrize(
    ("step", "following"),
    [
        (Step.LOOK_UP, Step.COMPOSE),
        (Step.COMPOSE, Step.DIAL),
        (Step.DIAL, Step.FOLLOW),
        (Step.FOLLOW, Step.RECORD),
        (Step.RECORD, None),
    ],
)
def test_each_step_has_one_that_follows(step: Step, following: Step | None) -> None:
    """The record is the last one; no step comes twice."""
    assert NEXT_STEP[step] is following


@given(number=st.text() | st.from_regex(r"\+[1-9][0-9]{0,14}", fullmatch=True))
def test_a_masked_number_never_shows_more_than_three_digits(number: str) -> None:
    """Of any text at all its last three characters are shown, and only those."""
    shown = mask(number)

    assert sum(character.isdigit() for character in shown) <= 3
    assert shown == ("…" + number[-3:] if number else "")


@given(last=st.integers(100, 199))
def test_a_masked_number_does_not_contain_the_number(last: int) -> None:
    """Neither its country nor its area is left."""
    shown = mask(f"+12125550{last}")

    assert shown == f"…{last}"
    assert "212" not in shown.removesuffix(str(last))
