"""What became of a call, from what happened in it; and whether the person is dialed again."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callagent_cli.calls.dial_rules import after
from callagent_cli.calls.evidence import Facts, Result, result_of
from callagent_cli.settings import Dialing, Redial

TALK = {"status": "done", "duration_s": 40.0, "agent_turns": 3, "user_turns": 3}
FAILED = {"status": "failed"}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (TALK, Result.ANSWERED),
        ({**TALK, "call_result": "answered", "accepted": True}, Result.ANSWERED),
        ({**TALK, "user_turns": 0}, Result.ANSWERED),
        ({**TALK, "agent_turns": 0}, Result.SILENT),
        ({**TALK, "agent_turns": 0, "user_turns": 0}, Result.SILENT),
        ({**TALK, "duration_s": 0.0}, Result.UNKNOWN),
        ({**TALK, "call_result": "failed"}, Result.UNKNOWN),
        ({**TALK, "call_result": "voicemail"}, Result.VOICEMAIL),
        ({**TALK, "call_result": "busy"}, Result.UNKNOWN),
        ({**TALK, "call_result": "no_answer", "user_turns": 0}, Result.UNKNOWN),
        ({**TALK, "status": "failed"}, Result.UNKNOWN),
        ({**FAILED, "call_result": "busy"}, Result.BUSY),
        ({**FAILED, "call_result": "No-Answer"}, Result.NO_ANSWER),
        ({**FAILED, "call_result": "declined"}, Result.DECLINED),
        ({**FAILED, "call_result": "declined", "accepted": True}, Result.UNKNOWN),
        ({**FAILED, "call_result": "no_answer", "error_type": "busy"}, Result.UNKNOWN),
        ({**FAILED, "call_result": "voicemail", "error_type": "no_answer"}, Result.UNKNOWN),
        ({**FAILED, "call_result": "answered", "error_type": "no_answer"}, Result.UNKNOWN),
        ({**FAILED, "call_result": "failed", "error_type": "declined"}, Result.DECLINED),
        ({**FAILED, "error_type": "no_answer"}, Result.NO_ANSWER),
        ({**FAILED, "error_type": "no_answer", "accepted": True}, Result.UNKNOWN),
        ({**FAILED, "error_reason": "sip request timed out"}, Result.NO_ANSWER),
        ({**FAILED, "error_reason": "INVITE failed: sip status: 486: Busy Here"}, Result.BUSY),
        ({**FAILED, "error_reason": "INVITE failed: sip status: 603: Decline"}, Result.DECLINED),
        ({**FAILED, "error_reason": "sip status: 480"}, Result.NO_ANSWER),
        ({**FAILED, "error_reason": "sip status: 486, then declined"}, Result.UNKNOWN),
        ({**FAILED, "error_reason": "request id 4861480603"}, Result.UNKNOWN),
        ({**FAILED, "error_type": "system_busy"}, Result.UNKNOWN),
        ({**FAILED, "error_reason": "Server busy, try again"}, Result.UNKNOWN),
        ({**FAILED, "error_reason": "payment declined"}, Result.UNKNOWN),
        (FAILED, Result.UNKNOWN),
        ({"status": "in-progress"}, Result.UNKNOWN),
    ],
)
def test_the_evidence_decides(facts: dict[str, Any], expected: Result) -> None:
    """Duration, words and the provider's fields must agree; what contradicts itself is unknown."""
    assert result_of(Facts(**facts)) is expected


@given(
    status=st.sampled_from(["done", "failed", "processing", ""]),
    call_result=st.sampled_from(
        ["", "answered", "voicemail", "busy", "no_answer", "declined", "failed", "new word"]
    ),
    duration_s=st.floats(0, 1e6),
    agent_turns=st.integers(0, 5),
    user_turns=st.integers(0, 5),
    accepted=st.booleans(),
    error=st.sampled_from(["", "busy", "no_answer", "declined", "busy, declined"]),
)
def test_a_refusal_needs_a_line_that_nobody_opened(
    status: str,
    call_result: str,
    *,
    duration_s: float,
    agent_turns: int,
    user_turns: int,
    accepted: bool,
    error: str,
) -> None:
    """No call in which somebody spoke is busy, declined or unanswered; no success is empty."""
    result = result_of(
        Facts(
            status=status,
            call_result=call_result,
            duration_s=duration_s,
            agent_turns=agent_turns,
            user_turns=user_turns,
            accepted=accepted,
            error_type=error,
        )
    )

    spoke = duration_s > 0 and agent_turns + user_turns > 0
    if spoke or accepted:
        assert result not in {Result.BUSY, Result.NO_ANSWER, Result.DECLINED}
    if result is Result.ANSWERED:
        assert status == "done"
        assert duration_s > 0
        assert agent_turns > 0


@pytest.mark.parametrize(
    ("result", "minutes"),
    [
        (Result.NO_ANSWER, 60),
        (Result.BUSY, 15),
        (Result.VOICEMAIL, 240),
        (Result.DECLINED, None),
        (Result.ANSWERED, None),
        (Result.SILENT, None),
        (Result.UNKNOWN, None),
    ],
)
def test_the_dial_rules_by_default(result: Result, minutes: int | None) -> None:
    """Each result has its delay; declined, talked to and unknown are never dialed again."""
    decision = after(result, 1, Dialing())

    assert decision.again is (minutes is not None)
    assert decision.delay_s == (minutes or 0) * 60


@given(result=st.sampled_from(Result), dials=st.integers(0, 20), most=st.integers(1, 10))
def test_nobody_is_dialed_more_often_than_allowed(result: Result, dials: int, most: int) -> None:
    """Whatever the results were, the limit counts all dials of a person."""
    rules = Dialing(max_dials=most, redial=Redial(declined_min=5))

    assert not (after(result, dials, rules).again and dials >= most)
