"""Alerts to a webhook, signed as Standard Webhooks prescribes (standard-webhooks, spec 1.0)."""

import base64
import binascii
import hmac
from collections.abc import Callable
from hashlib import sha256
from typing import Final

import msgspec

from callagent_cli.clock import utc_text
from callagent_cli.errors import (
    InvalidPayload,
    Misconfigured,
    ServiceUnavailable,
    SettingsError,
)
from callagent_cli.reporting.alert import Alert
from callagent_cli.reporting.channels.fixes import common_fix
from callagent_cli.services.exchange import Exchange, Verdict, is_ok, verdict_of_status
from callagent_cli.services.http import Request

_PREFIX: Final = "whsec_"
_TIMEOUT_S: Final = 20.0
_BODY_MAX: Final = 12_000
"""Characters of a body that are sent: the specification asks for payloads under 20 kB."""


def sign(secret: str, message: str, timestamp_s: int, body: bytes) -> str:
    """Return one signature: `v1,` and the base64 of an HMAC-SHA256 over id, time and body.

    Raises `SettingsError` when the secret is not `whsec_` and base64.
    """
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        hint = "a webhook secret is `whsec_` followed by base64"
        raise SettingsError("the webhook's secret cannot be read", hint=hint) from error
    signed = f"{message}.{timestamp_s}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, sha256)).decode()


class WebhookChannel:
    """Posts each alert as JSON; `webhook-id` stays the same however often it is tried.

    `secrets` signs with several secrets while one is being replaced; none leaves it unsigned.
    Raises `SettingsError` when one of them cannot be read.
    """

    name = "webhook"

    def __init__(
        self, exchange: Exchange, *, path: str, secrets: list[str], utc: Callable[[], float]
    ) -> None:
        for secret in secrets:
            sign(secret, "", 0, b"")
        self._exchange = exchange
        self._path = path
        self._secrets = secrets
        self._utc = utc

    async def deliver(self, alert: Alert) -> None:
        """Post the alert; raises `ServiceError`, with status 410 when the receiver is gone."""
        body = _payload(alert)
        timestamp_s = int(self._utc())
        headers = {
            "content-type": "application/json",
            "webhook-id": alert.message,
            "webhook-timestamp": str(timestamp_s),
        }
        if self._secrets:
            headers["webhook-signature"] = " ".join(
                sign(secret, alert.message, timestamp_s, body) for secret in self._secrets
            )
        response = await self._exchange.send(
            Request(
                target="webhook.send",
                method="POST",
                path=self._path,
                headers=headers,
                body=body,
                timeout_s=_TIMEOUT_S,
                alone=True,
            )
        )
        if not is_ok(response):
            # What a receiver writes into an error page helps nobody and may be long.
            fix = _FIX.get(response.status) or common_fix(response.status, "alerts.webhook.url")
            raise self._exchange.refusal(response, message=fix).error(_verdict(response.status))

    async def close(self) -> None:
        """Release the connections."""
        await self._exchange.http.close()


_FIX: Final = {
    401: "the receiver refuses the signature; compare the secrets",
    403: "the receiver refuses us; compare the secrets and its own rules",
    404: "nothing listens at this address; correct `alerts.webhook.url`",
    410: "the receiver wants no more alerts; correct or remove `alerts.webhook`",
}


def _verdict(status: int) -> Verdict:
    if status in {404, 405, 410}:
        return Verdict(Misconfigured)
    if 300 <= status < 400:  # noqa: PLR2004 — a redirect counts as a failure.
        return Verdict(ServiceUnavailable)
    if status in {400, 413, 422}:
        return Verdict(InvalidPayload)
    return verdict_of_status(status)


def _payload(alert: Alert) -> bytes:
    return msgspec.json.encode(
        {
            "type": f"alert.{alert.kind}",
            "timestamp": utc_text(alert.raised_utc_s),
            "data": {
                "alert": alert.id,
                "incident": alert.incident,
                "status": alert.status,
                "severity": alert.severity,
                "service": alert.service,
                "title": alert.title,
                "body": alert.body[:_BODY_MAX],
                "call": alert.call,
                "run": alert.run,
                "campaign": alert.campaign,
            },
        }
    )
