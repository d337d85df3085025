"""Requests to twins, short to write, and what the tests of this folder share."""

from collections.abc import Mapping
from typing import Any

import msgspec

from callagent_cli.simulation.twins.elevenlabs.twin import ElevenLabsOptions, ElevenLabsTwin
from callagent_cli.simulation.twins.keys import AGENT_ID, ELEVENLABS_KEY, PHONE_NUMBER_ID
from callagent_cli.simulation.twins.ledger import Ledger
from callagent_cli.simulation.twins.personality import Ending, Personality
from callagent_cli.simulation.twins.twin import Twin, TwinAnswer, TwinRequest

NOON = 1_767_614_400.0
ANA, BEN, CLEO = "+12125550101", "+12125550102", "+442079460003"
TWILIO = "/v1/convai/twilio/outbound-call"
SIP = "/v1/convai/sip-trunk/outbound-call"
CONVERSATIONS = "/v1/convai/conversations"
ELEVENLABS_AUTH = {"xi-api-key": ELEVENLABS_KEY}


def always(ending: Ending) -> Personality:
    """Return people who all behave alike."""
    return Personality(weights={ending: 1.0})


def json_of(answer: TwinAnswer) -> Any:  # noqa: ANN401 — whatever the body holds.
    """Return an answer's body, which must be JSON and say so."""
    assert answer.headers["content-type"] == "application/json"
    return msgspec.json.decode(answer.body)


def ask(
    twin: Twin,
    method: str,
    target: str,
    *,
    at: float = NOON,
    headers: Mapping[str, str] = ELEVENLABS_AUTH,
    body: object = None,
) -> TwinAnswer:
    """Send one request to a twin."""
    encoded = b"" if body is None else msgspec.json.encode(body)
    content = body if isinstance(body, bytes) else encoded
    return twin.handle(TwinRequest.parse(method, target, headers, content), at)


def dial_body(number: str = ANA, call: str = "call_1", attempt: str = "dial_1") -> dict[str, Any]:
    """Return the body of a dial as callagent writes it."""
    variables = {"callagent_call_id": call, "callagent_attempt_id": attempt}
    return {
        "agent_id": AGENT_ID,
        "agent_phone_number_id": PHONE_NUMBER_ID,
        "to_number": number,
        "conversation_initiation_client_data": {"user_id": call, "dynamic_variables": variables},
    }


def dial(
    twin: Twin, number: str = ANA, *, call: str = "call_1", at: float = NOON, path: str = TWILIO
) -> Any:  # noqa: ANN401 — the body of the answer.
    """Dial and return the answer's body."""
    return json_of(ask(twin, "POST", path, at=at, body=dial_body(number, call)))


def show(twin: Twin, conversation: str, at: float) -> Any:  # noqa: ANN401 — the answer's body.
    """Return a conversation at an instant."""
    return json_of(ask(twin, "GET", f"{CONVERSATIONS}/{conversation}", at=at))


def elevenlabs(
    ending: Ending | None = None,
    *,
    ledger: Ledger | None = None,
    seed: int = 7,
    list_lag_s: float = 0.0,
) -> ElevenLabsTwin:
    """Return a voice platform where every call ends alike, or the usual mix."""
    personality = Personality() if ending is None else always(ending)
    options = ElevenLabsOptions(personality=personality, seed=seed, list_lag_s=list_lag_s)
    return ElevenLabsTwin(Ledger() if ledger is None else ledger, options=options)
