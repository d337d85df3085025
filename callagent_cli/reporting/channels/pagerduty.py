"""Alerts to PagerDuty by its Events API v2: one PagerDuty incident for each of ours."""

from typing import Any, Final

import msgspec

from callagent_cli.clock import utc_text
from callagent_cli.errors import (
    AuthenticationFailed,
    InvalidPayload,
    Misconfigured,
    ServiceError,
    ServiceUnavailable,
)
from callagent_cli.reporting.alert import Alert, AlertStatus, thread_of
from callagent_cli.reporting.channels.fixes import common_fix
from callagent_cli.services.answers import decode, mapping, text
from callagent_cli.services.exchange import Exchange, Verdict, is_ok, verdict_of_status
from callagent_cli.services.http import Request, Response

SUMMARY_MAX: Final = 1024
"""Characters of a summary that PagerDuty takes."""

_DETAIL_MAX: Final = 8_000
_TIMEOUT_S: Final = 20.0


class PagerDutyChannel:
    """Triggers, acknowledges and resolves by `dedup_key`: a repeated event changes nothing.

    While an incident of ours is open its alerts are triggers of the same key, which PagerDuty adds
    to one incident; the alert that ends it resolves that. What belongs to no incident is no reason
    to call somebody, and nothing would ever resolve it: it is left to the other channels.
    """

    name = "pagerduty"

    def __init__(self, exchange: Exchange, *, routing_key: str) -> None:
        self._exchange = exchange
        self._routing_key = routing_key

    async def deliver(self, alert: Alert) -> None:
        """Send the event; raises `ServiceError` with words that name the way out."""
        if not alert.incident:
            return
        response = await self._exchange.send(
            Request(
                target="pagerduty.send",
                method="POST",
                path="/v2/enqueue",
                headers={"content-type": "application/json"},
                body=msgspec.json.encode(self._event(alert)),
                timeout_s=_TIMEOUT_S,
                alone=True,
            )
        )
        answer = mapping(decode(response.body, dict[str, Any]))
        if is_ok(response) and answer.get("status") == "success":
            return
        verdict = _verdict(response, answer)
        fix = _FIXES.get(verdict.kind) or common_fix(response.status, "alerts.pagerduty.base_url")
        said = "; ".join(filter(None, (_said(answer), fix)))
        raise self._exchange.refusal(response, message=said).error(verdict)

    async def close(self) -> None:
        """Release the connections."""
        await self._exchange.http.close()

    def _event(self, alert: Alert) -> dict[str, Any]:
        action = _ACTIONS[alert.status]
        event: dict[str, Any] = {
            "routing_key": self._routing_key,
            "event_action": action,
            "dedup_key": dedup_key(alert),
        }
        if action == "trigger":
            event["payload"] = {
                "summary": alert.title[:SUMMARY_MAX],
                "source": f"callagent {alert.campaign}".strip(),
                "severity": alert.severity,
                "timestamp": utc_text(alert.raised_utc_s),
                "component": alert.service,
                "class": alert.kind,
                "custom_details": {
                    "body": alert.body[:_DETAIL_MAX],
                    "incident": alert.incident,
                    "run": alert.run,
                },
            }
        return event


_FIXES: Final[dict[type[ServiceError], str]] = {
    AuthenticationFailed: "correct the routing key of `alerts.pagerduty`",
    InvalidPayload: "PagerDuty does not take this event; the other channels have it",
    ServiceUnavailable: "that is no answer of PagerDuty's, or it is down",
}

_ACTIONS: Final[dict[AlertStatus, str]] = {
    "open": "trigger",
    "acknowledged": "acknowledge",
    "resolved": "resolve",
}


def dedup_key(alert: Alert) -> str:
    """Return what ties together the events of one incident, whichever run sends them."""
    return f"callagent/{thread_of(alert)}"[:255]


def _said(answer: dict[str, Any]) -> str:
    errors = answer.get("errors")
    listed = "; ".join(text(each) for each in errors) if isinstance(errors, list) else ""
    return ": ".join(part for part in (text(answer.get("message")), listed) if part)


def _verdict(response: Response, answer: dict[str, Any]) -> Verdict:
    if response.status == 400:  # noqa: PLR2004 — Bad Request: the key, or this very event.
        about_key = "routing_key" in _said(answer).lower() or "routing key" in _said(answer).lower()
        return Verdict(AuthenticationFailed if about_key else InvalidPayload)
    if response.status in {404, 405, 410}:  # PagerDuty answers these to nobody.
        return Verdict(Misconfigured)
    if response.status < 400:  # noqa: PLR2004 — a success without PagerDuty's own words.
        return Verdict(ServiceUnavailable)
    return verdict_of_status(response.status)
