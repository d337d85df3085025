"""What became of a conversation, judged by what happened and not by what it is called."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Result(StrEnum):
    """How a placed call ended, for the person called."""

    ANSWERED = "answered"
    VOICEMAIL = "voicemail"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    DECLINED = "declined"
    SILENT = "silent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a provider says of a call that has ended.

    `status` is its own final word, `call_result` its telephony's; `agent_turns` and `user_turns`
    count what was said by either side.
    """

    status: str
    call_result: str = ""
    duration_s: float = 0.0
    agent_turns: int = 0
    user_turns: int = 0
    error_type: str = ""
    error_reason: str = ""


_BY_CALL_RESULT: Final = {
    "voicemail": Result.VOICEMAIL,
    "busy": Result.BUSY,
    "no_answer": Result.NO_ANSWER,
    "declined": Result.DECLINED,
}
_BY_ERROR: Final = (
    (re.compile(r"no_answer|request timed out|\bsip\b\D{0,20}480\b"), Result.NO_ANSWER),
    (re.compile(r"\bsip\b\D{0,20}486\b|busy"), Result.BUSY),
    (re.compile(r"\bsip\b\D{0,20}603\b|declined"), Result.DECLINED),
)
_BY_REFUSAL: Final = {
    "busy": Result.BUSY,
    "sip_486": Result.BUSY,
    "sip_600": Result.BUSY,
    "no_answer": Result.NO_ANSWER,
    "sip_timeout": Result.NO_ANSWER,
    "sip_408": Result.NO_ANSWER,
    "sip_480": Result.NO_ANSWER,
    "declined": Result.DECLINED,
    "sip_603": Result.DECLINED,
}


def result_of(facts: Facts) -> Result:
    """Return the result; contradictions are `unknown`, never a success and never a refusal."""
    talked = facts.user_turns > 0 and facts.duration_s > 0
    if facts.call_result in _BY_CALL_RESULT:
        named = _BY_CALL_RESULT[facts.call_result]
        return Result.UNKNOWN if talked and named is not Result.VOICEMAIL else named
    if facts.status == "done":
        return _ended(facts, talked=talked)
    return Result.UNKNOWN if talked else _failed(facts)


def result_of_refusal(code: str) -> Result | None:
    """Return what a dial refused with this code says of the person's line; None for nothing.

    A busy line is no failed call: the dial rules decide when it is tried again.
    """
    return _BY_REFUSAL.get(code)


def _ended(facts: Facts, *, talked: bool) -> Result:
    if talked:
        return Result.ANSWERED
    if facts.duration_s <= 0:
        return Result.UNKNOWN
    return Result.SILENT if facts.agent_turns == 0 else Result.ANSWERED


def _failed(facts: Facts) -> Result:
    text = f"{facts.error_type} {facts.error_reason}".lower()
    return next((result for word, result in _BY_ERROR if word.search(text)), Result.UNKNOWN)
