"""The ladder 5 s → 10 s → 20 s: what to do after a failed attempt, decided and not done.

tenacity supplies the strategies (wait, stop, retry); its loop, which costs tens of microseconds
on a success, is never entered, and neither are its strategies that read the clock.
"""

from dataclasses import dataclass
from random import Random
from typing import Final, Literal, cast

from tenacity import Future, RetryCallState, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_exponential

from callagent_cli.errors import ServiceError
from callagent_cli.resilience.outcome import RULES, Outcome
from callagent_cli.resilience.policy import RetryPolicy

UNCOUNTED: Final = frozenset({Outcome.THROTTLED, Outcome.BUSY_HERE})
"""Limits are no failures: waiting for them uses up no attempt; the deadline bounds them."""


@dataclass(frozen=True, slots=True)
class RetryDecision:
    """Whether to try again, after how long, and why; `counted` when an attempt was used up."""

    action: Literal["retry", "give_up"]
    delay_s: float
    reason: str
    counted: bool


@dataclass(frozen=True, slots=True)
class _State:
    """The part of tenacity's RetryCallState that its strategies look at."""

    attempt_number: int
    outcome: Future


class RetryLadder:
    """Decides over failed attempts of one service by its policy."""

    __slots__ = ("_policy", "_random", "_retry", "_stop", "_wait")

    def __init__(self, policy: RetryPolicy, random: Random) -> None:
        self._policy = policy
        self._random = random
        self._retry = retry_if_exception(_is_retried)
        self._stop = stop_after_attempt(policy.attempts)
        self._wait = wait_exponential(
            multiplier=policy.initial_delay_s, exp_base=policy.factor, max=policy.delay_cap_s
        )

    @property
    def attempts(self) -> int:
        """Attempts in all."""
        return self._policy.attempts

    def decide(self, error: ServiceError, attempts_used: int, limited: int) -> RetryDecision:
        """Decide what follows the failure that `error` tells of.

        `attempts_used` counts the failed attempt, unless it met a limit; `limited` counts the
        limits met in this operation, by which the wait for an unnamed time grows.
        """
        counted = error.outcome not in UNCOUNTED
        state = _state(error, attempts_used if counted else limited)
        if not self._retry(state) or (counted and self._stop(state)):
            return RetryDecision("give_up", 0.0, error.message, counted)
        delay_s = self._jittered(self._wait(state))
        if error.retry_after_s is None:
            return RetryDecision("retry", delay_s, "backoff", counted)
        asked_s = error.retry_after_s + self._spread_s(error.retry_after_s)
        if error.outcome is not Outcome.THROTTLED and asked_s <= delay_s:
            return RetryDecision("retry", delay_s, "backoff", counted)
        return RetryDecision("retry", asked_s, "retry_after", counted)

    def _jittered(self, delay_s: float) -> float:
        if self._policy.jitter == "none":
            return delay_s
        if self._policy.jitter == "full":
            return delay_s * self._random.random()
        return delay_s * self._random.uniform(0.75, 1.25)

    def _spread_s(self, asked_s: float) -> float:
        if self._policy.jitter == "none":
            return 0.0
        return self._random.uniform(0.0, min(1.0, asked_s / 10))


def _is_retried(error: BaseException) -> bool:
    return isinstance(error, ServiceError) and RULES[error.outcome].retried


def _state(error: ServiceError, attempt_number: int) -> RetryCallState:
    outcome = Future(attempt_number)
    outcome.set_exception(error)
    return cast("RetryCallState", _State(attempt_number, outcome))
