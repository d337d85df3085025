"""Language models behind Anthropic's messages API."""

from collections.abc import Callable
from typing import Any

import msgspec

from callagent_cli.errors import InvalidPayload, ServiceUnavailable
from callagent_cli.services.answers import decode, mapping, text
from callagent_cli.services.exchange import Exchange
from callagent_cli.services.http import Http
from callagent_cli.services.model_api import ModelApi
from callagent_cli.settings import Model


class _Message(msgspec.Struct):
    content: list[Any] = []
    stop_reason: Any = None


class AnthropicAdapter:
    """Asks a Claude model; `service` is `llm` or `llm_fallback`.

    Whether the servers go on accepting the older header and version is UNVERIFIED, so both are
    settings. `utc` gives the seconds since 1970. Every method raises only `ServiceError`s.
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
        bearer = settings.anthropic_auth == "bearer"
        auth = {"authorization": f"Bearer {api_key}"} if bearer else {"x-api-key": api_key}
        headers = {**auth, "anthropic-version": settings.anthropic_version}
        exchange = Exchange(http=http, service=service, utc=utc, secret=api_key)
        self._api = ModelApi(exchange, settings, headers)
        self._settings = settings

    async def compose(self, *, prompt: str) -> str:
        """Return what the model answers to a prompt, never empty.

        Raises `InvalidPayload` when the model declines to answer.
        """
        question = {
            "model": self._settings.model,
            "max_tokens": self._settings.max_tokens,
            "messages": [{"role": "user", "content": prompt}],
        }
        response = await self._api.ask("/v1/messages", question)
        message = decode(response.body, _Message) or _Message()
        blocks = map(mapping, message.content)
        said = "".join(text(block.get("text")) for block in blocks if block.get("type") == "text")
        if said.strip():
            return said.strip()
        exchange = self._api.exchange
        if message.stop_reason == "refusal":
            raise exchange.unreadable(response, kind=InvalidPayload, code="refusal")
        raise exchange.unreadable(response, kind=ServiceUnavailable)

    async def health(self) -> None:
        """List the models; UNVERIFIED whether that counts against a rate limit of its own."""
        await self._api.health()
