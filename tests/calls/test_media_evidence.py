"""What was heard, how long it took and why it ended, from the provider's answer to the result."""

import json
from typing import Any, Final

import pytest

from callagent_cli.calls.evidence import Facts, Result, result_of
from callagent_cli.services.conversations import read_conversation
from callagent_cli.worker.steps.follow import facts_of

FLAGS: Final = ("has_audio", "has_user_audio", "has_response_audio")
TRANSCRIPT: Final = [{"role": "agent", "message": "Hello"}, {"role": "user", "message": "Hi"}]
REFUSALS: Final = {
    "no_answer": Result.NO_ANSWER,
    "busy": Result.BUSY,
    "declined": Result.DECLINED,
}


def _result(
    status: str, *, flags: dict[str, Any], metadata: dict[str, Any], said: int = 0
) -> Result:
    """Return the result of a conversation as it is on the wire."""
    body = {**flags, "status": status, "metadata": metadata, "transcript": TRANSCRIPT[:said]}
    conversation = read_conversation(json.dumps(body).encode())
    assert conversation is not None
    return result_of(facts_of(conversation))


def _talk(flags: dict[str, Any], *, said: int = 2, reason: str = "") -> Result:
    metadata = {"call_duration_secs": 40, "termination_reason": reason}
    return _result("done", flags=flags, metadata=metadata, said=said)


@pytest.mark.parametrize("silent", FLAGS)
def test_a_text_that_nobody_heard_is_no_talk(silent: str) -> None:
    """Words of the agent or the person need that side's audio, and any audio at all."""
    heard = dict.fromkeys(FLAGS, True)

    assert _talk(heard) is Result.ANSWERED
    assert _talk({**heard, silent: False}) is Result.UNKNOWN


def test_an_account_that_keeps_no_audio_has_answered_calls_too() -> None:
    """Recording may be off for privacy: then no call has any audio, and that says nothing."""
    unheard = dict.fromkeys(FLAGS, False)

    assert _talk(unheard) is Result.ANSWERED
    assert _talk(unheard, said=0) is Result.SILENT


@pytest.mark.parametrize("nothing", [None, "no", 0])
def test_a_flag_that_is_missing_says_nothing(nothing: object) -> None:
    """Neither for a talk nor against a refusal."""
    declined = {"call_duration_secs": 0, "error": {"error_type": "declined"}}

    for flags in ({}, dict.fromkeys(FLAGS, nothing)):
        assert _talk(flags) is Result.ANSWERED
        assert _talk(flags, said=0) is Result.SILENT
        assert _result("failed", flags=flags, metadata=declined) is Result.DECLINED


def test_an_agent_that_was_heard_without_a_word_is_unknown() -> None:
    """Silent is a call in which the agent was not heard; the person's noises are no words."""
    assert _talk({"has_audio": True, "has_user_audio": True}, said=0) is Result.SILENT
    assert _talk({"has_response_audio": True}, said=0) is Result.UNKNOWN


@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.parametrize("heard", FLAGS)
def test_a_refusal_with_audio_is_unknown(refusal: str, heard: str) -> None:
    """Whoever was heard had picked up, whatever the error is called."""
    metadata = {"call_duration_secs": 45, "error": {"error_type": refusal}}
    unheard = dict.fromkeys(FLAGS, False)

    assert _result("failed", flags=unheard, metadata=metadata) is REFUSALS[refusal]
    assert _result("failed", flags={**unheard, heard: True}, metadata=metadata) is Result.UNKNOWN


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal_that_took_longer_than_any_ringing_is_unknown(refusal: str) -> None:
    """A minute may be the ringing; five are a talk."""
    for duration_s, expected in ((60, REFUSALS[refusal]), (300, Result.UNKNOWN)):
        for named in ({"error": {"error_type": refusal}}, {"phone_call": {"call_result": refusal}}):
            metadata = {"call_duration_secs": duration_s, **named}
            assert _result("failed", flags={}, metadata=metadata) is expected


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("This request exceeds your quota limit.", Result.UNKNOWN),
        ("Missing required dynamic variables in first message: {'owner_name'}", Result.UNKNOWN),
        ("Agent has exceeded its daily call limit of 5.", Result.UNKNOWN),
        ("Internal error", Result.UNKNOWN),
        ("", Result.ANSWERED),
        ("Client disconnected: 1000", Result.ANSWERED),
        ("end_call tool was called", Result.ANSWERED),
        ("Call ended by remote party", Result.ANSWERED),
        ("Conversation reached its maximum duration", Result.ANSWERED),
    ],
)
def test_a_talk_that_the_provider_broke_off_is_unknown(reason: str, expected: Result) -> None:
    """Out of credit or over an error it was no success; how people hang up changes nothing."""
    assert _talk({}, reason=reason) is expected


def test_a_voicemail_stays_one_whether_or_not_it_was_recorded() -> None:
    """The telephony's word for it is neither a success nor a refusal that audio could deny."""
    for audio in (None, False, True):
        facts = Facts(
            status="done",
            call_result="voicemail",
            duration_s=20.0,
            agent_turns=1,
            audio=audio,
            agent_audio=audio,
        )
        assert result_of(facts) is Result.VOICEMAIL
