"""The pretended language models: both dialects, their keys and their errors."""

from typing import Any

import pytest
from twin_helpers import NOON, ask, json_of

from callagent_cli.simulation.twins.keys import LLM_KEY
from callagent_cli.simulation.twins.llm.anthropic import AnthropicTwin
from callagent_cli.simulation.twins.llm.openai import OpenAiTwin
from callagent_cli.simulation.twins.llm.twin import LlmTwin

BEARER = {"authorization": f"Bearer {LLM_KEY}"}
VERSION = {"anthropic-version": "2023-06-01"}
API_KEY = {"x-api-key": LLM_KEY, **VERSION}
CHAT, MESSAGES, MODELS = "/v1/chat/completions", "/v1/messages", "/v1/models"


def question(about: str = "Ana") -> dict[str, Any]:
    """Return a body that both dialects take."""
    messages = [{"role": "user", "content": f"Greet {about}."}]
    return {"model": "sandbox-model", "max_tokens": 50, "messages": messages}


def test_a_chat_completion_has_all_required_fields() -> None:
    """The answer is a chat completion with one choice and its usage."""
    answer = ask(OpenAiTwin(), "POST", CHAT, headers=BEARER, body=question())

    body = json_of(answer)
    assert (answer.status, body["object"], body["created"]) == (200, "chat.completion", int(NOON))
    assert body["choices"][0]["message"]["content"]
    assert body["choices"][0]["finish_reason"] == "stop"
    usage = body["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert answer.headers["x-request-id"]


def test_a_message_has_all_required_fields() -> None:
    """The answer is an assistant's message with one text block and its usage."""
    answer = ask(AnthropicTwin(), "POST", MESSAGES, headers=API_KEY, body=question())

    body = json_of(answer)
    assert (answer.status, body["type"], body["role"]) == (200, "message", "assistant")
    assert body["content"][0]["type"] == "text"
    assert body["content"][0]["text"]
    assert {"input_tokens", "output_tokens"} == set(body["usage"])
    assert answer.headers["request-id"]


def test_what_is_written_follows_from_seed_and_question_alone() -> None:
    """Asked in another order and at another time, the same question gets the same sentence."""

    def written(seed: int, *abouts: str) -> dict[str, str]:
        twin = OpenAiTwin(seed=seed)
        answers = {}
        for at, about in enumerate(abouts):
            sent = ask(twin, "POST", CHAT, at=at, headers=BEARER, body=question(about))
            answers[about] = json_of(sent)["choices"][0]["message"]["content"]
        return answers

    names = [f"person {number}" for number in range(20)]
    assert written(7, *names) == written(7, *reversed(names))
    assert written(7, *names) != written(8, *names)
    assert len(set(written(7, *names).values())) > 1


@pytest.mark.parametrize(
    ("twin", "headers", "first"),
    [(OpenAiTwin(), BEARER, "data"), (AnthropicTwin(), API_KEY, "data")],
)
def test_the_models_are_listed(
    twin: OpenAiTwin | AnthropicTwin, headers: dict[str, str], first: str
) -> None:
    """The health check's route lists at least one model."""
    answer = ask(twin, "GET", MODELS, headers=headers)

    assert (answer.status, json_of(answer)[first][0]["id"]) == (200, "sandbox-model")


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer another"}])
def test_openai_refuses_a_wrong_key(headers: dict[str, str]) -> None:
    """The error has all four keys and the code of a wrong key."""
    answer = ask(OpenAiTwin(), "GET", MODELS, headers=headers)

    error = json_of(answer)["error"]
    assert answer.status == 401
    assert set(error) == {"message", "type", "param", "code"}
    assert error["code"] == "invalid_api_key"


@pytest.mark.parametrize("headers", [VERSION, {**VERSION, "x-api-key": "another"}])
def test_anthropic_refuses_a_wrong_key(headers: dict[str, str]) -> None:
    """The error names its type and the request's id."""
    answer = ask(AnthropicTwin(), "GET", MODELS, headers=headers)

    body = json_of(answer)
    assert (answer.status, body["error"]["type"]) == (401, "authentication_error")
    assert body["request_id"] == answer.headers["request-id"]


def test_anthropic_takes_the_key_as_a_bearer_token_too() -> None:
    """Both ways to send the key that SDKs in use have are accepted."""
    answer = ask(AnthropicTwin(), "GET", MODELS, headers={**BEARER, **VERSION})

    assert answer.status == 200


def test_anthropic_wants_its_version() -> None:
    """A request without the version header is an invalid request."""
    answer = ask(AnthropicTwin(), "GET", MODELS, headers={"x-api-key": LLM_KEY})

    assert (answer.status, json_of(answer)["error"]["type"]) == (400, "invalid_request_error")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"no json", None),
        ({"model": "m"}, "messages"),
        ({"messages": [{"role": "user", "content": "hi"}]}, "model"),
        ({"model": "m", "messages": "hi"}, "messages"),
    ],
)
def test_openai_refuses_an_incomplete_question(body: object, param: str | None) -> None:
    """What is missing or of the wrong type is named as the error's parameter."""
    answer = ask(OpenAiTwin(), "POST", CHAT, headers=BEARER, body=body)

    error = json_of(answer)["error"]
    assert (answer.status, error["type"], error["param"]) == (400, "invalid_request_error", param)


@pytest.mark.parametrize("missing", ["model", "max_tokens", "messages"])
def test_anthropic_refuses_an_incomplete_question(missing: str) -> None:
    """What is missing is named in the message."""
    body = {name: value for name, value in question().items() if name != missing}
    answer = ask(AnthropicTwin(), "POST", MESSAGES, headers=API_KEY, body=body)

    assert answer.status == 400
    assert json_of(answer)["error"]["message"].startswith(missing)


def test_anthropic_refuses_what_is_no_json() -> None:
    """A body that cannot be read is an invalid request."""
    answer = ask(AnthropicTwin(), "POST", MESSAGES, headers=API_KEY, body=b"no json")

    assert (answer.status, json_of(answer)["error"]["type"]) == (400, "invalid_request_error")


def test_a_model_that_is_not_served_is_not_found() -> None:
    """With a list of models, any other one gives 404 in both dialects."""
    openai = OpenAiTwin(models=("m",))
    anthropic = AnthropicTwin(models=("m",))
    first = ask(openai, "POST", CHAT, headers=BEARER, body=question())
    second = ask(anthropic, "POST", MESSAGES, headers=API_KEY, body=question())

    assert (first.status, json_of(first)["error"]["code"]) == (404, "model_not_found")
    assert (second.status, json_of(second)["error"]["type"]) == (404, "not_found_error")


@pytest.mark.parametrize(
    ("headers", "kind"), [(BEARER, "invalid_request_error"), (API_KEY, "not_found_error")]
)
def test_an_unknown_route_is_refused_in_the_dialect_it_was_asked_in(
    headers: dict[str, str], kind: str
) -> None:
    """The twin that speaks both dialects answers 404 in the caller's own."""
    answer = ask(LlmTwin(), "POST", "/v1/nothing", headers=headers)

    assert (answer.status, json_of(answer)["error"]["type"]) == (404, kind)


def test_one_twin_serves_both_dialects() -> None:
    """Chat completions and messages are answered by the same twin."""
    twin = LlmTwin()

    assert ask(twin, "POST", CHAT, headers=BEARER, body=question()).status == 200
    assert ask(twin, "POST", MESSAGES, headers=API_KEY, body=question()).status == 200
    assert "object" in json_of(ask(twin, "GET", MODELS, headers=BEARER))
    assert "has_more" in json_of(ask(twin, "GET", MODELS, headers=API_KEY))
