"""What a provider that is struck answers: bodies, statuses, and how they are written."""

import math
from typing import Any, Final

import msgspec

_OVERLOADED_BODIES: Final[dict[str, Any]] = {
    "elevenlabs": {"detail": {"status": "system_busy", "message": "The system is busy"}},
    "crm": {"status": "error", "category": "SERVICE_UNAVAILABLE", "message": "overloaded"},
}
_OVERLOADED_MODEL: Final = {
    "type": "error",
    "error": {"type": "overloaded_error", "message": "Overloaded"},
}
_QUOTA_BODIES: Final[dict[str, Any]] = {
    "elevenlabs": {
        "detail": {"status": "quota_exceeded", "message": "This request exceeds your quota."}
    },
    "crm": {
        "status": "error",
        "errorType": "RATE_LIMIT",
        "message": "You have reached your daily limit.",
        "policyName": "DAILY",
    },
}
_QUOTA_STATUS: Final = 401
_QUOTA_STATUSES: Final = {"crm": 429}
_QUOTA_OF_MODEL: Final = {
    "error": {"type": "insufficient_quota", "code": "insufficient_quota", "message": "No credit"}
}
THROTTLED_BODY: Final = {"error": {"type": "rate_limit_error", "message": "Too many requests"}}
JSON_TYPE: Final = "application/json"
MALFORMED_BODY: Final = '{"success": tru'


def overloaded_body(service: str) -> Any:  # noqa: ANN401 — whatever the provider sends.
    """Return what a service answers with status 200 when it is overloaded."""
    return _OVERLOADED_BODIES.get(service, _OVERLOADED_MODEL)


def quota_body(service: str) -> Any:  # noqa: ANN401 — whatever the provider sends.
    """Return what a service answers when its quota is used up."""
    return _QUOTA_BODIES.get(service, _QUOTA_OF_MODEL)


def quota_status(service: str) -> int:
    """Return the status that goes with it."""
    return _QUOTA_STATUSES.get(service, _QUOTA_STATUS)


def encoded(body: Any) -> tuple[bytes, str]:  # noqa: ANN401 — whatever the file gives.
    """Return a body's bytes and content type; text goes as it is, all else as JSON."""
    if body is None:
        return b"", ""
    if isinstance(body, str):
        return body.encode(), "text/plain; charset=utf-8"
    return msgspec.json.encode(body), JSON_TYPE


def seconds_text(seconds: float) -> str:
    """Return seconds for `Retry-After`, rounded up so that nobody comes back too early."""
    if seconds == int(seconds):
        return str(int(seconds))
    return f"{math.ceil(seconds * 1000) / 1000:.3f}"
