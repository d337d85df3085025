"""What is asked of a service, and for whom."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing a service is asked to do; `name` is `service.verb`.

    `timeout_s` bounds one attempt (None: its requests bound themselves, `lease_s` says how long
    they can take), `deadline_s` the operation with all its waits.
    """

    name: str
    timeout_s: float | None = None
    deadline_s: float = float("inf")
    lease_s: float = 30.0


class Work:
    """What the Guard must know of the call an operation serves; the worker derives its own.

    `attempts_used` survives a park and a restart; `begun` calls go first where slots are short;
    `retries` is false where something else stands in for a second attempt.
    """

    __slots__ = ("attempts_used", "begun", "retries", "subject")

    def __init__(
        self,
        subject: str = "",
        *,
        attempts_used: int = 0,
        begun: bool = False,
        retries: bool = True,
    ) -> None:
        self.subject = subject
        self.attempts_used = attempts_used
        self.begun = begun
        self.retries = retries

    def on_wait(self, delay_s: float, reason: str) -> None:
        """Be told that the next attempt comes in `delay_s`."""

    def on_attempt(self) -> None:
        """Be told that the wait is over."""
