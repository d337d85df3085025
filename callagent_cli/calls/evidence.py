"""What became of a conversation, judged by what happened and not by what it is called."""

import re
from enum import StrEnum
from typing import Final

import msgspec


class Result(StrEnum):
    """How a placed call ended, for the person called."""

    ANSWERED = "answered"
    VOICEMAIL = "voicemail"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    DECLINED = "declined"
    SILENT = "silent"
    UNKNOWN = "unknown"


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says of a call that has ended.

    `status` is its own final word, `call_result` its telephony's; `agent_turns` and `user_turns`
    count what was said by either side; `accepted` says that somebody, or something, picked up.
    `agent_audio` and `user_audio` say whether that side was heard, `audio` whether any was; None
    says nothing. `termination_reason` is why a talk ended, in the provider's words.
    """

    status: str
    call_result: str = ""
    duration_s: float = 0.0
    agent_turns: int = 0
    user_turns: int = 0
    accepted: bool = False
    audio: bool | None = None
    user_audio: bool | None = None
    agent_audio: bool | None = None
    termination_reason: str = ""
    error_type: str = ""
    error_reason: str = ""


_BY_CALL_RESULT: Final = {
    "voicemail": Result.VOICEMAIL,
    "voice_mail": Result.VOICEMAIL,
    "busy": Result.BUSY,
    "no_answer": Result.NO_ANSWER,
    "noanswer": Result.NO_ANSWER,
    "declined": Result.DECLINED,
}
_NOT_LETTERS: Final = re.compile(r"[^a-z]+")

_BY_SIP_STATUS: Final = {
    "408": Result.NO_ANSWER,
    "480": Result.NO_ANSWER,
    "486": Result.BUSY,
    "600": Result.BUSY,
    "603": Result.DECLINED,
}
"""What a telephone network says of the line: RFC 3261, 21."""

_SIP_STATUS: Final = re.compile(r"\bsip\b\D{0,9}(\d{3})\b")
_NOT_THE_PERSON: Final = re.compile(
    r"\b(?:system|server|service|network|provider|carrier|gateway|switch)"
    r"(?: is| are)?(?: too| currently| temporarily)* busy\b"
    r"|\ball (?:the )?(?:circuits|lines|trunks|channels|agents)(?: are)?"
    r"(?: currently| temporarily)* busy\b"
    r"|\btoo busy\b"
    r"|\b(?:card|payment)(?: was| is| has been)? declined\b"
)
"""A provider that is busy itself, or is not paid, says nothing of the person's line."""

_BY_WORD: Final = (
    (re.compile(r"no_answer|request timed out"), Result.NO_ANSWER),
    (re.compile(r"\bbusy\b"), Result.BUSY),
    (re.compile(r"\bdeclined\b"), Result.DECLINED),
)
_BY_REFUSAL: Final = {
    "busy": Result.BUSY,
    "no_answer": Result.NO_ANSWER,
    "sip_timeout": Result.NO_ANSWER,
    "declined": Result.DECLINED,
    **{f"sip_{status}": result for status, result in _BY_SIP_STATUS.items()},
}

_LONGEST_RING_S: Final = 120.0
"""No phone rings for longer: a call that lasted longer had somebody, or something, on the line."""

_BROKEN_OFF: Final = re.compile(r"\bquota\b|\bdaily call limit\b|\bmissing required\b|\berror\b")
"""What a provider says of a talk that it ended itself, because it could not go on."""

_MACHINE: Final = re.compile(r"(?:\b|_)voice[ _-]?mail|\banswering machine\b")
"""What it says when a tool of the agent's has ended it: `voicemail_detection tool was called`."""


def result_of(facts: Facts) -> Result:
    """Return the result; contradictions are `unknown`, never a success and never a refusal."""
    call_result = _NOT_LETTERS.sub("_", facts.call_result.lower()).strip("_")
    errors = _results_in(facts)
    if call_result in _BY_CALL_RESULT:
        named = _BY_CALL_RESULT[call_result]
        contradicted = errors - {named} or (named is not Result.VOICEMAIL and _picked_up(facts))
        return Result.UNKNOWN if contradicted else named
    if facts.status == "done":
        contradicted = errors or call_result == "failed" or _unheard(facts)
        if contradicted or _broken_off(facts):
            return Result.UNKNOWN
        return _left_a_message(_ended(facts), call_result) if _by_machine(facts) else _ended(facts)
    if _picked_up(facts) or call_result == "answered":
        return Result.UNKNOWN
    return errors.pop() if len(errors) == 1 else Result.UNKNOWN


def result_of_refusal(code: str) -> Result | None:
    """Return what a dial refused with this code says of the person's line; None for nothing.

    A busy line is no failed call: the dial rules decide when it is tried again.
    """
    return _BY_REFUSAL.get(code)


def _picked_up(facts: Facts) -> bool:
    """Say whether anything shows that the line was open: a moment, words, audio, or its length."""
    spoke = facts.duration_s > 0 and (facts.agent_turns > 0 or facts.user_turns > 0)
    heard = facts.audio or facts.user_audio or facts.agent_audio
    return facts.accepted or spoke or bool(heard) or facts.duration_s > _LONGEST_RING_S


def _unheard(facts: Facts) -> bool:
    """Say whether words and audio deny each other: a text that nobody heard, or heard as silence.

    The person's silence in the text denies nothing: a sound need not be a word. Where no side has
    any audio the account keeps none, as its privacy settings may want: that says nothing.
    """
    if not any(audio is not False for audio in (facts.audio, facts.user_audio, facts.agent_audio)):
        return False
    if facts.agent_audio and not facts.agent_turns:
        return True
    agent_unheard = facts.agent_turns > 0 and False in {facts.audio, facts.agent_audio}
    user_unheard = facts.user_turns > 0 and False in {facts.audio, facts.user_audio}
    return agent_unheard or user_unheard


def _broken_off(facts: Facts) -> bool:
    """Say whether the provider itself ended the talk, out of credit or over an error."""
    return _BROKEN_OFF.search(facts.termination_reason.lower()) is not None


def _by_machine(facts: Facts) -> bool:
    """Say whether the talk ended because the agent heard an answering machine."""
    return _MACHINE.search(facts.termination_reason.lower()) is not None


def _left_a_message(ended: Result, call_result: str) -> Result:
    """Return what a talk with a machine was; one that lasted no time, or was answered, is none."""
    contradicted = ended is Result.UNKNOWN or call_result == "answered"
    return Result.UNKNOWN if contradicted else Result.VOICEMAIL


def _ended(facts: Facts) -> Result:
    """Judge a call that ended well: one in which the agent never spoke was none."""
    if facts.duration_s <= 0:
        return Result.UNKNOWN
    return Result.ANSWERED if facts.agent_turns > 0 else Result.SILENT


def _results_in(facts: Facts) -> set[Result]:
    """Return what the provider's error says of the person's line."""
    text = f"{facts.error_type} {facts.error_reason}".lower()
    text = _NOT_THE_PERSON.sub("", text)
    found = {result for word, result in _BY_WORD if word.search(text)}
    statuses = _SIP_STATUS.findall(text)
    return found | {_BY_SIP_STATUS[each] for each in statuses if each in _BY_SIP_STATUS}
