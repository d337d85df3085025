"""What HubSpot's refusals mean: by the policy a 429 names first, by the status second."""

from typing import Any, Final

import msgspec

from callagent_cli.errors import (
    InvalidPayload,
    QuotaExceeded,
    RateLimited,
    ServiceError,
)
from callagent_cli.services.answers import decode, number, text
from callagent_cli.services.exchange import Exchange, Refusal, Verdict, verdict_of_status
from callagent_cli.services.http import Response

_LOCKED: Final = 423
_TOO_MANY: Final = 429
_MIGRATING: Final = 477
_LEAST_WAITS_S: Final = {_LOCKED: 2.0, _MIGRATING: 60.0}
_ROLLING_WAIT_S: Final = 10.0
"""HubSpot states no wait on a 429, and its longest short window is ten seconds."""


class _Envelope(msgspec.Struct):
    """The body of an error; all of its keys are optional."""

    status: Any = None
    message: Any = None
    category: Any = None
    error_type: Any = msgspec.field(default=None, name="errorType")
    policy: Any = msgspec.field(default=None, name="policyName")
    correlation_id: Any = msgspec.field(default=None, name="correlationId")
    request_id: Any = msgspec.field(default=None, name="requestId")


def is_missing(response: Response) -> bool:
    """Tell whether a 404 is about the object asked for, not about an address nobody serves."""
    envelope = decode(response.body, _Envelope)
    return (
        response.status == 404  # noqa: PLR2004 — Not Found.
        and envelope is not None
        and (envelope.category == "OBJECT_NOT_FOUND" or envelope.status == "error")
    )


def error_of(exchange: Exchange, response: Response) -> ServiceError:
    """Return what an answer other than 2xx means.

    The daily limit is a quota, not a rate: HubSpot does not say when midnight is in the portal's
    time zone, so waiting is a guess, and the rule for quotas (one alert, then rare trials) fits.
    """
    envelope = decode(response.body, _Envelope) or _Envelope()
    code = text(envelope.policy) or text(envelope.category) or text(envelope.error_type)
    refusal = exchange.refusal(
        response,
        code=code,
        message=envelope.message,
        stated_id=text(envelope.correlation_id) or text(envelope.request_id),
    )
    if response.status == _TOO_MANY:
        return _too_many(refusal, response, daily=_is_daily(envelope))
    if response.status in _LEAST_WAITS_S:
        wait_s = _LEAST_WAITS_S[response.status]
        return refusal.error(Verdict(RateLimited), least_wait_s=wait_s)
    if response.status == 409:  # noqa: PLR2004 — Conflict: the object exists, and always will.
        return refusal.error(Verdict(InvalidPayload))
    return refusal.error(verdict_of_status(response.status))


def _is_daily(envelope: _Envelope) -> bool:
    return text(envelope.policy) == "DAILY" or "daily limit" in text(envelope.message)


def _too_many(refusal: Refusal, response: Response, *, daily: bool) -> ServiceError:
    if daily:
        return refusal.error(Verdict(QuotaExceeded))
    return refusal.error(Verdict(RateLimited), least_wait_s=_window_s(response))


def _window_s(response: Response) -> float:
    """Return the length of the rolling window that is used up, as a header states it."""
    stated = response.headers.get("x-hubspot-ratelimit-interval-milliseconds", "")
    window_ms = number(decode(stated.encode(), float))
    if window_ms is None or not 0 < window_ms <= _ROLLING_WAIT_S * 1000:
        return _ROLLING_WAIT_S
    return window_ms / 1000
