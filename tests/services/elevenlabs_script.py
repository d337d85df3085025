"""The ElevenLabs adapter in front of a scripted door, and the bodies it meets there."""

from typing import Any, Literal

from scripted_http import KEY, NUMBER, ScriptedHttp, now

from callagent_cli.services.elevenlabs import ElevenLabsAdapter, Placed
from callagent_cli.services.http import Response, TransportError
from callagent_cli.settings import ElevenLabs

CALL = "call_1"
ATTEMPT = "dial_1"
DIALED = {"success": True, "message": "Success", "conversation_id": "conv_1", "callSid": "CA1"}


def adapter_of(
    *answers: Response | TransportError,
    carrier: Literal["twilio", "sip_trunk"] = "twilio",
) -> tuple[ElevenLabsAdapter, ScriptedHttp]:
    """Return an adapter that meets these answers."""
    http = ScriptedHttp(*answers)
    settings = ElevenLabs(agent_id="agent_1", agent_phone_number_id="phnum_1", carrier=carrier)
    return ElevenLabsAdapter(http, settings, KEY, now), http


async def dial(adapter: ElevenLabsAdapter, first_message: str = "") -> Placed:
    """Dial the one number of these tests."""
    return await adapter.dial(
        call_id=CALL,
        attempt_id=ATTEMPT,
        number=NUMBER,
        variables={"name": "Ada", "system__time": "12", "callagent_call_id": "forged"},
        first_message=first_message,
    )


def detail(code: str = "", message: str = "", **more: str) -> dict[str, Any]:
    """Return an error body in the current envelope."""
    return {"detail": {"type": "some_error", "code": code, "message": message, **more}}


def legacy(status: str, message: str = "") -> dict[str, Any]:
    """Return an error body in the legacy envelope."""
    return {"detail": {"status": status, "message": message}}


def listed(*ids: str, next_cursor: str | None = None) -> dict[str, Any]:
    """Return one page of the list."""
    items = [{"conversation_id": known, "agent_id": "agent_1", "status": "done"} for known in ids]
    more = next_cursor is not None
    return {"conversations": items, "has_more": more, "next_cursor": next_cursor}


def shown(call_id: str = CALL, attempt_id: str | None = ATTEMPT, **more: Any) -> dict[str, Any]:  # noqa: ANN401 — JSON.
    """Return a conversation that a call's dial made."""
    variables = {"callagent_call_id": call_id, "callagent_attempt_id": attempt_id}
    data = {"user_id": call_id, "dynamic_variables": variables}
    return {"status": "in-progress", "conversation_initiation_client_data": data, **more}
