"""Following a conversation, and asking how the platform is."""

from typing import Any

import pytest
from elevenlabs_script import adapter_of, detail, legacy, listed
from hypothesis import given
from hypothesis import strategies as st
from scripted_http import answer, failure, run

from callagent_cli import errors
from callagent_cli.errors import ServiceError
from callagent_cli.resilience.outcome import Outcome
from callagent_cli.services.conversations import read_conversation
from callagent_cli.services.http import BrokenAnswer, NoAnswer, NotSent, TransportError

DONE: dict[str, Any] = {
    "status": "done",
    "metadata": {
        "start_time_unix_secs": 1000,
        "accepted_time_unix_secs": 1005,
        "call_duration_secs": 42,
        "cost": 420,
        "termination_reason": "end_call tool was called",
        "error": None,
        "phone_call": {"type": "twilio", "call_result": "answered"},
    },
    "analysis": {
        "call_successful": "success",
        "transcript_summary": "They agreed.",
        "data_collection_results": {"budget": {"value": 5, "rationale": "said so"}, "raw": 1},
    },
    "transcript": [
        {"role": "agent", "message": "Hello"},
        {"role": "user", "message": "Hi"},
        {"role": "user", "message": "  "},
        {"role": "agent", "message": None},
        {"role": "tool"},
    ],
}


def test_a_finished_conversation_is_read() -> None:
    """Everything a record needs is there, in callagent's words and units."""
    adapter, http = adapter_of(answer(200, DONE))
    conversation = run(adapter.conversation("conv_1"))

    assert conversation.terminal
    assert (conversation.status, conversation.call_result) == ("done", "answered")
    assert (conversation.started_utc_s, conversation.accepted_utc_s) == (1000.0, 1005.0)
    assert (conversation.duration_s, conversation.cost) == (42.0, 420.0)
    assert (conversation.transcript_turns_agent, conversation.transcript_turns_user) == (1, 1)
    assert (conversation.call_successful, conversation.summary) == ("success", "They agreed.")
    assert conversation.data_collection == {"budget": 5, "raw": 1}
    assert conversation.error_code == ""
    assert (http.requests[0].target, http.requests[0].timeout_s) == ("elevenlabs.follow", 10.0)


def test_a_failed_conversation_says_why_without_the_number() -> None:
    """The error's reason is kept for the log, its phone number is not."""
    error = {"code": 1011, "reason": "no route to +12125550142", "error_type": "no_answer"}
    body = {"status": "failed", "metadata": {"error": error}, "analysis": None}
    adapter, _ = adapter_of(answer(200, body))
    conversation = run(adapter.conversation("conv_1"))

    assert conversation.terminal
    assert (conversation.error_code, conversation.error_type) == ("1011", "no_answer")
    assert conversation.error_reason == "no route to …142"


@pytest.mark.parametrize("status", ["initiated", "in-progress", "processing", "something new"])
def test_only_done_and_failed_are_final(status: str) -> None:
    """A status nobody knows yet is waited on, not taken for the end."""
    adapter, _ = adapter_of(answer(200, {"status": status}))

    assert not run(adapter.conversation("conv_1")).terminal


SMALL = st.integers(-(2**63), 2**63 - 1)
JSON = st.recursive(
    st.none() | st.booleans() | SMALL | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
PARTS = {
    name: JSON | (st.fixed_dictionaries({}, optional=dict.fromkeys(part, JSON)))
    for name, part in DONE.items()
    if isinstance(part, dict)
}
TURNS = st.lists(JSON | st.fixed_dictionaries({"role": JSON, "message": JSON}), max_size=3)


@given(st.fixed_dictionaries({"status": st.text()}, optional={**PARTS, "transcript": JSON | TURNS}))
def test_nothing_but_the_status_is_relied_on(body: dict[str, Any]) -> None:
    """Null, missing or of another type: every other field may be anything."""
    raw = answer(200, body).body
    conversation = read_conversation(raw)

    assert conversation is not None
    assert conversation.duration_s >= 0


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"status": null}', b"<html>"])
def test_an_unreadable_conversation_is_an_outage(body: bytes) -> None:
    """A 200 that is no conversation is tried again."""
    adapter, _ = adapter_of(answer(200, body))
    error = failure(adapter.conversation("conv_1"))

    assert (type(error), error.code) == (errors.ServiceUnavailable, "unreadable")


STATUSES: list[tuple[int, object, type[ServiceError], Outcome]] = [
    (302, b"", errors.ServiceUnavailable, Outcome.UNAVAILABLE),
    (400, b"", errors.InvalidPayload, Outcome.REJECTED),
    (401, legacy("missing_permissions"), errors.AuthenticationFailed, Outcome.UNAUTHORIZED),
    (401, legacy("quota_exceeded"), errors.QuotaExceeded, Outcome.QUOTA),
    (402, b"", errors.QuotaExceeded, Outcome.QUOTA),
    (403, b"", errors.AuthenticationFailed, Outcome.UNAUTHORIZED),
    (404, detail("conversation_not_found"), errors.InvalidPayload, Outcome.REJECTED),
    (404, detail("agent_not_found"), errors.Misconfigured, Outcome.MISCONFIGURED),
    (408, b"", errors.ServiceUnavailable, Outcome.UNAVAILABLE),
    (409, detail("concurrent_modification"), errors.ServiceUnavailable, Outcome.UNAVAILABLE),
    (422, {"detail": []}, errors.InvalidPayload, Outcome.REJECTED),
    (429, detail("rate_limit_exceeded"), errors.RateLimited, Outcome.THROTTLED),
    (429, legacy("too_many_concurrent_requests"), errors.RateLimited, Outcome.BUSY_HERE),
    (429, detail("system_busy"), errors.ServiceUnavailable, Outcome.UNAVAILABLE),
    (500, b"", errors.ServiceUnavailable, Outcome.UNAVAILABLE),
    (502, b"<html>", errors.ServiceUnavailable, Outcome.UNAVAILABLE),
    (503, detail("maintenance"), errors.ServiceUnavailable, Outcome.UNAVAILABLE),
    (504, b"", errors.ServiceUnavailable, Outcome.UNAVAILABLE),
    (529, b"", errors.ServiceUnavailable, Outcome.UNAVAILABLE),
]


@pytest.mark.parametrize(("status", "body", "kind", "outcome"), STATUSES)
def test_a_refused_reading_is_what_its_body_says(
    status: int, body: object, kind: type[ServiceError], outcome: Outcome
) -> None:
    """Reading changes nothing, so nothing about it is unknown."""
    adapter, _ = adapter_of(answer(status, body))
    error = failure(adapter.conversation("conv_1"))

    assert (type(error), error.outcome, error.status) == (kind, outcome, status)


@pytest.mark.parametrize(
    ("met", "kind"),
    [
        (NotSent("x"), errors.NetworkFailure),
        (NoAnswer("x"), errors.ServiceTimeout),
        (BrokenAnswer("x"), errors.ServiceUnavailable),
    ],
)
def test_a_lost_reading_is_transient(met: TransportError, kind: type[ServiceError]) -> None:
    """A reading that got no answer is read again."""
    adapter, _ = adapter_of(met)

    assert type(failure(adapter.conversation("conv_1"))) is kind


def test_a_health_check_asks_for_one_conversation() -> None:
    """It needs the rights that dialing needs, and costs next to nothing."""
    adapter, http = adapter_of(answer(200, listed()))
    run(adapter.health())

    request = http.requests[0]
    assert (request.target, request.timeout_s) == ("elevenlabs.health", 5.0)
    assert http.query()["page_size"] == ["1"]


def test_a_portal_in_the_way_is_not_healthy() -> None:
    """A page of HTML with status 200 is no platform."""
    adapter, _ = adapter_of(answer(200, b"<html>Please log in</html>"))

    assert type(failure(adapter.health())) is errors.ServiceUnavailable
