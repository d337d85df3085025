"""Alerts to a Slack channel by an incoming webhook."""

from typing import Final

import msgspec

from callagent_cli.errors import (
    AuthenticationFailed,
    InvalidPayload,
    Misconfigured,
    ServiceUnavailable,
)
from callagent_cli.reporting.alert import Alert
from callagent_cli.reporting.channels.fixes import common_fix
from callagent_cli.services.exchange import Exchange, Verdict, is_ok, verdict_of_status
from callagent_cli.services.http import Request, Response

TEXT_MAX: Final = 12_000
"""Characters of a message that are sent; Slack cuts off longer ones at 40,000."""

_TIMEOUT_S: Final = 20.0
_WORD_MAX: Final = 60


class SlackChannel:
    """Posts each alert as one message; a second one is the accepted cost of a lost answer."""

    name = "slack"

    def __init__(self, exchange: Exchange, *, path: str) -> None:
        self._exchange = exchange
        self._path = path

    async def deliver(self, alert: Alert) -> None:
        """Post the alert; raises `ServiceError` with words that name the way out."""
        response = await self._exchange.send(
            Request(
                target="slack.send",
                method="POST",
                path=self._path,
                headers={"content-type": "application/json"},
                body=msgspec.json.encode({"text": _text(alert)}),
                timeout_s=_TIMEOUT_S,
                alone=True,
            )
        )
        word = _word(response)
        # Something in between may answer 200 with a page of its own: Slack says `ok`.
        if is_ok(response) and word == "ok":
            return
        fix = _FIXES.get(word, "") or _FIXES.get(str(response.status), "")
        fix = fix or common_fix(response.status, "alerts.slack.url")
        message = f"{word}; {fix}" if word and fix else word or fix
        raise self._exchange.refusal(response, code=word, message=message).error(
            _verdict(response.status, word)
        )

    async def close(self) -> None:
        """Release the connections."""
        await self._exchange.http.close()


_NEW_WEBHOOK: Final = "make a new incoming webhook and put its address where callagent reads it"
_FIXES: Final = {
    "action_prohibited": "an admin forbids posting there; choose another channel",
    "channel_is_archived": f"the channel is archived; restore it, or {_NEW_WEBHOOK}",
    "channel_not_found": f"the channel is gone; {_NEW_WEBHOOK}",
    "invalid_token": _NEW_WEBHOOK,
    "no_active_hooks": f"the webhook was switched off; {_NEW_WEBHOOK}",
    "no_service": f"the webhook was removed; {_NEW_WEBHOOK}",
    "no_team": f"the workspace is gone; {_NEW_WEBHOOK}",
    "200": "that is no answer of Slack's; see what stands in between if it lasts",
    "204": "that is no answer of Slack's; see what stands in between if it lasts",
    "401": _NEW_WEBHOOK,
    "403": _NEW_WEBHOOK,
    "404": _NEW_WEBHOOK,
    "410": _NEW_WEBHOOK,
}
_REVOKED: Final = frozenset({"invalid_token", "no_service", "no_active_hooks", "no_team"})


def _verdict(status: int, word: str) -> Verdict:
    if word in _REVOKED:
        return Verdict(AuthenticationFailed)
    if status in {403, 404, 410}:
        return Verdict(Misconfigured)
    if status == 400:  # noqa: PLR2004 — Bad Request: about this very message.
        return Verdict(InvalidPayload)
    if status < 400:  # noqa: PLR2004 — a success that is not Slack's own.
        return Verdict(ServiceUnavailable)
    return verdict_of_status(status)


def _word(response: Response) -> str:
    """Return Slack's one-word answer; a page of HTML is none."""
    text = response.body[: _WORD_MAX + 1].decode(errors="replace").strip()
    return text if text.replace("_", "").isalnum() and len(text) <= _WORD_MAX else ""


def _text(alert: Alert) -> str:
    body = f"*[{alert.severity}] {_escaped(alert.title)}*\n{_escaped(alert.body)}"
    return body if len(body) <= TEXT_MAX else body[: TEXT_MAX - 1] + "…"


def _escaped(text: str) -> str:
    """Escape what Slack reads as links and mentions."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
