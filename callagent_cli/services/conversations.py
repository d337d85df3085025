"""A conversation as ElevenLabs tells of it, and the list that a look-up reads."""

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from callagent_cli.masking import safe_text
from callagent_cli.services.answers import decode, mapping, number, text

_LONGEST_S: Final = 24 * 3600.0
"""No talk is longer than a day, whatever an answer says."""

_TERMINAL: Final = frozenset({"done", "failed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A conversation that belongs to a call; `attempt_id` is the dial that made it, if it says."""

    conversation: str
    attempt_id: str | None
    status: str


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """How a placed call stands, or how it went.

    `status` is initiated, in-progress, processing, done or failed; the last two are `terminal`.
    All else is told of a terminal one only; it is empty before, and where the provider is silent.
    `duration_s` is the talk; `accepted_utc_s` when it was picked up. `call_result` is answered,
    voicemail, busy, no_answer or failed where the provider says so. `error_code`, `error_reason`
    and `error_type` are empty unless the call itself failed. The turns count what was really said.
    `has_user_audio` and `has_response_audio` say whether the person and the agent were heard,
    `has_audio` whether anybody was; None where the provider does not say.
    `call_successful` judges the goal of the talk, not the telephony. `data_collection` holds the
    values that the agent was told to collect. Texts that end in a log are masked; `summary` is not.
    """

    status: str
    terminal: bool
    duration_s: float = 0.0
    started_utc_s: float | None = None
    accepted_utc_s: float | None = None
    termination_reason: str = ""
    error_code: str = ""
    error_reason: str = ""
    error_type: str = ""
    call_result: str = ""
    cost: float | None = None
    transcript_turns_agent: int = 0
    transcript_turns_user: int = 0
    has_audio: bool | None = None
    has_user_audio: bool | None = None
    has_response_audio: bool | None = None
    call_successful: str = ""
    summary: str = ""
    data_collection: dict[str, Any] = {}


class Page(msgspec.Struct):
    """One page of the list; its fields are required, since a page without them proves nothing."""

    conversations: list["Item"]
    has_more: bool
    next_cursor: str | None = None


class Item(msgspec.Struct):
    """An item of the list; it carries no variables, so each one is asked for again."""

    conversation_id: str


class _Status(msgspec.Struct):
    """All that is read of a conversation under way, which is asked for every few seconds."""

    status: str
    conversation_id: Any = None


class Shown(msgspec.Struct):
    """A conversation on the wire; only its status is relied on, the rest is read if it is there."""

    status: str
    user_id: Any = None
    has_audio: Any = None
    has_user_audio: Any = None
    has_response_audio: Any = None
    metadata: Any = None
    analysis: Any = None
    transcript: Any = None
    conversation_initiation_client_data: Any = None


def candidate(conversation: str, shown: Shown, call_id: str) -> Candidate | None:
    """Return the candidate if it belongs to the call, or nothing if it says that it does not.

    One that says nothing is kept: the list was filtered by the call, and a call wrongly taken
    for absent is a person dialed twice.
    """
    started_with = mapping(shown.conversation_initiation_client_data)
    variables = mapping(started_with.get("dynamic_variables"))
    owners = (variables.get("callagent_call_id"), started_with.get("user_id"), shown.user_id)
    stated = [owner for owner in owners if isinstance(owner, str) and owner]
    if stated and call_id not in stated:
        return None
    attempt_id = text(variables.get("callagent_attempt_id")) or None
    return Candidate(conversation=conversation, attempt_id=attempt_id, status=shown.status)


def read_conversation(body: bytes, *, asked: str = "", secret: str = "") -> Conversation | None:
    """Return a conversation, or nothing when the body is none, or not the one `asked` for.

    Everything but the status may be missing, null, or of another type: `analysis` is null on
    failed calls, and the `error` key is present and null on good ones.
    """
    glance = decode(body, _Status)
    if glance is None or (asked and text(glance.conversation_id) not in {"", asked}):
        return None
    if glance.status not in _TERMINAL:
        return Conversation(status=glance.status, terminal=False)
    shown = decode(body, Shown)
    if shown is None:
        return None
    metadata = mapping(shown.metadata)
    analysis = mapping(shown.analysis)
    error = mapping(metadata.get("error"))
    code = error.get("code")
    return Conversation(
        status=shown.status,
        terminal=True,
        duration_s=min(max(0.0, number(metadata.get("call_duration_secs")) or 0.0), _LONGEST_S),
        started_utc_s=number(metadata.get("start_time_unix_secs")),
        accepted_utc_s=number(metadata.get("accepted_time_unix_secs")),
        termination_reason=safe_text(metadata.get("termination_reason"), secret=secret),
        error_code=safe_text(str(code), secret=secret) if isinstance(code, int | str) else "",
        error_reason=safe_text(error.get("reason"), secret=secret),
        error_type=safe_text(error.get("error_type"), secret=secret),
        call_result=text(mapping(metadata.get("phone_call")).get("call_result")),
        cost=number(metadata.get("cost")),
        transcript_turns_agent=_turns(shown.transcript, "agent"),
        transcript_turns_user=_turns(shown.transcript, "user"),
        has_audio=_flag(shown.has_audio),
        has_user_audio=_flag(shown.has_user_audio),
        has_response_audio=_flag(shown.has_response_audio),
        call_successful=text(analysis.get("call_successful")),
        summary=text(analysis.get("transcript_summary")),
        data_collection=_collected(analysis.get("data_collection_results")),
    )


def _turns(transcript: object, role: str) -> int:
    turns = transcript if isinstance(transcript, list) else []
    said = (turn for turn in map(mapping, turns) if turn.get("role") == role)
    return sum(1 for turn in said if text(turn.get("message")).strip())


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _collected(results: object) -> dict[str, Any]:
    """Return each collected item's value without the provider's bookkeeping around it."""
    return {
        name: item["value"] if isinstance(item, dict) and "value" in item else item
        for name, item in mapping(results).items()
    }
