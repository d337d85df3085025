"""The twin of an OpenAI-compatible language model."""

from typing import ClassVar, Final

from callagent_cli.simulation.twins.llm.language_model import LanguageModel
from callagent_cli.simulation.twins.llm.sentences import sentence, tokens_in
from callagent_cli.simulation.twins.twin import (
    Facts,
    JsonObject,
    TwinAnswer,
    TwinRequest,
    json_answer,
)

_CHAT: Final = "/v1/chat/completions"
_MODELS: Final = "/v1/models"
_REQUEST_ERROR: Final = "invalid_request_error"


class OpenAiTwin(LanguageModel):
    """Writes one sentence, which follows from the seed and the messages alone."""

    operations: ClassVar = {("POST", _CHAT): "compose", ("GET", _MODELS): "health"}

    def handle(self, request: TwinRequest, at: float, facts: Facts | None = None) -> TwinAnswer:
        """Carry the request out and answer it."""
        operation = (facts or self.describe(request)).operation
        answer = self._answer(request, operation, at)
        headers = {**answer.headers, "x-request-id": self._ids.next()}
        return TwinAnswer(answer.status, headers, answer.body, self._latency.draw(operation))

    def _answer(self, request: TwinRequest, operation: str, at: float) -> TwinAnswer:
        if not operation:
            return _refused(404, f"Invalid URL ({request.method} {request.path})")
        given = request.headers.get("authorization", "")
        if given != f"Bearer {self._key}":
            message = "Incorrect API key provided." if given else "You didn't provide an API key."
            return _refused(401, message, code="invalid_api_key")
        return self._chat(request, at) if operation == "compose" else self._list(at)

    def _list(self, at: float) -> TwinAnswer:
        models = [
            {"id": model, "object": "model", "created": int(at), "owned_by": "sandbox"}
            for model in self._models or ("sandbox-model",)
        ]
        return json_answer(200, {"object": "list", "data": models})

    def _chat(self, request: TwinRequest, at: float) -> TwinAnswer:
        body = request.json_object()
        if body is None:
            return _refused(400, "We could not parse the JSON body of your request.")
        refusal = self._refusal(body)
        if refusal is not None:
            return refusal
        text = sentence(self._seed, body["messages"])
        prompt, completion = tokens_in(body["messages"]), tokens_in(text)
        reply = {
            "id": f"chatcmpl-{self._ids.next()}",
            "object": "chat.completion",
            "created": int(at),
            "model": body["model"],
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": text, "refusal": None},
                    "finish_reason": "stop",
                }
            ],
            "usage": {
                "prompt_tokens": prompt,
                "completion_tokens": completion,
                "total_tokens": prompt + completion,
            },
        }
        return json_answer(200, reply)

    def _refusal(self, body: JsonObject) -> TwinAnswer | None:
        for name in ("model", "messages"):
            if not body.get(name):
                code = "missing_required_parameter"
                return _refused(400, f"Missing required parameter: '{name}'.", name, code=code)
        if not isinstance(body["messages"], list):
            return _refused(400, "'messages' is not an array.", "messages", code="invalid_type")
        if self._models and body["model"] not in self._models:
            message = f"The model `{body['model']}` does not exist."
            return _refused(404, message, code="model_not_found")
        return None


def _refused(
    status: int, message: str, param: str | None = None, *, code: str | None = None
) -> TwinAnswer:
    error = {"message": message, "type": _REQUEST_ERROR, "param": param, "code": code}
    return json_answer(status, {"error": error})
