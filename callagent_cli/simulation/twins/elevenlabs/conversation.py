"""One call as the voice platform knows it: where it stands at an instant, and how it says so.

Field names, values and which fields are required are those of the official client's models.
"""

from typing import Final

import msgspec

from callagent_cli.simulation.twins.personality import TALKED_TO, Ending, Play
from callagent_cli.simulation.twins.twin import JsonObject

AGENT_NUMBER: Final = "+12125550100"
"""The number that the sandbox's agents call from."""

_CREDITS_PER_SECOND: Final = 10

_ERRORS: Final[dict[Ending, JsonObject]] = {
    Ending.NO_ANSWER: {"code": 1011, "reason": "request timed out", "error_type": "no_answer"},
    Ending.BUSY: {
        "code": 1011,
        "reason": "INVITE failed: sip status: 486: Busy Here (SIP 486)",
        "error_type": "busy",
    },
    Ending.DECLINED: {
        "code": 1011,
        "reason": "INVITE failed: sip status: 603: Decline (SIP 603)",
        "error_type": "declined",
    },
    Ending.FAILED: {
        "code": 1011,
        "reason": "transaction failed to complete (0 intermediate responses)",
        "error_type": "call_initialization_error",
    },
}
# How a declined call is told apart is UNVERIFIED: `call_result` has no such value.
_CALL_RESULTS: Final[dict[Ending, str]] = {
    **{ending: ending.value for ending in Ending},
    Ending.DECLINED: "failed",
}


def _said(*remarks: tuple[str, str]) -> tuple[JsonObject, ...]:
    return tuple(
        {"role": role, "message": message, "time_in_call_secs": second}
        for second, (role, message) in enumerate(remarks)
    )


_TALK: Final = _said(("agent", "Hello, is this a good moment?"), ("user", "Yes, please go on."))
_MESSAGE: Final = _said(("agent", "Hello, this is a message for you. We will call again."))


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """A placed call; everything it will ever be follows from `placed_at` and `play`.

    `opt_out_field` is the item in which the agent collects whether the person wants no more calls.
    """

    id: str
    carrier: str
    agent_id: str
    phone_number_id: str
    number: str
    call_sid: str
    user_id: str
    variables: JsonObject
    placed_at: float
    play: Play
    opt_out_field: str = ""

    @property
    def is_talked_on(self) -> bool:
        """Whether somebody picks up."""
        return self.play.ending in TALKED_TO

    @property
    def talk_starts_at(self) -> float:
        """When it is picked up, or when the ringing ends."""
        return self.placed_at + self.play.ring_s

    @property
    def talk_ends_at(self) -> float:
        """When it is hung up."""
        return self.talk_starts_at + self.play.talk_s

    @property
    def final_at(self) -> float:
        """When its state changes for the last time."""
        return self.placed_at + self.play.total_s

    def status(self, at: float) -> str:
        """Return initiated, in-progress, processing, done or failed."""
        if at < self.talk_starts_at:
            return "initiated"
        if not self.is_talked_on:
            return "failed"
        if at < self.talk_ends_at:
            return "in-progress"
        return "processing" if at < self.final_at else "done"

    def talked_s(self, at: float) -> int:
        """Return the whole seconds talked so far; a talk that is over took one at least."""
        if not self.is_talked_on:
            return 0
        talked_s = round(min(max(at - self.talk_starts_at, 0.0), self.play.talk_s))
        return max(1, talked_s) if at >= self.talk_ends_at else talked_s

    def listed(self, at: float) -> JsonObject:
        """Return the call as an item of the list: without number and without variables."""
        status = self.status(at)
        return {
            "agent_id": self.agent_id,
            "agent_name": "Sandbox agent",
            "conversation_id": self.id,
            "start_time_unix_secs": int(self.placed_at),
            "call_duration_secs": self.talked_s(at),
            "message_count": len(self._transcript(status)),
            "status": status,
            "call_successful": self._call_successful(status),
            "direction": "outbound",
        }

    def shown(self, at: float) -> JsonObject:
        """Return the call with everything the provider knows of it."""
        status = self.status(at)
        has_audio = status == "done"
        return {
            "agent_id": self.agent_id,
            "conversation_id": self.id,
            "status": status,
            "user_id": self.user_id or None,
            "has_audio": has_audio,
            "has_user_audio": has_audio and self.play.ending is Ending.ANSWERED,
            "has_response_audio": has_audio,
            "has_auxiliary_audio": False,
            "transcript": self._transcript(status),
            "metadata": self._metadata(status, at),
            "analysis": self._analysis(status),
            "conversation_initiation_client_data": {
                "user_id": self.user_id or None,
                "dynamic_variables": self.variables,
            },
        }

    def _metadata(self, status: str, at: float) -> JsonObject:
        picked_up = self.is_talked_on and status != "initiated"
        return {
            "start_time_unix_secs": int(self.placed_at),
            "accepted_time_unix_secs": int(self.talk_starts_at) if picked_up else None,
            "call_duration_secs": self.talked_s(at),
            "cost": self.cost(at),
            "termination_reason": self._termination_reason(status),
            "error": _ERRORS[self.play.ending] if status == "failed" else None,
            "warnings": [],
            "main_language": "en",
            "conversation_initiation_source": self.carrier,
            "phone_call": self._phone_call(status),
        }

    def cost(self, at: float) -> int:
        """Return the credits charged, which is once it is final."""
        return self.talked_s(at) * _CREDITS_PER_SECOND if at >= self.final_at else 0

    def _termination_reason(self, status: str) -> str:
        if status not in {"processing", "done"}:
            return ""
        answered = self.play.ending is Ending.ANSWERED
        return "Call ended by remote party" if answered else "end_call tool was called"

    def _phone_call(self, status: str) -> JsonObject:
        twilio = self.carrier == "twilio"
        over = status in {"processing", "done", "failed"}
        phone_call: JsonObject = {
            "type": "twilio" if twilio else "sip_trunking",
            "direction": "outbound",
            "phone_number_id": self.phone_number_id,
            "agent_number": AGENT_NUMBER,
            "external_number": self.number,
            "call_sid": self.call_sid,
            "call_result": _CALL_RESULTS[self.play.ending] if over else None,
        }
        if twilio:
            phone_call["stream_sid"] = f"MZ{self.call_sid[2:]}"
        return phone_call

    def _transcript(self, status: str) -> tuple[JsonObject, ...]:
        if status in {"initiated", "failed"}:
            return ()
        return _TALK if self.play.ending is Ending.ANSWERED else _MESSAGE

    def _call_successful(self, status: str) -> str:
        if status == "failed":
            return "failure"
        succeeded = status == "done" and self.play.ending is Ending.ANSWERED
        return "success" if succeeded else "unknown"

    def _analysis(self, status: str) -> JsonObject | None:
        if status != "done":
            return None
        answered = self.play.ending is Ending.ANSWERED
        summary = "The person was glad to be called." if answered else "A message was left."
        return {
            "call_successful": self._call_successful(status),
            "transcript_summary": summary,
            "call_summary_title": "Sandbox call",
            "evaluation_criteria_results": {},
            "data_collection_results": self._collected(),
        }

    def _collected(self) -> JsonObject:
        """Return what the agent was told to collect: whether the person wants no more calls."""
        field, opts_out = self.opt_out_field, self.play.opts_out
        if opts_out is None or not field:
            return {}
        said = "asked not to be called again" if opts_out else "did not mind being called"
        return {
            field: {
                "data_collection_id": field,
                "value": opts_out,
                "json_schema": {"type": "boolean"},
                "rationale": f"The person {said}.",
            }
        }
