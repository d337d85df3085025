"""What ElevenLabs' refusals mean: by the code in the body first, by the status second."""

import re
from typing import Any, Final, NamedTuple

import msgspec

from callagent_cli.errors import (
    AuthenticationFailed,
    Misconfigured,
    OutcomeUnknown,
    QuotaExceeded,
    RateLimited,
    ServiceError,
    ServiceUnavailable,
)
from callagent_cli.services.answers import decode, mapping, text
from callagent_cli.services.exchange import (
    BUSY_HERE,
    Exchange,
    Refusal,
    Verdict,
    verdict_of_status,
)
from callagent_cli.services.http import Response

_BY_CODE: Final[dict[str, Verdict]] = {
    "quota_exceeded": Verdict(QuotaExceeded),
    "insufficient_credits": Verdict(QuotaExceeded),
    "paid_plan_required": Verdict(QuotaExceeded),
    "payment_required": Verdict(QuotaExceeded),
    "detected_unusual_activity": Verdict(AuthenticationFailed),
    "invalid_api_key": Verdict(AuthenticationFailed),
    "needs_authorization": Verdict(AuthenticationFailed),
    "missing_permissions": Verdict(AuthenticationFailed),
    "agent_not_found": Verdict(Misconfigured),
    "phone_number_not_found": Verdict(Misconfigured),
    "too_many_concurrent_requests": BUSY_HERE,
    "concurrent_limit_exceeded": BUSY_HERE,
    "system_busy": Verdict(ServiceUnavailable),
    "service_unavailable": Verdict(ServiceUnavailable),
    "maintenance": Verdict(ServiceUnavailable),
    "rate_limit_exceeded": Verdict(RateLimited),
}
_MISSING_DOCUMENT: Final = re.compile(r"Document with id (?:phnum|agent)_")
_CERTAINLY_UNAVAILABLE: Final = frozenset({503, 529})


class _Envelope(msgspec.Struct):
    """The body of an error; `detail` is an object, a list, a string, or missing."""

    detail: Any = None


class _Detail(NamedTuple):
    codes: tuple[str, ...] = ()
    message: str = ""
    request_id: str = ""


def _detail(body: bytes) -> _Detail:
    """Read any of the four shapes an error body takes; the most telling code comes first."""
    envelope = decode(body, _Envelope)
    stated = None if envelope is None else envelope.detail
    if isinstance(stated, str):
        return _Detail(message=stated)
    if isinstance(stated, list):
        return _Detail(("validation_error",), _invalid_field(stated))
    fields = mapping(stated)
    codes = tuple(filter(None, (text(fields.get(key)) for key in ("code", "status", "type"))))
    return _Detail(codes, text(fields.get("message")), text(fields.get("request_id")))


def _invalid_field(problems: list[Any]) -> str:
    """Name the first field that is wrong; its value may be a phone number and stays out."""
    first = mapping(problems[0]) if problems else {}
    place = first.get("loc")
    names = ".".join(str(part) for part in place) if isinstance(place, list) else ""
    return f"{names}: {text(first.get('msg'))}" if names else text(first.get("msg"))


def _verdict(detail: _Detail, status: int) -> Verdict:
    for code in detail.codes:
        if code in _BY_CODE:
            return _BY_CODE[code]
    if _MISSING_DOCUMENT.search(detail.message):
        return Verdict(Misconfigured)
    return verdict_of_status(status)


def error_of(exchange: Exchange, response: Response) -> ServiceError:
    """Return what an answer other than 2xx means for a request without effects."""
    detail = _detail(response.body)
    return _refusal(exchange, response, detail).error(_verdict(detail, response.status))


def dial_error_of(exchange: Exchange, response: Response) -> ServiceError:
    """Return what an answer other than 2xx to a dial means.

    Only a 4xx other than 408 says for certain that no phone rang. A 503 or 529 is `unavailable`,
    behind which DESIGN.md puts a look-up; a 409 likewise, because what already runs may be an
    earlier dial of ours. Everything else may come from a gateway after the work was done.
    """
    detail = _detail(response.body)
    status = response.status
    if status in _CERTAINLY_UNAVAILABLE:
        verdict = Verdict(ServiceUnavailable)
    elif not 400 <= status < 500 or status == 408:  # noqa: PLR2004 — client errors, and Request Timeout among them.
        verdict = Verdict(OutcomeUnknown)
    else:
        verdict = _verdict(detail, status)
    return _refusal(exchange, response, detail).error(verdict)


def _refusal(exchange: Exchange, response: Response, detail: _Detail) -> Refusal:
    return exchange.refusal(
        response,
        code=detail.codes[0] if detail.codes else "",
        message=detail.message,
        stated_id=detail.request_id,
    )
