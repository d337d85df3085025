"""Every rule by which the result of a call is judged, and what no call may be judged to be."""

import re
from typing import Any, Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from callagent_cli.calls.evidence import Facts, Result, result_of, result_of_refusal

NAMED: Final = {
    "voicemail": Result.VOICEMAIL,
    "busy": Result.BUSY,
    "no_answer": Result.NO_ANSWER,
    "declined": Result.DECLINED,
}
UNREACHED: Final = {Result.BUSY, Result.NO_ANSWER, Result.DECLINED}
ERRORS: Final = {
    "": set[Result](),
    "no_answer": {Result.NO_ANSWER},
    "SIP request timed out": {Result.NO_ANSWER},
    "sip status: 480": {Result.NO_ANSWER},
    "SIP 486": {Result.BUSY},
    "the line is busy": {Result.BUSY},
    "sip status: 603": {Result.DECLINED},
    "the call was declined": {Result.DECLINED},
    "busy, then declined": {Result.BUSY, Result.DECLINED},
    "system busy": set[Result](),
    "server busy": set[Result](),
    "service busy": set[Result](),
    "too busy": set[Result](),
    "the server is busy": set[Result](),
    "network is currently busy": set[Result](),
    "all circuits are busy": set[Result](),
    "the provider is too busy": set[Result](),
    "your card was declined": set[Result](),
    "the network is busy (SIP 486)": {Result.BUSY},
    "sip status: 408": {Result.NO_ANSWER},
    "sip status: 600: Busy Everywhere": {Result.BUSY},
    "SIP 480, then SIP 603": {Result.NO_ANSWER, Result.DECLINED},
    "SIP 200, then SIP 480": {Result.NO_ANSWER},
    "system_busy": set[Result](),
    "card declined": set[Result](),
    "payment declined": set[Result](),
    "busyness": set[Result](),
    "order 486": set[Result](),
    "sip 4860": set[Result](),
}
"""A provider's error → what it says of the person's line."""

PICKED_UP: Final = {
    "accepted": Facts(status="failed", accepted=True),
    "the agent spoke": Facts(status="failed", duration_s=1.0, agent_turns=1),
    "the person spoke": Facts(status="failed", duration_s=1.0, user_turns=1),
}

NO_AUDIO_KEPT: Final[dict[str, Any]] = {"audio": False, "user_audio": False, "agent_audio": False}

facts = st.builds(
    Facts,
    status=st.sampled_from(["done", "failed", "processing", ""]),
    call_result=st.sampled_from(["", "answered", "failed", "a word of tomorrow", *NAMED]),
    duration_s=st.floats(0, 1e6),
    agent_turns=st.integers(0, 3),
    user_turns=st.integers(0, 3),
    accepted=st.booleans(),
    audio=st.none() | st.booleans(),
    user_audio=st.none() | st.booleans(),
    agent_audio=st.none() | st.booleans(),
    termination_reason=st.sampled_from(["", "end_call tool was called", "Quota exceeded"]),
    error_type=st.sampled_from(sorted(ERRORS)),
    error_reason=st.sampled_from(sorted(ERRORS)),
)


def _said(given_facts: Facts) -> set[Result]:
    """Return what both fields of the error say together."""
    return ERRORS[given_facts.error_type] | ERRORS[given_facts.error_reason]


@pytest.mark.parametrize("field", ["error_type", "error_reason"])
@pytest.mark.parametrize("error", ERRORS)
def test_what_an_error_says_of_a_line_that_nobody_opened(error: str, field: str) -> None:
    """One meaning is the result, in either field; none or two are unknown."""
    expected = ERRORS[error]
    fields = {"error_type": "", "error_reason": "", field: error}
    result = result_of(
        Facts(
            status="failed",
            error_type=fields["error_type"],
            error_reason=fields["error_reason"],
        )
    )

    assert result is (next(iter(expected)) if len(expected) == 1 else Result.UNKNOWN)


@pytest.mark.parametrize("status", ["done", "failed"])
@pytest.mark.parametrize("word", NAMED)
def test_the_telephonys_word_is_the_result(word: str, status: str) -> None:
    """In any case, with hyphens or blanks, whatever the final status is called."""
    apart = [word.replace("_", "-"), word.replace("_", " "), word.replace("_", "")]
    spellings = [word, word.upper(), f" {word}\n", *apart]
    results = {result_of(Facts(status=status, call_result=each)) for each in spellings}

    assert results == {NAMED[word]}


@pytest.mark.parametrize("word", NAMED)
@pytest.mark.parametrize("error", ERRORS)
def test_a_word_that_the_error_contradicts_is_unknown(word: str, error: str) -> None:
    """An error that says the same, or nothing, leaves the word as it is."""
    result = result_of(Facts(status="failed", call_result=word, error_reason=error))

    assert result is (NAMED[word] if ERRORS[error] <= {NAMED[word]} else Result.UNKNOWN)


@pytest.mark.parametrize("why", PICKED_UP)
@pytest.mark.parametrize("word", [*NAMED, "answered", ""])
def test_a_line_that_was_open_was_neither_busy_nor_declined(word: str, why: str) -> None:
    """Only a voicemail picks up; any other word contradicts what happened."""
    opened = PICKED_UP[why]
    result = result_of(
        Facts(
            status=opened.status,
            call_result=word,
            duration_s=opened.duration_s,
            agent_turns=opened.agent_turns,
            user_turns=opened.user_turns,
            accepted=opened.accepted,
        )
    )

    assert result is (Result.VOICEMAIL if word == "voicemail" else Result.UNKNOWN)


@pytest.mark.parametrize(
    ("duration_s", "agent_turns", "user_turns", "expected"),
    [
        (0.0, 0, 0, Result.UNKNOWN),
        (0.0, 2, 2, Result.UNKNOWN),
        (0.1, 1, 0, Result.ANSWERED),
        (9.0, 0, 1, Result.SILENT),
        (9.0, 0, 0, Result.SILENT),
        (9.0, 1, 1, Result.ANSWERED),
    ],
)
@pytest.mark.parametrize("word", ["", "answered", "a word of tomorrow"])
def test_a_call_that_ended_well_is_one_in_which_the_agent_spoke(
    duration_s: float, agent_turns: int, user_turns: int, *, expected: Result, word: str
) -> None:
    """Words take time: a talk of no duration is a contradiction, and no success."""
    ended = Facts(
        status="done",
        call_result=word,
        duration_s=duration_s,
        agent_turns=agent_turns,
        user_turns=user_turns,
    )

    assert result_of(ended) is expected


@pytest.mark.parametrize("error", ERRORS)
def test_a_talk_with_an_error_that_denies_it_is_unknown(error: str) -> None:
    """Forty seconds of words, and a line that was busy: one of the two is wrong."""
    result = result_of(
        Facts(status="done", duration_s=40.0, agent_turns=3, user_turns=3, error_reason=error)
    )

    assert result is (Result.UNKNOWN if ERRORS[error] else Result.ANSWERED)


@pytest.mark.parametrize("status", ["408", "480", "486", "600", "603", "404", "503"])
def test_a_status_of_the_network_means_the_same_in_a_code_and_in_a_text(status: str) -> None:
    """Whether the dial is refused with it, or the call ends with it."""
    said = result_of(Facts(status="failed", error_reason=f"INVITE failed: sip status: {status}"))

    assert said is (result_of_refusal(f"sip_{status}") or Result.UNKNOWN)


@given(facts)
@example(Facts(status="done", duration_s=1.0, agent_turns=1, **NO_AUDIO_KEPT))
@example(Facts(status="done", duration_s=1.0, **NO_AUDIO_KEPT))
def test_nobody_is_answered_without_a_talk(given_facts: Facts) -> None:
    """Answered and silent are done, and lasted; in the one the agent spoke, in the other not.

    An account that keeps no audio of anybody denies nothing with that.
    """
    result = result_of(given_facts)
    is_kept = any(getattr(given_facts, name) is not False for name in NO_AUDIO_KEPT)

    if result in {Result.ANSWERED, Result.SILENT}:
        assert given_facts.status == "done"
        assert given_facts.duration_s > 0
        assert given_facts.call_result not in {"failed", *NAMED}
        assert not _said(given_facts)
        assert (given_facts.agent_turns > 0) == (result is Result.ANSWERED)
        assert not is_kept or given_facts.agent_audio is not (result is Result.SILENT)
        assert "Quota" not in given_facts.termination_reason
    if result is Result.ANSWERED:
        assert not is_kept or given_facts.audio is not False


@given(facts)
def test_nobody_is_unreached_without_a_word_for_it(given_facts: Facts) -> None:
    """Busy, no answer and declined are named by the telephony or the error, and by no other."""
    result = result_of(given_facts)
    named = NAMED.get(given_facts.call_result)

    if result in UNREACHED:
        assert result is named or _said(given_facts) == {result}
        assert _said(given_facts) <= {result}
        assert not given_facts.accepted
        assert True not in {given_facts.audio, given_facts.user_audio, given_facts.agent_audio}
        assert given_facts.duration_s <= 120
        assert given_facts.duration_s == 0 or not (
            given_facts.agent_turns or given_facts.user_turns
        )
    if result is Result.VOICEMAIL:
        assert named is Result.VOICEMAIL
        assert not _said(given_facts)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("busy", Result.BUSY),
        ("sip_486", Result.BUSY),
        ("sip_600", Result.BUSY),
        ("no_answer", Result.NO_ANSWER),
        ("sip_timeout", Result.NO_ANSWER),
        ("sip_408", Result.NO_ANSWER),
        ("sip_480", Result.NO_ANSWER),
        ("declined", Result.DECLINED),
        ("sip_603", Result.DECLINED),
        ("sip_404", None),
        ("system_busy", None),
        ("BUSY", None),
        ("", None),
    ],
)
def test_what_the_code_of_a_refused_dial_says(code: str, expected: Result | None) -> None:
    """A code that is about no line has no result: that dial is a failed one."""
    assert result_of_refusal(code) is expected


@given(st.text())
def test_no_other_code_is_about_the_line(code: str) -> None:
    """A refusal never says that somebody was reached."""
    assert result_of_refusal(code) in {None, *UNREACHED}
    assert result_of_refusal(code) is None or re.fullmatch(r"[a-z_0-9]+", code)


@pytest.mark.parametrize(
    "reason",
    [
        "voicemail_detection tool was called",
        "Call ended by voicemail detection",
        "Voice mail detected",
        "answering machine",
    ],
)
def test_a_talk_that_the_agent_ended_at_a_machine_reached_nobody(reason: str) -> None:
    """The agent spoke, and so did the machine: that is no success, and may be dialed again."""
    talk: dict[str, Any] = {
        "status": "done",
        "agent_turns": 1,
        "user_turns": 1,
        "termination_reason": reason,
    }

    assert result_of(Facts(**talk, duration_s=20.0)) is Result.VOICEMAIL
    assert result_of(Facts(**talk, duration_s=20.0, call_result="voicemail")) is Result.VOICEMAIL
    assert result_of(Facts(**talk, duration_s=20.0, call_result="answered")) is Result.UNKNOWN
    assert result_of(Facts(**talk, duration_s=0.0)) is Result.UNKNOWN
