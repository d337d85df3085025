"""The language models: what is asked, what is read, and what each refusal means."""

from typing import Any

import pytest
from scripted_http import KEY, ScriptedHttp, answer, failure, now, run

from callagent_cli import errors
from callagent_cli.errors import ServiceError
from callagent_cli.resilience.outcome import Outcome
from callagent_cli.services.anthropic import AnthropicAdapter
from callagent_cli.services.http import BrokenAnswer, NoAnswer, NotSent, Response, TransportError
from callagent_cli.services.openai import OpenAiAdapter
from callagent_cli.settings import Model

Adapter = OpenAiAdapter | AnthropicAdapter
ADAPTERS = (OpenAiAdapter, AnthropicAdapter)


def gpt(
    *answers: Response | TransportError,
    **settings: Any,  # noqa: ANN401 — the fields of Model.
) -> tuple[OpenAiAdapter, ScriptedHttp]:
    """Return an OpenAI-compatible adapter that meets these answers."""
    http = ScriptedHttp(*answers)
    return OpenAiAdapter(http, Model(**settings), KEY, now), http


def claude(
    *answers: Response | TransportError,
    **settings: Any,  # noqa: ANN401 — the fields of Model.
) -> tuple[AnthropicAdapter, ScriptedHttp]:
    """Return an Anthropic adapter that meets these answers."""
    http = ScriptedHttp(*answers)
    return AnthropicAdapter(http, Model(**settings), KEY, now), http


def completion(content: object, **message: object) -> dict[str, Any]:
    """Return a chat completion."""
    return {"choices": [{"message": {"content": content, **message}, "finish_reason": "stop"}]}


def openai_error(code: object, kind: object = "some_type", message: str = "m") -> dict[str, Any]:
    """Return an error in OpenAI's envelope."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def claude_error(kind: str, code: str = "", message: str = "m") -> dict[str, Any]:
    """Return an error in Anthropic's envelope."""
    details = {"details": {"error_code": code}} if code else {}
    error = {"type": kind, "message": message, **details}
    return {"type": "error", "error": error, "request_id": "req_body"}


def test_a_chat_is_asked_and_read() -> None:
    """The prompt is the user's message; the answer comes back without blanks around it."""
    adapter, http = gpt(answer(200, completion(" Hello Ada. \n")), max_tokens=50)
    said = run(adapter.compose(prompt="Greet Ada"))

    request = http.requests[0]
    assert said == "Hello Ada."
    assert (request.target, request.path, request.timeout_s) == (
        "llm.compose",
        "/v1/chat/completions",
        30.0,
    )
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert http.body == {
        "model": "gpt-4o-mini",
        "messages": [{"role": "user", "content": "Greet Ada"}],
        "max_completion_tokens": 50,
    }


def test_a_message_is_asked_and_read() -> None:
    """Only text blocks are what is said."""
    blocks = [{"type": "thinking", "text": "hm"}, {"type": "text", "text": "Hello"}]
    adapter, http = claude(answer(200, {"content": blocks}), model="claude")
    said = run(adapter.compose(prompt="Greet Ada"))

    request = http.requests[0]
    assert said == "Hello"
    assert (request.target, request.path) == ("llm.compose", "/v1/messages")
    assert request.headers["x-api-key"] == KEY
    assert request.headers["anthropic-version"] == "2023-06-01"
    assert http.body["max_tokens"] == 200


def test_the_newer_way_to_show_a_key_is_a_setting() -> None:
    """Header and version of Anthropic's API can be changed without a release."""
    adapter, http = claude(
        answer(200, {"content": [{"type": "text", "text": "Hi"}]}),
        anthropic_auth="bearer",
        anthropic_version="2026-10-21",
    )
    run(adapter.compose(prompt="p"))

    headers = http.requests[0].headers
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["anthropic-version"] == "2026-10-21"
    assert "x-api-key" not in headers


def test_a_second_model_has_a_name_of_its_own() -> None:
    """Faults and logs tell the fallback from the first model."""
    http = ScriptedHttp(answer(200, {"data": []}))
    run(OpenAiAdapter(http, Model(), KEY, now, service="llm_fallback").health())

    assert (http.requests[0].target, http.requests[0].path) == ("llm_fallback.health", "/v1/models")


def test_a_base_address_may_end_with_its_version() -> None:
    """`https://host/v1`, as every other client wants it, works too."""
    adapter, http = gpt(answer(200, completion("Hi")), base_url="http://127.0.0.1:1/v1/")
    run(adapter.compose(prompt="p"))

    assert http.requests[0].path == "/chat/completions"


def test_a_server_of_ones_own_needs_no_key() -> None:
    """Without a key no empty header is sent."""
    http = ScriptedHttp(answer(200, completion("Hi")))
    run(OpenAiAdapter(http, Model(), "", now).compose(prompt="p"))

    assert "authorization" not in http.requests[0].headers


def test_content_in_parts_is_joined() -> None:
    """Some servers answer with a list of parts."""
    parts = [{"type": "text", "text": "Hello "}, {"type": "text", "text": "Ada"}, 5]
    adapter, _ = gpt(answer(200, completion(parts)))

    assert run(adapter.compose(prompt="p")) == "Hello Ada"


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"<html>", b"null", {}, {"choices": []}, {"choices": None}, {"choices": [{}]}),
        *(completion(""), completion("  "), completion(None), completion(5), {"error": None}),
    ],
)
def test_an_empty_completion_is_an_outage(body: object) -> None:
    """Nothing to say is tried again; it is never said."""
    adapter, _ = gpt(answer(200, body))
    error = failure(adapter.compose(prompt="p"))

    assert (type(error), error.code) == (errors.ServiceUnavailable, "unreadable")


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[]", {}, {"content": []}, {"content": None}),
        {"content": [{"type": "tool_use"}]},
        {"content": [None, {"type": "text", "text": " "}]},
    ],
)
def test_an_empty_message_is_an_outage(body: object) -> None:
    """Nothing to say is tried again; it is never said."""
    adapter, _ = claude(answer(200, body))
    error = failure(adapter.compose(prompt="p"))

    assert (type(error), error.code) == (errors.ServiceUnavailable, "unreadable")


def test_a_model_that_declines_rejects_this_contact() -> None:
    """A refusal would be repeated word for word, so it is not asked for again."""
    filtered = {"choices": [{"message": {"content": None}, "finish_reason": "content_filter"}]}
    declined, _ = gpt(answer(200, completion(None, refusal="I cannot")))
    blocked, _ = gpt(answer(200, filtered))
    refused, _ = claude(answer(200, {"content": [], "stop_reason": "refusal"}))

    for adapter in (declined, blocked, refused):
        assert failure(adapter.compose(prompt="p")).outcome is Outcome.REJECTED


QUOTA_CODES = (
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "billing_hard_limit_reached",
    "billing_not_active",
)
OPENAI: list[tuple[int, object, type[ServiceError]]] = [
    *((429, openai_error(code), errors.QuotaExceeded) for code in QUOTA_CODES),
    (429, openai_error(None, "insufficient_quota"), errors.QuotaExceeded),
    (429, openai_error("rate_limit_exceeded"), errors.RateLimited),
    (429, openai_error("slow_down"), errors.RateLimited),
    (429, openai_error("server_is_overloaded"), errors.ServiceUnavailable),
    (429, b"", errors.RateLimited),
    (400, openai_error("context_length_exceeded"), errors.InvalidPayload),
    (400, openai_error("content_policy_violation"), errors.InvalidPayload),
    (422, {"detail": []}, errors.InvalidPayload),
    (401, openai_error("invalid_api_key"), errors.AuthenticationFailed),
    (402, b"", errors.QuotaExceeded),
    (403, openai_error("unsupported_country_region_territory"), errors.AuthenticationFailed),
    (404, openai_error("model_not_found"), errors.Misconfigured),
    (404, {"error": "model 'x' not found"}, errors.Misconfigured),
    (404, b"404 page not found", errors.Misconfigured),
    (408, b"", errors.ServiceUnavailable),
    (409, b"", errors.ServiceUnavailable),
    (500, openai_error(None, "server_error"), errors.ServiceUnavailable),
    (502, b"<html>", errors.ServiceUnavailable),
    (503, openai_error("server_is_overloaded"), errors.ServiceUnavailable),
    (503, openai_error("slow_down"), errors.ServiceUnavailable),
    (504, b"", errors.ServiceUnavailable),
    (302, b"", errors.ServiceUnavailable),
    (200, openai_error("server_is_overloaded"), errors.ServiceUnavailable),
    (200, openai_error("rate_limit_exceeded"), errors.RateLimited),
    (200, {"error": "oops"}, errors.ServiceUnavailable),
]
ANTHROPIC: list[tuple[int, object, type[ServiceError]]] = [
    (400, claude_error("invalid_request_error"), errors.InvalidPayload),
    (
        400,
        claude_error(
            "invalid_request_error", message="You have reached your specified API usage limits."
        ),
        errors.QuotaExceeded,
    ),
    (
        400,
        claude_error("invalid_request_error", message="Your credit balance is too low"),
        errors.QuotaExceeded,
    ),
    (401, claude_error("authentication_error"), errors.AuthenticationFailed),
    (402, claude_error("billing_error"), errors.QuotaExceeded),
    (403, claude_error("permission_error"), errors.AuthenticationFailed),
    (404, claude_error("not_found_error"), errors.Misconfigured),
    (409, claude_error("conflict_error"), errors.ServiceUnavailable),
    (413, claude_error("request_too_large"), errors.InvalidPayload),
    (429, claude_error("rate_limit_error"), errors.RateLimited),
    (429, claude_error("rate_limit_error", "enforced_spend_limit_reached"), errors.QuotaExceeded),
    (429, claude_error("rate_limit_error", "contract_spend_limit_reached"), errors.QuotaExceeded),
    (429, claude_error("rate_limit_error", "ramp_limit_exceeded"), errors.RateLimited),
    (500, claude_error("api_error"), errors.ServiceUnavailable),
    (504, claude_error("timeout_error"), errors.ServiceUnavailable),
    (529, claude_error("overloaded_error"), errors.ServiceUnavailable),
    (200, claude_error("overloaded_error"), errors.ServiceUnavailable),
    (200, claude_error("api_error"), errors.ServiceUnavailable),
]


@pytest.mark.parametrize(("status", "body", "kind"), OPENAI)
def test_a_chat_refusal_is_what_its_body_says(
    status: int, body: object, kind: type[ServiceError]
) -> None:
    """Each row of OpenAI's error table, and the envelopes of servers that imitate it."""
    adapter, _ = gpt(answer(status, body))
    error = failure(adapter.compose(prompt="p"))

    assert (type(error), error.status) == (kind, status)


@pytest.mark.parametrize(("status", "body", "kind"), ANTHROPIC)
def test_a_message_refusal_is_what_its_body_says(
    status: int, body: object, kind: type[ServiceError]
) -> None:
    """Each row of Anthropic's error table."""
    adapter, _ = claude(answer(status, body))
    error = failure(adapter.compose(prompt="p"))

    assert (type(error), error.status) == (kind, status)
    assert error.request_id == "req_body"


def test_a_wanted_wait_reaches_the_ladder() -> None:
    """Retry-After survives, on a rate limit as on an overload."""
    adapter, _ = claude(answer(529, claude_error("overloaded_error"), retry_after="33"))

    assert failure(adapter.compose(prompt="p")).retry_after_s == 33.0


@pytest.mark.parametrize(
    ("met", "kind"),
    [
        (NotSent("x"), errors.NetworkFailure),
        (NoAnswer("x"), errors.ServiceTimeout),
        (BrokenAnswer("x"), errors.ServiceUnavailable),
    ],
)
@pytest.mark.parametrize("adapter_class", ADAPTERS)
def test_a_lost_completion_is_transient(
    adapter_class: type[Adapter], met: TransportError, kind: type[ServiceError]
) -> None:
    """Composing twice costs a cent and harms nobody."""
    adapter = adapter_class(ScriptedHttp(met), Model(), KEY, now)

    assert type(failure(adapter.compose(prompt="p"))) is kind


@pytest.mark.parametrize("adapter_class", ADAPTERS)
def test_the_list_of_models_is_the_health_check(adapter_class: type[Adapter]) -> None:
    """A list is healthy, whatever is on it; a page of HTML is not."""
    http = ScriptedHttp(answer(200, {"data": None}), answer(200, b"<html>"))
    adapter = adapter_class(http, Model(), KEY, now)
    run(adapter.health())

    assert http.requests[0].timeout_s == 5.0
    assert type(failure(adapter.health())) is errors.ServiceUnavailable
