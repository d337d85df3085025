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
    count what was said by either side; `accepted` says that somebody, or something, picked up.
    """

    status: str
    call_result: str = ""
    duration_s: float = 0.0
    agent_turns: int = 0
    user_turns: int = 0
    accepted: bool = False
    error_type: str = ""
    error_reason: str = ""


_BY_CALL_RESULT: Final = {
    "voicemail": Result.VOICEMAIL,
    "busy": Result.BUSY,
    "no_answer": Result.NO_ANSWER,
    "declined": Result.DECLINED,
}
_BY_ERROR: Final = (
    (re.compile(r"no_answer|request timed out|\bsip\b\D{0,9}480\b"), Result.NO_ANSWER),
    # A provider that is busy itself says nothing of the person's line.
    (
        re.compile(r"\bsip\b\D{0,9}486\b|(?<!system )(?<!server )(?<!service )(?<!too )\bbusy\b"),
        Result.BUSY,
    ),
    (
        re.compile(r"\bsip\b\D{0,9}603\b|(?<!card )(?<!payment )\bdeclined\b"),
        Result.DECLINED,
    ),
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
    call_result = facts.call_result.strip().lower().replace("-", "_")
    errors = _results_in(facts)
    if call_result in _BY_CALL_RESULT:
        named = _BY_CALL_RESULT[call_result]
        contradicted = errors - {named} or (named is not Result.VOICEMAIL and _picked_up(facts))
        return Result.UNKNOWN if contradicted else named
    if facts.status == "done":
        return Result.UNKNOWN if call_result == "failed" else _ended(facts)
    if _picked_up(facts) or call_result == "answered":
        return Result.UNKNOWN
    return errors.pop() if len(errors) == 1 else Result.UNKNOWN


def result_of_refusal(code: str) -> Result | None:
    """Return what a dial refused with this code says of the person's line; None for nothing.

    A busy line is no failed call: the dial rules decide when it is tried again.
    """
    return _BY_REFUSAL.get(code)


def _picked_up(facts: Facts) -> bool:
    """Say whether anything shows that the line was open: a moment, or words of either side."""
    spoke = facts.duration_s > 0 and (facts.agent_turns > 0 or facts.user_turns > 0)
    return facts.accepted or spoke


def _ended(facts: Facts) -> Result:
    """Judge a call that ended well: one in which the agent never spoke was none."""
    if facts.duration_s <= 0:
        return Result.UNKNOWN
    return Result.ANSWERED if facts.agent_turns > 0 else Result.SILENT


def _results_in(facts: Facts) -> set[Result]:
    """Return what the provider's error says of the person's line."""
    text = f"{facts.error_type} {facts.error_reason}".lower()
    return {result for pattern, result in _BY_ERROR if pattern.search(text)}
