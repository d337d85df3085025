"""What `success: false` means: an answer of 200 that carries the carrier's refusal as a sentence.

Without a conversation id it is certain that no call exists, so each of these is a refusal. The
sentences are those seen in live answers; an unknown one is the contact's own, because five
different contacts refused alike isolate the service anyway. A busy line, no answer and a declined
call are personal: they never do, and the dial rules decide when to dial again.
"""

import re
from typing import Final, NamedTuple

from callagent_cli.errors import (
    InvalidPayload,
    Misconfigured,
    QuotaExceeded,
    RateLimited,
    ServiceUnavailable,
)
from callagent_cli.services.exchange import BUSY_HERE, Verdict


class Refused(NamedTuple):
    """What a sentence means, and the code that names it."""

    verdict: Verdict
    code: str


_REJECTED: Final = Verdict(InvalidPayload)
_PERSONAL: Final = Verdict(InvalidPayload, personal=True)
_MISCONFIGURED: Final = Verdict(Misconfigured)

_PHRASES: Final[tuple[tuple[re.Pattern[str], Refused], ...]] = tuple(
    (re.compile(phrase, re.IGNORECASE), refused)
    for phrase, refused in (
        (r"concurren", Refused(BUSY_HERE, "too_many_concurrent_requests")),
        (
            (
                r"quota|insufficient (?:funds|balance|credit)|daily call limit"
                r"|(?:card|payment) (?:was |is |has been )?declined"
            ),
            Refused(Verdict(QuotaExceeded), "quota_exceeded"),
        ),
        # Whoever is busy here is not the person.
        (
            (
                r"\b(?:system|server|service|network|provider|carrier|gateway|switch)"
                r"(?: is| are)?(?: too| currently| temporarily)* busy\b"
                r"|\ball (?:the )?(?:circuits|lines|trunks|channels|agents)(?: are)?"
                r"(?: currently| temporarily)* busy\b|\btoo busy\b"
            ),
            Refused(Verdict(ServiceUnavailable), "system_busy"),
        ),
        # A country that the account may not call concerns its contacts only.
        (
            r"not authorized to call|international permission|geo.?permission",
            Refused(_REJECTED, "country_not_permitted"),
        ),
        (
            (
                r"compliance|trial account|verified|suspended|not approved|permission"
                r"|account (?:is |has been )?(?:not active|inactive|closed|restricted)"
                r"|document with id (?:phnum|agent)_"
            ),
            Refused(_MISCONFIGURED, "account_refused"),
        ),
        (
            r"not a valid phone number|invalid (?:phone|'?to'?\b)|number is invalid",
            Refused(_REJECTED, "invalid_number"),
        ),
    )
)
_SIP: Final = re.compile(r"\bSIP (?:status:? ?)?([1-6]\d\d)\b", re.IGNORECASE)
_CARRIER: Final = re.compile(r"\bHTTP ([1-5]\d\d) error", re.IGNORECASE)
_SILENCE: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(r"timed out|timeout", re.IGNORECASE), "sip_timeout"),
    (re.compile(r"\bbusy\b", re.IGNORECASE), "busy"),
    (re.compile(r"no.?answer|not answered|temporarily unavailable", re.IGNORECASE), "no_answer"),
    (re.compile(r"\bdeclined?\b", re.IGNORECASE), "declined"),
)
_SIP_VERDICTS: Final = {
    401: _MISCONFIGURED,
    407: _MISCONFIGURED,
    408: _PERSONAL,
    480: _PERSONAL,
    486: _PERSONAL,
    600: _PERSONAL,
    603: _PERSONAL,
}
_CARRIER_VERDICTS: Final = {
    401: _MISCONFIGURED,
    402: Verdict(QuotaExceeded),
    403: _MISCONFIGURED,
    429: Verdict(RateLimited),
}


def _by_number(status: int, known: dict[int, Verdict], *, failing: range) -> Verdict:
    if status in known:
        return known[status]
    return Verdict(ServiceUnavailable) if status in failing else _REJECTED


def refused(message: str) -> Refused:
    """Return what the sentence in `success: false` without a conversation id means."""
    for phrase, meaning in _PHRASES:
        if phrase.search(message):
            return meaning
    if sip := _SIP.search(message):
        status = int(sip[1])
        return Refused(_by_number(status, _SIP_VERDICTS, failing=range(500, 600)), f"sip_{status}")
    if carrier := _CARRIER.search(message):
        status = int(carrier[1])
        verdict = _by_number(status, _CARRIER_VERDICTS, failing=range(500, 600))
        return Refused(verdict, f"carrier_{status}")
    for phrase, code in _SILENCE:
        if phrase.search(message):
            return Refused(_PERSONAL, code)
    return Refused(_REJECTED, "refused")
