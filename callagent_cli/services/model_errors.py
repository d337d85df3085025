"""What the refusals of language models mean; OpenAI's words and Anthropic's do not collide."""

import re
from typing import Any, Final

import msgspec

from callagent_cli.errors import (
    AuthenticationFailed,
    InvalidPayload,
    Misconfigured,
    QuotaExceeded,
    RateLimited,
    ServiceError,
    ServiceUnavailable,
)
from callagent_cli.services.answers import decode, mapping, text
from callagent_cli.services.exchange import Exchange, Verdict, verdict_of_status
from callagent_cli.services.http import Response

_QUOTA: Final = Verdict(QuotaExceeded)
_OVERLOADED: Final = Verdict(ServiceUnavailable)

_BY_CODE: Final[dict[str, Verdict]] = {
    # OpenAI: a 429 that only a payment or a raised limit ends.
    "insufficient_quota": _QUOTA,
    "credit_balance_exhausted": _QUOTA,
    "organization_spend_limit_exceeded": _QUOTA,
    "project_spend_limit_exceeded": _QUOTA,
    "organization_usage_limit_exceeded": _QUOTA,
    "billing_hard_limit_reached": _QUOTA,
    "billing_not_active": _QUOTA,
    # Anthropic: the same.
    "enforced_spend_limit_reached": _QUOTA,
    "contract_spend_limit_reached": _QUOTA,
    "billing_error": _QUOTA,
    "ramp_limit_exceeded": Verdict(RateLimited),
    "overloaded_error": _OVERLOADED,
    "server_is_overloaded": _OVERLOADED,
    "service_unavailable_error": _OVERLOADED,
    "slow_down": Verdict(RateLimited),
    "rate_limit_exceeded": Verdict(RateLimited),
    "invalid_api_key": Verdict(AuthenticationFailed),
    "authentication_error": Verdict(AuthenticationFailed),
    "permission_error": Verdict(AuthenticationFailed),
    "model_not_found": Verdict(Misconfigured),
    "content_policy_violation": Verdict(InvalidPayload),
    "content_filter": Verdict(InvalidPayload),
}
_SPENT: Final = re.compile(r"specified API usage limits|credit balance is too low", re.IGNORECASE)


class _Envelope(msgspec.Struct):
    """The body of an error; other servers behind the same API put a string there."""

    error: Any = None
    message: Any = None
    request_id: Any = None


def is_error(body: bytes) -> bool:
    """Tell whether a body is an error, whatever its status says."""
    envelope = decode(body, _Envelope)
    return envelope is not None and bool(envelope.error)


def error_of(exchange: Exchange, response: Response) -> ServiceError:
    """Return what an error means; one inside a 200 counts as unavailable unless its code says more.

    A 404 is never about this contact: it is the model or the address that does not exist.
    """
    envelope = decode(response.body, _Envelope) or _Envelope()
    error = mapping(envelope.error)
    details = mapping(error.get("details"))
    stated = (details.get("error_code"), error.get("code"), error.get("type"))
    codes = [code for code in stated if isinstance(code, str) and code]
    message = text(error.get("message")) or text(envelope.error) or text(envelope.message)
    refusal = exchange.refusal(
        response,
        code=codes[0] if codes else "",
        message=message,
        stated_id=envelope.request_id,
    )
    return refusal.error(_verdict(codes, message, response.status))


def _verdict(codes: list[str], message: str, status: int) -> Verdict:
    for code in codes:
        if code == "slow_down" and status >= 500:  # noqa: PLR2004 — server errors.
            return _OVERLOADED
        if code in _BY_CODE:
            return _BY_CODE[code]
    if _SPENT.search(message):
        return _QUOTA
    return Verdict(Misconfigured) if status == 404 else verdict_of_status(status)  # noqa: PLR2004 — Not Found.
