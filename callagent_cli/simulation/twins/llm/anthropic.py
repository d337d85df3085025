"""The twin of Anthropic's messages API."""

from typing import ClassVar, Final

from callagent_cli.simulation.twins.llm.language_model import LanguageModel
from callagent_cli.simulation.twins.llm.sentences import sentence, tokens_in
from callagent_cli.simulation.twins.twin import (
    Facts,
    TwinAnswer,
    TwinRequest,
    json_answer,
)

_MESSAGES: Final = "/v1/messages"
_MODELS: Final = "/v1/models"
_REQUEST_ERROR: Final = "invalid_request_error"


class AnthropicTwin(LanguageModel):
    """Writes one sentence, which follows from the seed and the messages alone.

    The key is taken from `x-api-key` or as a bearer token, as both are sent by SDKs in use.
    """

    operations: ClassVar = {("POST", _MESSAGES): "compose", ("GET", _MODELS): "health"}

    def handle(self, request: TwinRequest, at: float, facts: Facts | None = None) -> TwinAnswer:
        """Carry the request out and answer it; the answer depends on the time in nothing."""
        del at
        operation = (facts or self.describe(request)).operation
        request_id = self._ids.next()
        answer = self._answer(request, operation, request_id)
        headers = {**answer.headers, "request-id": request_id}
        return TwinAnswer(answer.status, headers, answer.body, self._latency.draw(operation))

    def _answer(self, request: TwinRequest, operation: str, request_id: str) -> TwinAnswer:
        if not operation:
            return _refused(404, "not_found_error", "Not found", request_id=request_id)
        headers = request.headers
        given = headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")
        if given != self._key:
            message = "invalid x-api-key" if given else "x-api-key header is required"
            return _refused(401, "authentication_error", message, request_id=request_id)
        if "anthropic-version" not in headers:
            message = "anthropic-version: header is required"
            return _refused(400, _REQUEST_ERROR, message, request_id=request_id)
        return self._write(request, request_id) if operation == "compose" else self._list()

    def _list(self) -> TwinAnswer:
        models = [
            {"type": "model", "id": model, "display_name": model}
            for model in self._models or ("sandbox-model",)
        ]
        last = models[-1]["id"]
        page = {"data": models, "has_more": False, "first_id": models[0]["id"], "last_id": last}
        return json_answer(200, page)

    def _write(self, request: TwinRequest, request_id: str) -> TwinAnswer:
        body = request.json_object()
        if body is None:
            message = "The request body is not valid JSON"
            return _refused(400, _REQUEST_ERROR, message, request_id=request_id)
        for name in ("model", "max_tokens", "messages"):
            if not body.get(name):
                message = f"{name}: Field required"
                return _refused(400, _REQUEST_ERROR, message, request_id=request_id)
        if self._models and body["model"] not in self._models:
            message = f"model: {body['model']}"
            return _refused(404, "not_found_error", message, request_id=request_id)
        asked = [body.get("system"), body["messages"]]
        text = sentence(self._seed, asked)
        reply = {
            "id": f"msg_{request_id}",
            "type": "message",
            "role": "assistant",
            "content": [{"type": "text", "text": text}],
            "model": body["model"],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": tokens_in(asked), "output_tokens": tokens_in(text)},
        }
        return json_answer(200, reply)


def _refused(status: int, kind: str, message: str, *, request_id: str) -> TwinAnswer:
    error = {"type": kind, "message": message}
    return json_answer(status, {"type": "error", "error": error, "request_id": request_id})
