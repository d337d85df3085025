"""When an open breaker may be tried again: open time, health checks, and the quota's timetable."""

from collections.abc import Iterator
from random import Random
from typing import Final, Literal

import msgspec

from callagent_cli.resilience.policy import BreakerPolicy, HealthPolicy

Health = Literal["healthy", "unhealthy", "unknown"]

UNHEALTHY_PATIENCE_S: Final = 900.0
"""After this long of failing checks a trial goes out all the same: the check may be broken."""

UNHEALTHY_TRIAL_EVERY_S: Final = 300.0
"""How far apart those trials are."""

QUOTA_TRIALS_S: Final = (300.0, 600.0, 1200.0, 1800.0)
"""Waits before each trial of a service without credit; the last one repeats."""

_NEVER: Final = float("inf")


class RecoveryRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What outlives a restart: remaining times, never instants of a clock that starts anew."""

    open_s: float = 0.0
    remaining_s: float = 0.0
    trial_failed: bool = False
    quota_round: int = 0


class Recovery:
    """Decides when a breaker that does not admit may admit one trial.

    A healthy check allows it at once; without a fresh check the open time decides. Once a trial
    has failed since the last close (health is fine, the work is not), the open time, doubled by
    each failed trial, must pass as well.
    """

    __slots__ = (
        "_breaker",
        "_health",
        "_health_at_s",
        "_health_policy",
        "_healthy_checks",
        "_last_trial_s",
        "_open_s",
        "_random",
        "_trial_failed",
        "_unhealthy_since_s",
        "quota_round",
        "until_s",
    )

    def __init__(self, breaker: BreakerPolicy, health: HealthPolicy, random: Random) -> None:
        self._breaker = breaker
        self._health_policy = health
        self._random = random
        self._health: Health = "unknown"
        self._health_at_s = -_NEVER
        self._healthy_checks = 0
        self._unhealthy_since_s: float | None = None
        self._last_trial_s = -_NEVER
        self._open_s = breaker.open_s
        self._trial_failed = False
        self.quota_round = 0
        self.until_s = -_NEVER

    @property
    def healthy_checks(self) -> int:
        """Healthy checks in a row since the breaker opened."""
        return self._healthy_checks

    def opened(self, now_s: float, *, by_trial: bool) -> float:
        """Start an open time and return it in seconds; a failed trial doubles the one before.

        Whatever was known of the service's health is forgotten: it was learned before the failure.
        Only the patience with failing checks runs on while trials fail.
        """
        policy = self._breaker
        if by_trial:
            self._trial_failed = True
            self._last_trial_s = now_s
            self._open_s = min(self._open_s * 2, policy.open_cap_s)
        else:
            self._unhealthy_since_s = None
        open_s = self._open_s * self._random.uniform(0.9, 1.1)
        self.until_s = now_s + open_s
        self._forget_health()
        return open_s

    def out_of_credit(self, now_s: float) -> float:
        """Start the next wait of the quota's timetable and return it in seconds."""
        wait_s = QUOTA_TRIALS_S[min(self.quota_round, len(QUOTA_TRIALS_S) - 1)]
        self.quota_round += 1
        self.until_s = now_s + wait_s
        return wait_s

    def isolated(self) -> None:
        """Forget the open time: only the matching act ends an isolation."""
        self.until_s = -_NEVER

    def closed(self) -> None:
        """Start over: the next open time is the first one again."""
        self._open_s = self._breaker.open_s
        self._trial_failed = False
        self.quota_round = 0
        self._last_trial_s = -_NEVER
        self._unhealthy_since_s = None
        self.until_s = -_NEVER
        self._forget_health()

    def observe(self, health: Health, now_s: float) -> None:
        """Take note of a health check that came back at `now_s`."""
        self._health = health
        self._health_at_s = now_s
        if health == "healthy":
            self._healthy_checks += 1
            self._unhealthy_since_s = None
            return
        self._healthy_checks = 0
        if health == "unhealthy" and self._unhealthy_since_s is None:
            self._unhealthy_since_s = now_s

    def may_try(self, now_s: float) -> bool:
        """Say whether an open breaker may admit a trial."""
        over = now_s >= self.until_s
        if now_s - self._health_at_s > self._health_policy.stale_after_s:
            return over
        if self._health == "healthy":
            return over or not self._trial_failed
        if self._health == "unhealthy" and self._unhealthy_since_s is not None:
            return (
                now_s >= self._unhealthy_since_s + UNHEALTHY_PATIENCE_S
                and now_s >= self._last_trial_s + UNHEALTHY_TRIAL_EVERY_S
            )
        return over

    def next_try_s(self, now_s: float) -> float:
        """Return when `may_try` may say yes without a new check: `now_s` if it does so already."""
        if self.may_try(now_s):
            return now_s
        return min((at for at in self._instants() if at > now_s), default=_NEVER)

    def record(self, now_s: float) -> RecoveryRecord:
        """Return what must outlive a restart."""
        return RecoveryRecord(
            open_s=self._open_s,
            remaining_s=max(0.0, self.until_s - now_s),
            trial_failed=self._trial_failed,
            quota_round=self.quota_round,
        )

    def restore(self, record: RecoveryRecord, now_s: float) -> None:
        """Take up a record; times beyond the configured caps are cut down to them."""
        policy = self._breaker
        self._open_s = min(max(record.open_s, policy.open_s), policy.open_cap_s)
        self._trial_failed = record.trial_failed
        # A restart is a person's act, who may have bought credit: the timetable starts over.
        longest_s = QUOTA_TRIALS_S[-1] if record.quota_round else policy.open_cap_s * 1.1
        self.until_s = now_s + min(max(record.remaining_s, 0.0), longest_s)

    def _forget_health(self) -> None:
        self._health = "unknown"
        self._health_at_s = -_NEVER
        self._healthy_checks = 0

    def _instants(self) -> Iterator[float]:
        yield self.until_s
        yield self._health_at_s + self._health_policy.stale_after_s + 0.001
        if self._unhealthy_since_s is not None:
            yield self._unhealthy_since_s + UNHEALTHY_PATIENCE_S
            yield self._last_trial_s + UNHEALTHY_TRIAL_EVERY_S
