"""What an attempt taught us: the closed list of outcomes and what follows from each."""

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final


class Outcome(StrEnum):
    """The one word an attempt is summed up in; `RULES` says what follows from it."""

    OK = "ok"
    UNAVAILABLE = "unavailable"
    TIMEOUT = "timeout"
    UNKNOWN = "unknown"
    NOT_SENT = "not_sent"
    THROTTLED = "throttled"
    BUSY_HERE = "busy_here"
    REJECTED = "rejected"
    MISCONFIGURED = "misconfigured"
    UNAUTHORIZED = "unauthorized"
    QUOTA = "quota"
    CANCELLED = "cancelled"
    LOCAL_REJECTION = "local_rejection"


class Evidence(Enum):
    """What the breaker learns from an attempt."""

    SUCCESS = "success"
    FAILURE = "failure"
    NONE = "none"
    ISOLATES = "isolates"


@dataclass(frozen=True, slots=True)
class Rule:
    """What follows from an outcome: whether the ladder goes on, and what the breaker learns.

    `retried` is false for `UNKNOWN` because such an attempt is repeated only after a look-up has
    proven that it had no effect, which is the caller's business and not the ladder's.
    """

    retried: bool
    evidence: Evidence


RULES: Final[dict[Outcome, Rule]] = {
    Outcome.OK: Rule(retried=False, evidence=Evidence.SUCCESS),
    Outcome.UNAVAILABLE: Rule(retried=True, evidence=Evidence.FAILURE),
    Outcome.TIMEOUT: Rule(retried=True, evidence=Evidence.FAILURE),
    Outcome.UNKNOWN: Rule(retried=False, evidence=Evidence.FAILURE),
    Outcome.NOT_SENT: Rule(retried=True, evidence=Evidence.FAILURE),
    Outcome.THROTTLED: Rule(retried=True, evidence=Evidence.NONE),
    Outcome.BUSY_HERE: Rule(retried=True, evidence=Evidence.NONE),
    Outcome.REJECTED: Rule(retried=False, evidence=Evidence.NONE),
    Outcome.MISCONFIGURED: Rule(retried=False, evidence=Evidence.ISOLATES),
    Outcome.UNAUTHORIZED: Rule(retried=False, evidence=Evidence.ISOLATES),
    Outcome.QUOTA: Rule(retried=False, evidence=Evidence.ISOLATES),
    Outcome.CANCELLED: Rule(retried=False, evidence=Evidence.NONE),
    Outcome.LOCAL_REJECTION: Rule(retried=False, evidence=Evidence.NONE),
}
