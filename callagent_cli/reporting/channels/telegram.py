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
from callagent_cli.reporting.channels.fixes import common_fix
from callagent_cli.services.answers import decode, mapping, number, text
from callagent_cli.services.exchange import Exchange, Verdict, is_ok, verdict_of_status
from callagent_cli.services.http import Request, Response

TEXT_MAX: Final = 4096
"""Characters of a message that Telegram takes."""

_TIMEOUT_S: Final = 20.0
_ELSEWHERE: Final = frozenset({405, 410})
"""What Telegram answers to nobody: the address is another's."""


class TelegramChannel:
    """Sends each alert as one message to one chat; follows a chat that became a supergroup.

    Where to is kept by the outbox (`learned`, `recall`), for Telegram says it to each message that
    is sent to the old chat, and one day may not say it any more. A second message is the accepted
    cost of a lost answer: the Bot API knows no idempotency.
    """

    name = "telegram"

    def __init__(self, exchange: Exchange, *, token: str, chat_id: str) -> None:
        self._exchange = exchange
        self._token = token
        self._set_chat_id = chat_id
        self._chat_id = chat_id

    async def deliver(self, alert: Alert) -> None:
        """Send the alert; raises `ServiceError` with words that name the way out."""
        response = await self._send(alert)
        if self._follow(response):
            response = await self._send(alert)
        error = self._error(response)
        if error is not None:
            raise error

    async def check(self) -> str:
        """Ask for the bot and the chat, without writing; raises `ServiceError`."""
        bot, chat = await self._ask("getMe"), await self._ask("getChat")
        name = text(chat.get("title")) or text(chat.get("username")) or self._chat_id
        found = f"the bot @{text(bot.get('username'))} knows the chat {name}"
        return f"{found}; {self.advice}" if self.learned else found

    @property
    def learned(self) -> str:
        """Which chat moved where; empty when it is where the settings say."""
        if self._chat_id == self._set_chat_id:
            return ""
        return f"{self._set_chat_id}>{self._chat_id}"

    @property
    def advice(self) -> str:
        """Which setting to change."""
        return f"the chat moved: set `alerts.telegram.chat_id` to `{self._chat_id}`"

    def recall(self, learned: str) -> None:
        """Take up where the chat moved to, unless the settings name another one by now."""
        moved_from, _, moved_to = learned.partition(">")
        if moved_from == self._set_chat_id and moved_to:
            self._chat_id = moved_to

    async def close(self) -> None:
        """Release the connections."""
        await self._exchange.http.close()

    def _follow(self, response: Response) -> bool:
        """Take up where the chat moved to; tell whether an answer said so."""
        moved_to = number(_parameters(response).get("migrate_to_chat_id"))
        if moved_to is None or str(int(moved_to)) == self._chat_id:
            return False
        self._chat_id = str(int(moved_to))
        return True

    async def _ask(self, method: str) -> dict[str, Any]:
        """Return what a method tells that changes nothing; raises `ServiceError`."""
        response = await self._post(method, {"chat_id": self._chat_id})
        if self._follow(response):
            response = await self._post(method, {"chat_id": self._chat_id})
        error = self._error(response)
        if error is not None:
            raise error
        return mapping(mapping(decode(response.body, dict[str, Any])).get("result"))

    async def _send(self, alert: Alert) -> Response:
        body = {
            "chat_id": self._chat_id,
            "text": _text(alert),
            "disable_notification": alert.severity == "info",
            "link_preview_options": {"is_disabled": True},
        }
        return await self._post("sendMessage", body)

    async def _post(self, method: str, body: dict[str, Any]) -> Response:
        return await self._exchange.send(
            Request(
                target="telegram.send",
                method="POST",
                path=f"/bot{self._token}/{method}",
                headers={"content-type": "application/json"},
                body=msgspec.json.encode(body),
                timeout_s=_TIMEOUT_S,
                alone=True,
            )
        )

    def _error(self, response: Response) -> ServiceError | None:
        answer = mapping(decode(response.body, dict[str, Any]))
        if is_ok(response) and answer.get("ok") is True:
            return None
        description = text(answer.get("description"))
        verdict = _verdict(response.status, description)
        said = "; ".join(filter(None, (description, _fix(response.status, verdict))))
        error = self._exchange.refusal(response, message=said).error(verdict)
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
    if status in _ELSEWHERE:
        return Verdict(Misconfigured)
    if status < 400:  # noqa: PLR2004 — a success without `"ok":true` comes from something in between.
        return Verdict(ServiceUnavailable)
    return verdict_of_status(status)


def _fix(status: int, verdict: Verdict) -> str:
    """Return the way out, as far as a person is needed."""
    if status in _ELSEWHERE:
        return common_fix(status, "alerts.telegram.base_url")
    if verdict.kind is Misconfigured:
        return "correct `alerts.telegram.chat_id`, or write to the bot from that chat once"
    if status == 403:  # noqa: PLR2004 — Forbidden: blocked, or not in the chat any more.
        return "let the bot into the chat again, or correct `alerts.telegram.chat_id`"
    if verdict.kind is AuthenticationFailed:
        return "correct the token of `alerts.telegram`"
    if status < 400:  # noqa: PLR2004 — as above.
        return "that is no answer of Telegram; correct `alerts.telegram.base_url` if it lasts"
    return common_fix(status, "alerts.telegram.base_url")


def _parameters(response: Response) -> dict[str, Any]:
    answer = mapping(decode(response.body, dict[str, Any]))
    return mapping(answer.get("parameters"))


def _text(alert: Alert) -> str:
    whole = f"[{alert.severity}] {alert.title}\n\n{alert.body}"
    return whole if len(whole) <= TEXT_MAX else whole[: TEXT_MAX - 1] + "…"
