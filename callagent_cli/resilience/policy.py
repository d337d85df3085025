"""How patient we are with one service: the numbers of the Guard, typed and with their defaults."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Seconds = Annotated[float, Meta(gt=0)]
Ratio = Annotated[float, Meta(gt=0, le=1)]
Count = Annotated[int, Meta(ge=1)]
Jitter = Literal["quarter", "full", "none"]


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ladder: 5 s → 10 s → 20 s by default.

    `jitter` is drawn after the cap: `quarter` is × U(0.75, 1.25), `full` is × U(0, 1), `none` is
    exact.
    """

    initial_delay_s: Seconds = 5.0
    factor: Annotated[float, Meta(ge=1)] = 2.0
    retries: Annotated[int, Meta(ge=0, le=20)] = 3
    delay_cap_s: Seconds = 60.0
    jitter: Jitter = "quarter"

    @property
    def attempts(self) -> int:
        """Attempts in all: the first and its retries."""
        return self.retries + 1


class BreakerPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When the breaker opens, how long it stays open, and what closes it.

    It opens at `failures` failures since the last success, or when `failure_ratio` of at least
    `minimum_attempts` attempts of one operation failed within `window_s`, or when `slow_ratio`
    of them took longer than `slow_call_s` (off while `slow_call_s` is not set).
    """

    failures: Count = 4
    failure_ratio: Ratio = 0.5
    minimum_attempts: Count = 10
    window_s: Seconds = 60.0
    slow_call_s: Seconds | None = None
    slow_ratio: Ratio = 0.5
    open_s: Seconds = 30.0
    open_cap_s: Seconds = 300.0
    trials: Count = 1
    successes_to_close: Count = 2
    ramp_s: Annotated[float, Meta(ge=0)] = 60.0


class BudgetPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Retries: at most `ratio` of the attempts of the last `window_s`, but `floor_per_s` always."""

    ratio: Ratio = 0.2
    window_s: Seconds = 10.0
    floor_per_s: Annotated[float, Meta(gt=0)] = 1.0


class HealthPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often a service is asked how it is; an older answer than `stale_after_s` is unknown."""

    interval_s: Seconds = 10.0
    timeout_s: Seconds = 5.0
    stale_after_s: Seconds = 30.0


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything the Guard of one service needs to know."""

    retry: RetryPolicy = RetryPolicy()
    breaker: BreakerPolicy = BreakerPolicy()
    budget: BudgetPolicy = BudgetPolicy()
    health: HealthPolicy = HealthPolicy()
    slots: Count = 16
