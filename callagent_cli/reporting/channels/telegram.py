"""Alerts by a Telegram bot (Bot API, `sendMessage`)."""

from typing import Any, Final

import msgspec

from callagent_cli.errors import (
    AuthenticationFailed,
    InvalidPayload,
    Misconfigured,
    ServiceError,
    ServiceUnavailable,
)
from callagent_cli.reporting.alert import Alert
from callagent_cli.services.answers import decode, mapping, number, text
from callagent_cli.services.exchange import Exchange, Verdict, is_ok, verdict_of_status
from callagent_cli.services.http import Request, Response

TEXT_MAX: Final = 4096
"""Characters of a message that Telegram takes."""

_TIMEOUT_S: Final = 20.0


class TelegramChannel:
    """Sends each alert as one message to one chat; follows a chat that became a supergroup.

    A second message is the accepted cost of a lost answer: the Bot API knows no idempotency.
    """

    name = "telegram"

    def __init__(self, exchange: Exchange, *, token: str, chat_id: str) -> None:
        self._exchange = exchange
        self._token = token
        self._chat_id = chat_id

    async def deliver(self, alert: Alert) -> None:
        """Send the alert; raises `ServiceError` with words that name the way out."""
        response = await self._send(alert)
        moved_to = number(_parameters(response).get("migrate_to_chat_id"))
        if moved_to is not None:
            self._chat_id = str(int(moved_to))
            response = await self._send(alert)
        error = self._error(response)
        if error is not None:
            raise error

    async def close(self) -> None:
        """Release the connections."""
        await self._exchange.http.close()

    async def _send(self, alert: Alert) -> Response:
        body = {
            "chat_id": self._chat_id,
            "text": _text(alert),
            "disable_notification": alert.severity == "info",
            "link_preview_options": {"is_disabled": True},
        }
        return await self._exchange.send(
            Request(
                target="telegram.send",
                method="POST",
                path=f"/bot{self._token}/sendMessage",
                headers={"content-type": "application/json"},
                body=msgspec.json.encode(body),
                timeout_s=_TIMEOUT_S,
            )
        )

    def _error(self, response: Response) -> ServiceError | None:
        answer = mapping(decode(response.body, dict[str, Any]))
        if is_ok(response) and answer.get("ok") is True:
            return None
        description = text(answer.get("description"))
        refusal = self._exchange.refusal(response, message=description)
        error = refusal.error(_verdict(response.status, description))
        # The body names the wait too; a proxy may have lost the header.
        asked_s = number(_parameters(response).get("retry_after"))
        if asked_s is not None and error.retry_after_s is None:
            error.retry_after_s = max(0.0, asked_s)
        return error


def _verdict(status: int, description: str) -> Verdict:
    words = description.lower()
    if status == 400 and ("chat not found" in words or "peer_id_invalid" in words):  # noqa: PLR2004 — Bad Request.
        return Verdict(Misconfigured)
    if status == 404:  # noqa: PLR2004 — what Telegram answers to a malformed token.
        return Verdict(AuthenticationFailed)
    if status == 400:  # noqa: PLR2004 — as above.
        return Verdict(InvalidPayload)
    if status < 400:  # noqa: PLR2004 — a success without `"ok":true` comes from something in between.
        return Verdict(ServiceUnavailable)
    return verdict_of_status(status)


def _parameters(response: Response) -> dict[str, Any]:
    answer = mapping(decode(response.body, dict[str, Any]))
    return mapping(answer.get("parameters"))


def _text(alert: Alert) -> str:
    whole = f"[{alert.severity}] {alert.title}\n\n{alert.body}"
    return whole if len(whole) <= TEXT_MAX else whole[: TEXT_MAX - 1] + "…"
