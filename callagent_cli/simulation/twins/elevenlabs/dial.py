"""The body of a dial: what it must hold, and what the carriers answer to it."""

import re
from typing import Final

import msgspec

from callagent_cli.simulation.twins.elevenlabs.conversation import Conversation
from callagent_cli.simulation.twins.elevenlabs.errors import missing, not_json, not_text
from callagent_cli.simulation.twins.personality import Ending
from callagent_cli.simulation.twins.twin import Facts, JsonObject, TwinAnswer, TwinRequest

_REQUIRED: Final = ("agent_id", "agent_phone_number_id", "to_number")
_E164: Final = re.compile(r"\+[1-9]\d{6,14}")
_SUCCESS: Final = "Success"
RINGING_TIMEOUT_S: Final = 60.0
"""How long a phone rings when the dial does not say."""

_SIP_MESSAGES: Final[dict[Ending, str]] = {
    Ending.NO_ANSWER: "sip request timed out",
    Ending.BUSY: "INVITE failed: sip status: 486: Busy Here (SIP 486)",
    Ending.DECLINED: "INVITE failed: sip status: 603: Decline (SIP 603)",
    Ending.FAILED: "INVITE failed: sip status: 480: Temporarily Unavailable (SIP 480)",
}


class DialBody:
    """What a dial asks for; everything is empty in a body that cannot be read."""

    def __init__(self, request: TwinRequest) -> None:
        body = request.json_object()
        self._body = body
        fields = body or {}
        client_data = _object(fields, "conversation_initiation_client_data")
        self.agent_id = str(fields.get("agent_id") or "")
        self.phone_number_id = str(fields.get("agent_phone_number_id") or "")
        self.number = str(fields.get("to_number") or "")
        self.user_id = str(client_data.get("user_id") or "")
        self.variables = _object(client_data, "dynamic_variables")
        ringing = _object(fields, "telephony_call_config").get("ringing_timeout_secs")
        self.ringing_timeout_s = float(ringing) if isinstance(ringing, int) else RINGING_TIMEOUT_S

    @property
    def call_id(self) -> str:
        """The id that callagent gave the call."""
        return str(self.variables.get("callagent_call_id") or self.user_id)

    @property
    def attempt_id(self) -> str:
        """The id that callagent gave this dial."""
        return str(self.variables.get("callagent_attempt_id") or "")

    @property
    def is_callable(self) -> bool:
        """Whether the number has the form of one (E.164)."""
        return _E164.fullmatch(self.number) is not None

    def facts(self, route: str) -> Facts:
        """Return what the ledger notes of it."""
        return Facts(
            operation="dial",
            route=route,
            call_id=self.call_id,
            attempt_id=self.attempt_id,
            number=self.number,
        )

    def faults(self) -> list[JsonObject]:
        """Return what makes the body unusable, as entries of a 422."""
        body = self._body
        if body is None:
            return [not_json()]
        absent = [missing("body", name) for name in _REQUIRED if name not in body]
        return absent + [
            not_text("body", name)
            for name in _REQUIRED
            if name in body and not isinstance(body[name], str)
        ]


def _object(fields: JsonObject, name: str) -> JsonObject:
    value = fields.get(name)
    return value if isinstance(value, dict) else {}


def refused_by_carrier(carrier: str, number: str) -> TwinAnswer:
    """Return the 200 that means no: no id, and no call."""
    message = (
        "HTTP 400 error: Unable to create record: "
        f"The phone number you are attempting to call, {number}, is not valid."
    )
    return _answer(carrier, message=message)


def placed(conversation: Conversation) -> TwinAnswer:
    """Return the answer to a placed call.

    Twilio answers at once. A SIP trunk answers when the callee does, or when the INVITE has
    failed, and gives the conversation's id then too.
    """
    if conversation.carrier == "twilio":
        return _answer("twilio", message=_SUCCESS, conversation=conversation)
    message = _SIP_MESSAGES.get(conversation.play.ending, _SUCCESS)
    return _answer(conversation.carrier, message=message, conversation=conversation)


def _answer(carrier: str, *, message: str, conversation: Conversation | None = None) -> TwinAnswer:
    body = {
        "success": message == _SUCCESS,
        "message": message,
        "conversation_id": conversation.id if conversation else None,
        "callSid" if carrier == "twilio" else "sip_call_id": (
            conversation.call_sid if conversation else None
        ),
    }
    waits_s = 0.0 if conversation is None or carrier == "twilio" else conversation.play.ring_s
    headers = {"content-type": "application/json"}
    effect = conversation is not None
    return TwinAnswer(200, headers, msgspec.json.encode(body), waits_s, effect)
