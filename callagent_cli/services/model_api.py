"""What the two model APIs share: a key, a question posted as JSON, and a list of models."""

from collections.abc import Mapping
from typing import Any

import msgspec

from callagent_cli.errors import ServiceUnavailable
from callagent_cli.services.answers import decode
from callagent_cli.services.exchange import Exchange, is_ok, versioned
from callagent_cli.services.http import Request, Response
from callagent_cli.services.model_errors import error_of, is_error
from callagent_cli.settings import Model


class ModelApi:
    """Sends a model's requests and raises its refusals; `headers` carry the key."""

    def __init__(self, exchange: Exchange, settings: Model, headers: Mapping[str, str]) -> None:
        self.exchange = exchange
        self._settings = settings
        self._headers = dict(headers)
        self._health = Request(
            target=f"{exchange.service}.health",
            method="GET",
            path=versioned(settings.base_url, "/v1/models"),
            headers=self._headers,
            timeout_s=settings.policy.health.timeout_s,
        )

    async def ask(self, path: str, question: Mapping[str, Any]) -> Response:
        """Return the 2xx answer to a question; raises `ServiceError` for anything else."""
        request = Request(
            target=f"{self.exchange.service}.compose",
            method="POST",
            path=versioned(self._settings.base_url, path),
            headers={**self._headers, "content-type": "application/json"},
            body=msgspec.json.encode(question),
            timeout_s=self._settings.timeout_s,
            # Else one person could be told what was written for another.
            alone=True,
        )
        return await self._answered(request)

    async def health(self) -> None:
        """List the models, which is free."""
        response = await self._answered(self._health)
        if decode(response.body, dict) is None:
            raise self.exchange.unreadable(response, kind=ServiceUnavailable)

    async def _answered(self, request: Request) -> Response:
        response = await self.exchange.send(request)
        if not is_ok(response) or is_error(response.body):
            raise error_of(self.exchange, response)
        return response
