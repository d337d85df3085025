"""Every error callagent raises on purpose.

CallAgentError
├── UsageError                  a flag, file or setting is wrong            exit 2
│   ├── SettingsError           callagent.yaml
│   ├── ScenarioError           a scenario file
│   └── ContactsError           a contacts file
├── StoreError                  the database cannot be used                 exit 2
│   ├── DatabaseHeld            a living worker holds it
│   ├── DatabaseVersion         written by another version
│   ├── DatabaseCorrupt         not a database, or damaged
│   └── StorageFull             the disk is full: stopped, resumable        exit 3
├── CredentialsMissing          a live run lacks a key                  exit 4
├── LogError                    the log folder cannot be written            exit 2
├── ServiceError                a service answered, or failed to
│   ├── TransientError          worth another try
│   │   ├── ServiceUnavailable
│   │   ├── ServiceTimeout
│   │   ├── NetworkFailure      the request was never sent
│   │   └── RateLimited         throttled, or our own limit (busy_here)
│   ├── PermanentError          another try cannot help
│   │   ├── AuthenticationFailed
│   │   ├── InvalidPayload
│   │   ├── QuotaExceeded
│   │   └── Misconfigured
│   └── OutcomeUnknown          a dial that may have rung a phone
├── CircuitOpen                 refused by our own breaker, nothing was sent
└── Deferred                    the next try does not fit the deadline; do it later
"""

from enum import IntEnum
from typing import ClassVar

from callagent_cli.resilience.outcome import Outcome


class ExitCode(IntEnum):
    """The documented exit codes of every command."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    STOPPED = 3
    CREDENTIALS = 4
    LIMIT = 5
    INTERNAL = 70
    INTERRUPTED = 130
    TERMINATED = 143


class CallAgentError(Exception):
    """Base of every error that is shown to a person as `error:` and `hint:`.

    `hint` says what to do next, in one line; `exit_code` is what the process ends with.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.INTERNAL

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    @property
    def message(self) -> str:
        """What went wrong, in one sentence without a full stop."""
        return str(self)


class UsageError(CallAgentError):
    """A flag, file or setting is wrong; nothing was done."""

    exit_code = ExitCode.USAGE


class SettingsError(UsageError):
    """The settings file cannot be used."""


class ScenarioError(UsageError):
    """A scenario file cannot be used."""


class ContactsError(UsageError):
    """A contacts file cannot be used."""


class StoreError(CallAgentError):
    """The database cannot be used."""

    exit_code = ExitCode.USAGE


class DatabaseHeld(StoreError):
    """A living worker holds the database."""


class DatabaseVersion(StoreError):
    """The database was written by another version of callagent."""


class DatabaseCorrupt(StoreError):
    """The file is not a database, or it is damaged."""


class StorageFull(StoreError):
    """The disk is full: the run stopped and can be resumed."""

    exit_code = ExitCode.STOPPED


class CredentialsMissing(CallAgentError):
    """A live run lacks a key or an account setting."""

    exit_code = ExitCode.CREDENTIALS


class LogError(CallAgentError):
    """The log folder cannot be written."""

    exit_code = ExitCode.USAGE


class ServiceError(CallAgentError):
    """A service failed an attempt; `outcome` says what that teaches us.

    `status` is the HTTP status if there was an answer, `code` the provider's own error code,
    `request_id` the provider's id for the request, `retry_after_s` the wait it asked for.
    `personal` says that the answer is about the person's line (busy, no answer, declined) and
    tells nothing about the service or its settings, however often it comes.
    """

    default_outcome: ClassVar[Outcome] = Outcome.UNAVAILABLE

    def __init__(
        self,
        message: str,
        *,
        outcome: Outcome | None = None,
        status: int | None = None,
        code: str = "",
        request_id: str = "",
        retry_after_s: float | None = None,
        personal: bool = False,
    ) -> None:
        super().__init__(message)
        self.outcome = self.default_outcome if outcome is None else outcome
        self.status = status
        self.code = code
        self.request_id = request_id
        self.retry_after_s = retry_after_s
        self.personal = personal


class TransientError(ServiceError):
    """Worth another try."""


class ServiceUnavailable(TransientError):
    """The service is down or overloaded."""


class ServiceTimeout(TransientError):
    """No answer in time."""

    default_outcome = Outcome.TIMEOUT


class NetworkFailure(TransientError):
    """The request was never sent: DNS, TLS, or the connection was refused."""

    default_outcome = Outcome.NOT_SENT


class RateLimited(TransientError):
    """Too many requests: the provider's rate limit (`throttled`), or our own (`busy_here`)."""

    default_outcome = Outcome.THROTTLED


class PermanentError(ServiceError):
    """Another try cannot help."""

    default_outcome = Outcome.REJECTED


class AuthenticationFailed(PermanentError):
    """The key is wrong, or it may not do this."""

    default_outcome = Outcome.UNAUTHORIZED


class InvalidPayload(PermanentError):
    """The provider refuses this item."""


class QuotaExceeded(PermanentError):
    """The account has no credit left."""

    default_outcome = Outcome.QUOTA


class Misconfigured(PermanentError):
    """An agent, number or account setting is wrong: every call would fail alike."""

    default_outcome = Outcome.MISCONFIGURED


class OutcomeUnknown(ServiceError):
    """A dial was sent and its answer is lost or unreadable: the phone may have rung."""

    default_outcome = Outcome.UNKNOWN


class CircuitOpen(CallAgentError):
    """Refused by the service's own breaker; nothing was sent.

    `state` is open, half_open or isolated; `retry_after_s` the seconds until a trial may be
    admitted, `since_s` how long the breaker has been in this state, `reason` why it is, `trial`
    whether this attempt was the trial that failed and re-opened it.
    """

    # A rejection must cost next to nothing, and slots make it twice as cheap.
    __slots__ = ("reason", "retry_after_s", "service", "since_s", "state", "trial")

    hint = "`callagent status` shows the breaker"

    def __init__(
        self,
        service: str,
        *,
        state: str,
        retry_after_s: float,
        since_s: float,
        reason: str,
        trial: bool = False,
    ) -> None:
        # For the same reason the text is made only when somebody reads it.
        self.service = service
        self.state = state
        self.retry_after_s = retry_after_s
        self.since_s = since_s
        self.reason = reason
        self.trial = trial

    def __str__(self) -> str:
        return f"{self.service} breaker is {self.state}: {self.reason}"


class Deferred(CallAgentError):
    """The next attempt does not fit the operation's deadline; it is due in `delay_s` seconds."""

    def __init__(self, service: str, *, delay_s: float, reason: str) -> None:
        super().__init__(f"{service}: next attempt deferred by {delay_s:.1f} s: {reason}")
        self.service = service
        self.delay_s = delay_s
        self.reason = reason
