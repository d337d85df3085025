"""The circuit breaker: a pure state machine over an injected monotonic clock.

It differs from the breakers it was measured against in two ways: every admitted attempt carries
the generation it was admitted in, and a result from another generation changes nothing; and a
trial's permit is a lease that expires, so that a hung trial wedges nobody.
"""

from collections.abc import Callable
from random import Random
from typing import Final, Literal

import msgspec

from callagent_cli.errors import CircuitOpen
from callagent_cli.resilience.policy import BreakerPolicy, HealthPolicy
from callagent_cli.resilience.recovery import Health, Recovery, RecoveryRecord
from callagent_cli.resilience.window import Window

State = Literal["closed", "open", "half_open", "isolated"]
Owner = Literal["", "operator", "unauthorized", "quota", "misconfigured"]

LEASE_MARGIN_S: Final = 5.0
"""A trial's lease outlives its attempt's timeout by this much."""

HEALTHY_CHECKS_TO_CLOSE: Final = 2
"""Healthy checks in a row that close a breaker when no call could be the trial."""

_NEVER: Final = float("inf")


class Permit:
    """Leave to make one attempt; `trial` when it was given in half-open."""

    __slots__ = ("expires_s", "generation", "trial")

    def __init__(self, generation: int, *, trial: bool, expires_s: float = _NEVER) -> None:
        self.generation = generation
        self.trial = trial
        self.expires_s = expires_s


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One move of the breaker; `open_s` is the new open time when it opened."""

    old: State
    new: State
    reason: str
    owner: Owner = ""
    open_s: float | None = None


class BreakerRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What outlives a restart."""

    state: State
    reason: str = ""
    owner: Owner = ""
    failed_operations: list[str] = []
    recovery: RecoveryRecord = RecoveryRecord()


class _Operation:
    """What the breaker knows of one operation since it closed last."""

    __slots__ = ("failures", "has_failed", "window")

    def __init__(self, window_s: float) -> None:
        self.failures = 0
        self.has_failed = False
        self.window = Window(window_s)


class Breaker:
    """Closed, open, half-open or isolated; see DESIGN.md, "The Guard", for each rule.

    Before `quiet_until_s` nothing is admitted and there is no need to ask. `closed_permit` is what
    `admit` gives while closed. `on_change` is told of every move after it was made; it must not
    raise.
    """

    __slots__ = (
        "_failures",
        "_health_policy",
        "_monotonic",
        "_on_change",
        "_operations",
        "_policy",
        "_recovery",
        "_since_s",
        "_slow_call_s",
        "_successes",
        "_trials",
        "closed_permit",
        "generation",
        "owner",
        "quiet_until_s",
        "reason",
        "service",
        "state",
    )

    def __init__(
        self,
        service: str,
        policy: BreakerPolicy,
        *,
        monotonic: Callable[[], float],
        random: Random,
        health: HealthPolicy | None = None,
        on_change: Callable[[Change], None] = lambda _change: None,
    ) -> None:
        self.service = service
        self.state: State = "closed"
        self.owner: Owner = ""
        self.reason = ""
        self.generation = 1
        self._policy = policy
        self._slow_call_s = policy.slow_call_s or _NEVER
        self._monotonic = monotonic
        self._recovery = Recovery(policy, health or HealthPolicy(), random)
        self._on_change = on_change
        self._operations: dict[str, _Operation] = {}
        self.closed_permit = Permit(self.generation, trial=False)
        self._trials: list[Permit] = []
        self._failures = 0
        self._successes = 0
        self.quiet_until_s = -_NEVER
        self._since_s = monotonic()

    # Admission

    def admit(self, lease_s: float = 30.0) -> Permit:
        """Return leave for one attempt that takes at most `lease_s`.

        Raises `CircuitOpen` when the breaker does not admit; the error is a fresh one each time.
        """
        if self.state == "closed":
            return self.closed_permit
        now_s = self._monotonic()
        self.refuse_unless_possible(now_s)
        permit = Permit(self.generation, trial=True, expires_s=now_s + lease_s + LEASE_MARGIN_S)
        self._trials = [trial for trial in self._trials if trial.expires_s > now_s]
        self._trials.append(permit)
        return permit

    def refuse_unless_possible(self, now_s: float) -> None:
        """Raise `CircuitOpen` unless a trial is free; not to be asked of a closed breaker."""
        if now_s < self.quiet_until_s:
            raise self.rejection(now_s)
        if self.state == "half_open":
            if not self.trial_is_free:
                raise self.rejection(now_s)
        elif not self.poll():
            self.quiet_until_s = self.next_change_s()
            raise self.rejection(now_s)

    def admit_quietly(self) -> None:
        """Let a request pass that is no evidence: only while closed, else raises `CircuitOpen`."""
        if self.state != "closed":
            raise self.rejection(self._monotonic())

    def check(self, generation: int) -> None:
        """Raise `CircuitOpen` when the breaker has moved since `generation`."""
        if generation != self.generation:
            raise self.rejection(self._monotonic())

    def rejection(self, now_s: float, *, trial: bool = False) -> CircuitOpen:
        """Return a fresh error that says why nothing is admitted and when to ask again."""
        until_s = self._recovery.until_s
        if self.state == "half_open":
            until_s = min((permit.expires_s for permit in self._trials), default=now_s)
        elif now_s >= until_s and self.quiet_until_s < _NEVER:
            until_s = self.quiet_until_s
        return CircuitOpen(
            self.service,
            state=self.state,
            retry_after_s=until_s - now_s if until_s > now_s else 0.0,
            since_s=now_s - self._since_s,
            reason=self.reason,
            trial=trial,
        )

    # Results

    def succeed(self, permit: Permit, operation: str, duration_s: float, now_s: float) -> None:
        """Count a success; one from an earlier generation changes nothing."""
        if permit is self.closed_permit:
            known = self._operations.get(operation) or self._operation(operation)
            if known.failures:
                self._failures -= known.failures
                known.failures = 0
            if duration_s > self._slow_call_s:
                known.window.add(now_s, slow=True)
                self._open_if_slow(operation, known.window, now_s)
            else:
                known.window.add(now_s)
        elif self._is_trial(permit, now_s):
            self._trials.remove(permit)
            self._trial_succeeded(operation)

    def fail(
        self, permit: Permit, operation: str, duration_s: float, now_s: float, *, reason: str
    ) -> None:
        """Count a failure; one from an earlier generation changes nothing."""
        if permit is self.closed_permit:
            known = self._operation(operation)
            slow = duration_s > self._slow_call_s
            known.window.add(now_s, failed=True, slow=slow)
            known.failures += 1
            known.has_failed = True
            self._failures += 1
            self._open_if_due(operation, known.window, now_s, reason)
        elif self._is_trial(permit, now_s):
            self._operation(operation).has_failed = True
            open_s = self._recovery.opened(now_s, by_trial=True)
            self._move("open", f"the trial failed: {reason}", open_s=open_s)

    def release(self, permit: Permit) -> None:
        """Give a permit back that taught nothing: cancelled, throttled, refused for its content."""
        if permit in self._trials:
            self._trials.remove(permit)

    def isolate(
        self, owner: Owner, reason: str, *, permit: Permit | None = None, operation: str = ""
    ) -> None:
        """Open until the matching act lifts it; a permit of an earlier generation changes nothing.

        `operation` is the one that taught it. `quota` admits a trial now and then, after 5, 10,
        20, 30 … minutes.
        """
        now_s = self._monotonic()
        current = permit is None or permit is self.closed_permit or self._is_trial(permit, now_s)
        if not current or (self.state == "isolated" and owner != "operator"):
            return
        if operation:
            self._operation(operation).has_failed = True
        self._recovery.isolated()
        wait_s = self._recovery.out_of_credit(now_s) if owner == "quota" else None
        self._move("isolated", reason, owner=owner, open_s=wait_s)

    # Ways out

    def observe_health(self, health: Health, *, idle: Callable[[], bool] = lambda: False) -> None:
        """Take note of a health check; `idle` says whether no call could be the trial.

        A healthy check of an open breaker makes it half-open; two in a row close an idle one, but
        prove nothing about credit. Who is idle is asked only when it matters.
        """
        recovery = self._recovery
        recovery.observe(health, self._monotonic())
        if self.state == "open":
            self.poll()
        well = recovery.healthy_checks >= HEALTHY_CHECKS_TO_CLOSE and not recovery.quota_round
        if self.state == "half_open" and well and idle():
            self._close("healthy twice, and no call to try with")

    def poll(self) -> bool:
        """Move to half-open if it is time; return whether a trial may be asked for."""
        now_s = self._monotonic()
        if self.state == "open" and self._recovery.may_try(now_s):
            healthy = self._recovery.healthy_checks
            self._move("half_open", "a health check was healthy" if healthy else "open time over")
        elif self.state == "isolated" and self.owner == "quota" and now_s >= self._recovery.until_s:
            self._move("half_open", "time to see whether there is credit again")
        return self.state == "half_open"

    def next_change_s(self) -> float:
        """Return the monotonic instant at which `poll` is worth calling again; inf for never."""
        now_s = self._monotonic()
        if self.state == "open":
            return self._recovery.next_try_s(now_s)
        if self.state == "isolated" and self.owner == "quota":
            return self._recovery.until_s
        return _NEVER

    def reset(self, reason: str) -> None:
        """Close at once, whatever the state: a person's act."""
        self._close(reason)

    def credential_changed(self) -> None:
        """Let a trial prove a changed key or account setting; a person's isolation stays."""
        if self.state == "isolated" and self.owner != "operator":
            self._move("half_open", "the credential changed")

    # What others look at

    @property
    def retry_after_s(self) -> float:
        """Seconds of open time that remain."""
        return max(0.0, self._recovery.until_s - self._monotonic())

    @property
    def quota_rounds(self) -> int:
        """How often the service was found without credit since it closed last."""
        return self._recovery.quota_round

    @property
    def failed_operations(self) -> frozenset[str]:
        """Operations that failed since the last close: only their successes close the breaker."""
        return frozenset(name for name, known in self._operations.items() if known.has_failed)

    @property
    def trial_is_free(self) -> bool:
        """Whether a trial would be admitted right now."""
        now_s = self._monotonic()
        leased = sum(trial.expires_s > now_s for trial in self._trials)
        return self.state == "half_open" and leased < self._policy.trials

    def record(self) -> BreakerRecord:
        """Return what must outlive a restart."""
        return BreakerRecord(
            state=self.state,
            reason=self.reason,
            owner=self.owner,
            failed_operations=sorted(self.failed_operations),
            recovery=self._recovery.record(self._monotonic()),
        )

    def restore(self, record: BreakerRecord) -> None:
        """Take up the state of an earlier run, without telling anybody: nothing has moved."""
        if record.state == "closed":
            return
        self.state, self.reason, self.owner = record.state, record.reason, record.owner
        self.generation += 1
        self.closed_permit = Permit(self.generation, trial=False)
        for operation in record.failed_operations:
            self._operation(operation).has_failed = True
        self._recovery.restore(record.recovery, self._monotonic())

    # The machine

    def _operation(self, name: str) -> _Operation:
        known = self._operations.get(name)
        if known is None:
            known = self._operations[name] = _Operation(self._policy.window_s)
        return known

    def _is_trial(self, permit: Permit, now_s: float) -> bool:
        return permit in self._trials and permit.expires_s > now_s

    def _open_if_due(self, operation: str, window: Window, now_s: float, reason: str) -> None:
        policy = self._policy
        if self._failures >= policy.failures:
            self._open(now_s, f"{self._failures} failures since the last success: {reason}")
        elif (
            window.attempts >= policy.minimum_attempts
            and window.failures >= policy.failure_ratio * window.attempts
        ):
            share = f"{window.failures} of {window.attempts} attempts"
            self._open(now_s, f"{share} of {operation} failed: {reason}")
        else:
            self._open_if_slow(operation, window, now_s)

    def _open_if_slow(self, operation: str, window: Window, now_s: float) -> None:
        policy = self._policy
        if window.attempts >= policy.minimum_attempts and (
            window.slow >= policy.slow_ratio * window.attempts
        ):
            share = f"{window.slow} of {window.attempts} attempts"
            self._open(now_s, f"{share} of {operation} took over {self._slow_call_s:g} s")

    def _open(self, now_s: float, reason: str) -> None:
        self._move("open", reason, open_s=self._recovery.opened(now_s, by_trial=False))

    def _trial_succeeded(self, operation: str) -> None:
        failed = self.failed_operations
        if not failed or operation in failed:
            self._successes += 1
        if self._successes >= self._policy.successes_to_close:
            self._close(f"{self._successes} trials succeeded")

    def _close(self, reason: str) -> None:
        self._recovery.closed()
        self._operations.clear()
        self._failures = 0
        if self.state != "closed":
            self._move("closed", reason)

    def _move(
        self, new: State, reason: str, *, owner: Owner = "", open_s: float | None = None
    ) -> None:
        old = self.state
        self.state, self.reason, self.owner = new, reason, owner
        self.generation += 1
        self.closed_permit = Permit(self.generation, trial=False)
        self._trials = []
        self._successes = 0
        self.quiet_until_s = -_NEVER
        self._since_s = self._monotonic()
        self._on_change(Change(old=old, new=new, reason=reason, owner=owner, open_s=open_s))
