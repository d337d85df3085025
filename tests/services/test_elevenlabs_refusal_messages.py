"""`success: false` without an id: what its sentence means."""

import pytest
from elevenlabs_script import adapter_of, dial
from hypothesis import given
from hypothesis import strategies as st
from scripted_http import answer, failure

from callagent_cli import errors
from callagent_cli.errors import ServiceError
from callagent_cli.resilience.outcome import Outcome

UNVERIFIED = (
    "HTTP 400 error: Unable to create record: The number +12125550142 is unverified. "
    "Trial accounts may only make calls to verified numbers."
)
COMPLIANCE = "HTTP 401 error: Unable to create record: Primary compliance profile is not approved"
GEOGRAPHY = (
    "HTTP 400 error: Account not authorized to call +442079460123. Perhaps you need to enable "
    "some international permissions"
)
MEANINGS: list[tuple[str, type[ServiceError], str]] = [
    (UNVERIFIED, errors.Misconfigured, "account_refused"),
    (COMPLIANCE, errors.Misconfigured, "account_refused"),
    ("The account is not active", errors.Misconfigured, "account_refused"),
    ("Account suspended", errors.Misconfigured, "account_refused"),
    ("You have no permission to use this number", errors.Misconfigured, "account_refused"),
    ("Document with id phnum_01 not found.", errors.Misconfigured, "account_refused"),
    ("HTTP 401 error: Authenticate", errors.Misconfigured, "carrier_401"),
    ("HTTP 403 error: Forbidden", errors.Misconfigured, "carrier_403"),
    ("INVITE failed: sip status: 407: Proxy Auth", errors.Misconfigured, "sip_407"),
    (GEOGRAPHY, errors.InvalidPayload, "country_not_permitted"),
    ("+12125550142 is not a valid phone number", errors.InvalidPayload, "invalid_number"),
    (
        "INVITE failed: sip status: 404: Domain unavailable (SIP 404)",
        errors.InvalidPayload,
        "sip_404",
    ),
    ("INVITE failed: sip status: 486: Busy Here (SIP 486)", errors.InvalidPayload, "sip_486"),
    ("sip status: 480: Temporarily Unavailable", errors.InvalidPayload, "sip_480"),
    ("sip request timed out", errors.InvalidPayload, "sip_timeout"),
    ("The line is busy", errors.InvalidPayload, "busy"),
    ("no answer", errors.InvalidPayload, "no_answer"),
    ("HTTP 400 error: something else", errors.InvalidPayload, "carrier_400"),
    ("something else", errors.InvalidPayload, "refused"),
    ("", errors.InvalidPayload, "refused"),
    ("sip status: 503: Service Unavailable", errors.ServiceUnavailable, "sip_503"),
    ("HTTP 500 error: oops", errors.ServiceUnavailable, "carrier_500"),
    ("HTTP 429 error: Too Many Requests", errors.RateLimited, "carrier_429"),
    ("This request exceeds your quota limit.", errors.QuotaExceeded, "quota_exceeded"),
    ("Agent has exceeded its daily call limit of 5.", errors.QuotaExceeded, "quota_exceeded"),
    ("HTTP 402 error: Payment", errors.QuotaExceeded, "carrier_402"),
    ("Too many concurrent calls", errors.RateLimited, "too_many_concurrent_requests"),
]


@pytest.mark.parametrize(("message", "kind", "code"), MEANINGS)
def test_a_refusal_in_words_is_understood(
    message: str, kind: type[ServiceError], code: str
) -> None:
    """What concerns the account isolates, what concerns the number rejects this contact."""
    body = {"success": False, "message": message, "conversation_id": None, "callSid": None}
    adapter, _ = adapter_of(answer(200, body))
    error = failure(dial(adapter))

    assert (type(error), error.code, error.status) == (kind, code, 200)


def test_our_own_limit_takes_no_time_but_a_slot() -> None:
    """Too many calls at once is busy here, also when it comes as a sentence."""
    body = {"success": False, "message": "concurrency limit", "conversation_id": None}
    adapter, _ = adapter_of(answer(200, body))

    assert failure(dial(adapter)).outcome is Outcome.BUSY_HERE


@given(st.text())
def test_any_sentence_is_some_refusal(message: str) -> None:
    """Without an id there is no call: no sentence makes the dial unknown."""
    body = {"success": False, "message": message, "conversation_id": None}
    adapter, _ = adapter_of(answer(200, body))

    assert failure(dial(adapter)).outcome is not Outcome.UNKNOWN
