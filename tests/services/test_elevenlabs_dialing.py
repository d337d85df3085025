"""A dial: what is sent, and what each answer means."""

from typing import Any, Literal

import pytest
from elevenlabs_script import ATTEMPT, CALL, DIALED, adapter_of, detail, dial, legacy
from scripted_http import KEY, NUMBER, answer, failure, run

from callagent_cli import errors
from callagent_cli.errors import ServiceError
from callagent_cli.resilience.outcome import Outcome
from callagent_cli.services.http import BrokenAnswer, NoAnswer, NotSent, Response, TransportError

FASTAPI = {"detail": [{"loc": ["body", "to_number"], "msg": "field required", "type": "missing"}]}


@pytest.mark.parametrize(
    ("carrier", "path", "timeout_s"),
    [
        ("twilio", "/v1/convai/twilio/outbound-call", 30.0),
        ("sip_trunk", "/v1/convai/sip-trunk/outbound-call", 90.0),
    ],
)
def test_a_dial_is_sent_to_its_carrier(
    carrier: Literal["twilio", "sip_trunk"], path: str, timeout_s: float
) -> None:
    """Each carrier has its own address and patience; the key travels in its header."""
    adapter, http = adapter_of(answer(200, DIALED), carrier=carrier)
    run(dial(adapter))

    request = http.requests[0]
    assert (request.method, request.path, request.timeout_s) == ("POST", path, timeout_s)
    assert request.target == "elevenlabs.dial"
    assert request.headers["xi-api-key"] == KEY


def test_a_dial_carries_both_ids_where_a_look_up_finds_them() -> None:
    """Our ids win over the contact's variables, and reserved variables stay out."""
    adapter, http = adapter_of(answer(200, DIALED))
    run(dial(adapter))

    assert http.body == {
        "agent_id": "agent_1",
        "agent_phone_number_id": "phnum_1",
        "to_number": NUMBER,
        "conversation_initiation_client_data": {
            "user_id": CALL,
            "dynamic_variables": {
                "name": "Ada",
                "callagent_call_id": CALL,
                "callagent_attempt_id": ATTEMPT,
            },
        },
        "telephony_call_config": {"ringing_timeout_secs": 60},
    }


def test_a_first_message_overrides_the_agents() -> None:
    """What the model composed is what the agent says first."""
    adapter, http = adapter_of(answer(200, DIALED))
    run(dial(adapter, first_message="Hello Ada"))

    data = http.body["conversation_initiation_client_data"]
    assert data["conversation_config_override"] == {"agent": {"first_message": "Hello Ada"}}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (DIALED, ("conv_1", "CA1", True, "")),
        (
            {"success": True, "conversation_id": "conv_1", "sip_call_id": "s"},
            ("conv_1", "s", True, ""),
        ),
        ({"conversation_id": "conv_1"}, ("conv_1", "", True, "")),
        (
            {"success": False, "message": "486: Busy Here (SIP 486)", "conversation_id": "conv_1"},
            ("conv_1", "", False, "486: Busy Here (SIP 486)"),
        ),
    ],
)
def test_a_conversation_id_means_a_call(body: object, expected: tuple[object, ...]) -> None:
    """Whatever else the answer says: what has an id is followed, refused or not."""
    adapter, _ = adapter_of(answer(200, body))
    placed = run(dial(adapter))

    assert (placed.conversation, placed.provider_call, placed.accepted, placed.reason) == expected


AMBIGUOUS: list[Response | TransportError] = [
    NoAnswer("no answer within 30 s"),
    BrokenAnswer("the connection broke"),
    answer(200, b""),
    answer(200, b"<html>"),
    answer(200, b"[]"),
    answer(200, b"null"),
    answer(200, {}),
    answer(200, {"success": True, "conversation_id": None}),
    answer(200, {"success": True, "conversation_id": ""}),
    answer(200, {"success": "yes", "conversation_id": None}),
    answer(200, detail("system_busy")),
    answer(204, b""),
    answer(302, b""),
    answer(408, b""),
    answer(408, legacy("quota_exceeded")),
    answer(500, detail("internal_error")),
    answer(500, legacy("quota_exceeded")),
    answer(502, b"<html>Bad gateway</html>"),
    answer(504, b""),
    answer(520, b""),
    answer(524, b""),
    answer(599, b""),
]


@pytest.mark.parametrize("met", AMBIGUOUS, ids=repr)
def test_a_dial_whose_answer_is_lost_is_unknown(met: Response | TransportError) -> None:
    """Once it was sent, only an answer that means something says what became of it."""
    adapter, _ = adapter_of(met)
    error = failure(dial(adapter))

    assert type(error) is errors.OutcomeUnknown
    assert error.outcome is Outcome.UNKNOWN


CERTAIN: list[tuple[int, Any, type[ServiceError], Outcome]] = [
    (400, detail("validation_error"), errors.InvalidPayload, Outcome.REJECTED),
    (400, b"not JSON", errors.InvalidPayload, Outcome.REJECTED),
    (401, detail("invalid_api_key"), errors.AuthenticationFailed, Outcome.UNAUTHORIZED),
    (401, legacy("needs_authorization"), errors.AuthenticationFailed, Outcome.UNAUTHORIZED),
    (401, detail("missing_permissions"), errors.AuthenticationFailed, Outcome.UNAUTHORIZED),
    (401, {"detail": "Unauthorized"}, errors.AuthenticationFailed, Outcome.UNAUTHORIZED),
    (401, legacy("quota_exceeded"), errors.QuotaExceeded, Outcome.QUOTA),
    (401, detail("quota_exceeded"), errors.QuotaExceeded, Outcome.QUOTA),
    (401, legacy("detected_unusual_activity"), errors.AuthenticationFailed, Outcome.UNAUTHORIZED),
    (402, detail("insufficient_credits"), errors.QuotaExceeded, Outcome.QUOTA),
    (402, detail("paid_plan_required"), errors.QuotaExceeded, Outcome.QUOTA),
    (402, b"", errors.QuotaExceeded, Outcome.QUOTA),
    (403, detail("forbidden"), errors.AuthenticationFailed, Outcome.UNAUTHORIZED),
    (403, legacy("quota_exceeded"), errors.QuotaExceeded, Outcome.QUOTA),
    (404, detail("agent_not_found"), errors.Misconfigured, Outcome.MISCONFIGURED),
    (404, detail("phone_number_not_found"), errors.Misconfigured, Outcome.MISCONFIGURED),
    (
        400,
        legacy("invalid", "Document with id phnum_01 not found."),
        errors.Misconfigured,
        Outcome.MISCONFIGURED,
    ),
    (404, detail("something_not_found"), errors.InvalidPayload, Outcome.REJECTED),
    (409, detail("already_running"), errors.ServiceUnavailable, Outcome.UNAVAILABLE),
    (422, FASTAPI, errors.InvalidPayload, Outcome.REJECTED),
    (429, detail("rate_limit_exceeded"), errors.RateLimited, Outcome.THROTTLED),
    (429, b"", errors.RateLimited, Outcome.THROTTLED),
    (429, detail("concurrent_limit_exceeded"), errors.RateLimited, Outcome.BUSY_HERE),
    (429, legacy("too_many_concurrent_requests"), errors.RateLimited, Outcome.BUSY_HERE),
    (429, detail("system_busy"), errors.ServiceUnavailable, Outcome.UNAVAILABLE),
    (503, detail("service_unavailable"), errors.ServiceUnavailable, Outcome.UNAVAILABLE),
    (503, detail("quota_exceeded"), errors.ServiceUnavailable, Outcome.UNAVAILABLE),
    (529, b"", errors.ServiceUnavailable, Outcome.UNAVAILABLE),
]


@pytest.mark.parametrize(("status", "body", "kind", "outcome"), CERTAIN)
def test_a_refused_dial_is_what_its_body_says(
    status: int, body: object, kind: type[ServiceError], outcome: Outcome
) -> None:
    """The code in the body decides; the status decides where there is none."""
    adapter, _ = adapter_of(answer(status, body))
    error = failure(dial(adapter))

    assert (type(error), error.outcome, error.status) == (kind, outcome, status)


def test_a_dial_that_never_left_may_be_repeated() -> None:
    """Not sent is not sent, also for a dial."""
    adapter, _ = adapter_of(NotSent("could not connect"))
    error = failure(dial(adapter))

    assert type(error) is errors.NetworkFailure
    assert error.outcome is Outcome.NOT_SENT


def test_an_error_keeps_what_support_asks_for() -> None:
    """Status, code, request id and the wanted wait survive into the error."""
    body = detail("rate_limit_exceeded", "Slow down", request_id="abc123")
    adapter, _ = adapter_of(answer(429, body, retry_after="9", x_trace_id="other"))
    error = failure(dial(adapter))

    assert error.message == "elevenlabs answered 429: Slow down"
    assert (error.code, error.request_id) == ("rate_limit_exceeded", "abc123")
    assert error.retry_after_s == 9.0


def test_a_validation_error_names_the_field() -> None:
    """FastAPI's list becomes one readable line without the value."""
    adapter, _ = adapter_of(answer(422, FASTAPI))
    error = failure(dial(adapter))

    assert error.message == "elevenlabs answered 422: body.to_number: field required"
    assert error.code == "validation_error"
