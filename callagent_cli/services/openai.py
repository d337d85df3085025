"""Language models behind the OpenAI-compatible chat completions API."""

from collections.abc import Callable
from typing import Any

import msgspec

from callagent_cli.errors import InvalidPayload, ServiceUnavailable
from callagent_cli.services.answers import decode, mapping, text
from callagent_cli.services.exchange import Exchange
from callagent_cli.services.http import Http
from callagent_cli.services.model_api import ModelApi
from callagent_cli.settings import Model


class _Choice(msgspec.Struct):
    message: Any = None
    finish_reason: Any = None


class _Completion(msgspec.Struct):
    choices: list[_Choice]


class OpenAiAdapter:
    """Asks an OpenAI-compatible model; `service` is `llm` or `llm_fallback`.

    `utc` gives the seconds since 1970. Every method raises only `ServiceError`s.
    """

    def __init__(
        self,
        http: Http,
        settings: Model,
        api_key: str,
        utc: Callable[[], float],
        *,
        service: str = "llm",
    ) -> None:
        # A server of one's own may want no key at all.
        headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
        exchange = Exchange(http=http, service=service, utc=utc, secret=api_key)
        self._api = ModelApi(exchange, settings, headers)
        self._settings = settings

    async def compose(self, *, prompt: str) -> str:
        """Return what the model answers to a prompt, never empty.

        Raises `InvalidPayload` when the model declines to answer.
        """
        question = {
            "model": self._settings.model,
            "messages": [{"role": "user", "content": prompt}],
            "max_completion_tokens": self._settings.max_tokens,
        }
        response = await self._api.ask("/v1/chat/completions", question)
        completion = decode(response.body, _Completion)
        choice = completion.choices[0] if completion and completion.choices else _Choice()
        message = mapping(choice.message)
        said = _content(message.get("content"))
        if said:
            return said
        exchange = self._api.exchange
        if text(message.get("refusal")) or choice.finish_reason == "content_filter":
            raise exchange.unreadable(response, kind=InvalidPayload, code="content_filter")
        raise exchange.unreadable(response, kind=ServiceUnavailable)

    async def health(self) -> None:
        """List the models, which is free."""
        await self._api.health()


def _content(content: object) -> str:
    """Return the text of a message: a string, or a list of parts on some servers."""
    if isinstance(content, list):
        return "".join(text(mapping(part).get("text")) for part in content).strip()
    return text(content).strip()
