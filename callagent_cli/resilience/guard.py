"""The Guard of one service: `Deadline( Retry( Gate · Budget · Slots( Breaker( AttemptTimeout ))))`.

All waiting stands outside the breaker, so an attempt is admitted in the moment it goes out. An
operation that succeeds at once never touches the retry machinery.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, TypeVar

from callagent_cli.clock import Clock
from callagent_cli.errors import Deferred, ServiceError
from callagent_cli.events import Event
from callagent_cli.resilience.attempt_timeout import AttemptTimeout
from callagent_cli.resilience.breaker import Breaker, Change, Owner, Permit
from callagent_cli.resilience.budget import Budget
from callagent_cli.resilience.gate import Gate
from callagent_cli.resilience.ladder import UNCOUNTED, RetryLadder
from callagent_cli.resilience.narrator import Narrator
from callagent_cli.resilience.outcome import RULES, Evidence, Outcome
from callagent_cli.resilience.policy import Policy
from callagent_cli.resilience.rejections import RejectionStreaks
from callagent_cli.resilience.slots import Slots
from callagent_cli.resilience.work import Operation, Work

T = TypeVar("T")

_OWNERS: Final[dict[Outcome, Owner]] = {
    Outcome.UNAUTHORIZED: "unauthorized",
    Outcome.QUOTA: "quota",
    Outcome.MISCONFIGURED: "misconfigured",
}


def _nobody(_event: Event) -> None:
    """Stand in for a bus: nobody listens."""


class Guard:
    """Protects one service, and the calls from it.

    `emit` takes the events; without it the Guard does not even make those of a success.
    """

    def __init__(
        self,
        service: str,
        policy: Policy,
        clock: Clock,
        *,
        emit: Callable[[Event], None] | None = None,
    ) -> None:
        self.service = service
        self.policy = policy
        self.degraded = False
        self.breaker = Breaker(
            service,
            policy.breaker,
            monotonic=clock.monotonic,
            random=clock.random,
            health=policy.health,
            on_change=self._breaker_changed,
        )
        jitter = policy.retry.jitter != "none"
        self.gate = Gate(clock.monotonic, clock.random, jitter=jitter)
        self.budget = Budget(policy.budget)
        self.slots = Slots(policy.slots, on_change=self._slots_changed)
        self.ladder = RetryLadder(policy.retry, clock.random)
        self._heard = emit is not None
        self._narrator = Narrator(service, self.ladder.attempts, emit or _nobody)
        self._now = clock.monotonic
        self._rejections = RejectionStreaks()
        self._timeouts: dict[float, AttemptTimeout] = {}
        self._sleepers: list[asyncio.Future[None]] = []
        self._last_error: ServiceError | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def run(self, operation: Operation, attempt: Callable[[], Awaitable[T]], work: Work) -> T:
        """Return what `attempt` returns, retried as the policy says.

        Raises the `ServiceError` that ended it, `CircuitOpen` when the breaker refuses or opens on
        the way, or `Deferred` when the next attempt does not fit the deadline.
        """
        breaker = self.breaker
        slots = self.slots
        began_s = now_s = self._now()
        if breaker.state != "closed":
            breaker.refuse_unless_possible(now_s)
        self.budget.attempted(now_s)
        limited = 0
        while True:
            if now_s < self.gate.not_before_s or not slots.try_acquire():
                now_s = await self._enter(operation, work, began_s)
            try:
                permit = (
                    breaker.closed_permit
                    if breaker.state == "closed"
                    else breaker.admit(operation.timeout_s or operation.lease_s)
                )
                try:
                    if operation.timeout_s is None:
                        result = await attempt()
                    else:
                        result = await self._timed(operation, attempt, now_s)
                except ServiceError as error:
                    failure = error
                    self._failed(operation, work, permit, error=error, started_s=now_s)
                else:
                    self._succeeded(operation, work, permit, now_s)
                    return result
                finally:
                    if permit.trial:
                        breaker.release(permit)
            finally:
                slots.release()
            limited += failure.outcome in UNCOUNTED
            await self._wait(operation, work, failure, limited=limited, began_s=began_s)
            now_s = self._now()

    async def aside(
        self, operation: Operation, attempt: Callable[[], Awaitable[T]], work: Work
    ) -> T:
        """Make one attempt that is no evidence: a failure only marks the service as degraded.

        Raises `CircuitOpen` unless the breaker is closed, else what the attempt raises.
        """
        self.breaker.admit_quietly()
        started_s = await self._enter(operation, work, self._now())
        try:
            self.breaker.admit_quietly()
            self.budget.attempted(started_s)
            try:
                result = await self._timed(operation, attempt, started_s)
            except ServiceError as error:
                self._report(operation, work, error, started_s=started_s)
                self._share_wait(error)
                self.degrade(reason=error.message)
                raise
            self._report(operation, work, None, started_s=started_s)
            return result
        finally:
            self.slots.release()

    def degrade(self, *, reason: str) -> None:
        """Mark a closed service as doubtful."""
        if not self.degraded:
            self.degraded = True
            self._narrator.degraded(degraded=True, reason=reason, state=self.breaker.state)

    def recover(self, *, reason: str) -> None:
        """Take the mark back."""
        if self.degraded:
            self.degraded = False
            self._narrator.degraded(degraded=False, reason=reason, state=self.breaker.state)

    def arm(self) -> None:
        """Set the timer that moves the breaker on when only time has to pass."""
        self.disarm()
        at_s = self.breaker.next_change_s()
        if at_s != float("inf"):
            delay_s = max(0.0, at_s - self._now())
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._poll)

    def disarm(self) -> None:
        """Cancel that timer; nothing moves by itself any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # One attempt

    def _timed(
        self, operation: Operation, attempt: Callable[[], Awaitable[T]], now_s: float
    ) -> Awaitable[T]:
        """Return the attempt, bounded by the operation's timeout if it has one."""
        timeout_s = operation.timeout_s
        if timeout_s is None:
            return attempt()
        timeout = self._timeouts.get(timeout_s)
        if timeout is None:
            timeout = self._timeouts[timeout_s] = AttemptTimeout(timeout_s, self._now)
        return timeout.run(attempt, operation.name, now_s)

    def _succeeded(self, operation: Operation, work: Work, permit: Permit, now_s: float) -> None:
        if self._heard:
            self._report(operation, work, None, started_s=now_s, trial=permit.trial)
        ended_s = self._now()
        self.breaker.succeed(permit, operation.name, ended_s - now_s, ended_s)
        if self.slots.lowered:
            self.slots.succeeded()
        if self._rejections.by_operation:
            self._rejections.by_operation.pop(operation.name, None)

    async def _enter(self, operation: Operation, work: Work, began_s: float) -> float:
        """Wait for gate and slot; return the time, or raise `Deferred` if it does not fit."""
        gate = self.gate
        deadline_s = began_s + operation.deadline_s
        while True:
            now_s = self._now()
            wait_s = gate.not_before_s - now_s
            if wait_s > 0:
                if now_s + wait_s > deadline_s:
                    raise Deferred(self.service, delay_s=wait_s, reason="the service asked to wait")
                await gate.wait(wait_s)
                continue
            if not await self.slots.acquire(begun=work.begun, within_s=deadline_s - now_s):
                raise Deferred(self.service, delay_s=0.0, reason="no slot was free in time")
            now_s = self._now()
            if now_s >= gate.not_before_s:
                return now_s
            self.slots.release()

    def _failed(
        self,
        operation: Operation,
        work: Work,
        permit: Permit,
        *,
        error: ServiceError,
        started_s: float,
    ) -> None:
        """Draw the conclusions from a failed attempt; raises `CircuitOpen` for a failed trial."""
        now_s = self._now()
        breaker = self.breaker
        name = operation.name
        self._last_error = error
        self._report(operation, work, error, started_s=started_s, trial=permit.trial)
        self._share_wait(error)
        evidence = RULES[error.outcome].evidence
        if evidence is Evidence.FAILURE:
            trial = permit.trial and breaker.state != "closed"
            breaker.fail(permit, name, now_s - started_s, now_s, reason=error.message)
            if trial and error.outcome is not Outcome.UNKNOWN:
                raise breaker.rejection(now_s, trial=True) from error
            work.attempts_used += 1
        elif evidence is Evidence.ISOLATES:
            owner = _OWNERS[error.outcome]
            breaker.isolate(owner, error.message, permit=permit, operation=name)
        elif error.outcome is Outcome.BUSY_HERE:
            self.slots.busy()
        elif error.outcome is Outcome.REJECTED and not error.personal:
            code = error.code or str(error.status)
            if self._rejections.rejected(name, code, work.subject):
                reason = f"contact after contact refused: {code}"
                breaker.isolate("misconfigured", reason, permit=permit, operation=name)

    # The ladder

    async def _wait(
        self,
        operation: Operation,
        work: Work,
        failure: ServiceError,
        *,
        limited: int,
        began_s: float,
    ) -> None:
        """Return when the next attempt is due; raises `failure` when there is none.

        Raises `CircuitOpen` when the breaker opens meanwhile, `Deferred` when the next attempt
        could not end before the operation's deadline.
        """
        decision = self.ladder.decide(failure, work.attempts_used, limited)
        if decision.action == "give_up":
            raise failure
        delay_s = decision.delay_s
        if failure.outcome is Outcome.THROTTLED and failure.retry_after_s is None:
            self._close_gate(delay_s, failure)
        if not work.retries:
            raise failure
        if failure.outcome is Outcome.BUSY_HERE and self.slots.in_flight >= self.slots.limit:
            delay_s = 0.0  # One of our own requests holds the slot: its end is the signal.
        latest_s = began_s + operation.deadline_s - (operation.timeout_s or operation.lease_s)
        pause = partial(self._pause, operation, work, failure, latest_s=latest_s)
        await pause(delay_s=delay_s, reason=decision.reason)
        while (wait_s := self.budget.take(self._now())) > 0:
            await pause(delay_s=wait_s, reason="budget")
        if self.breaker.state != "closed":
            self.breaker.refuse_unless_possible(self._now())
        work.on_attempt()

    def _share_wait(self, error: ServiceError) -> None:
        """Let every caller of the service keep the wait that it asked one of them for."""
        rule = RULES[error.outcome]
        if error.retry_after_s is not None and (rule.retried or rule.evidence is Evidence.FAILURE):
            self._close_gate(error.retry_after_s, error)

    def _close_gate(self, delay_s: float, error: ServiceError) -> None:
        self.gate.close_for(delay_s)
        self._narrator.gate_closed(delay_s, error.message, state=self.breaker.state)

    async def _pause(
        self,
        operation: Operation,
        work: Work,
        failure: ServiceError,
        *,
        delay_s: float,
        reason: str,
        latest_s: float,
    ) -> None:
        """Sleep, but not longer than the breaker stays closed; raises `CircuitOpen` then."""
        self._refuse_if_open(failure)
        due_s = self._now() + delay_s
        if due_s > latest_s:
            raise Deferred(self.service, delay_s=delay_s, reason=failure.message) from failure
        self._narrator.retry_scheduled(
            operation, work, failure, state=self.breaker.state, delay_s=delay_s, reason=reason
        )
        work.on_wait(delay_s, reason)
        while self._now() < due_s:
            await self._sleep_until(due_s)
            self._refuse_if_open(failure)

    async def _sleep_until(self, due_s: float) -> None:
        """Sleep until `due_s`, or until the breaker opens."""
        loop = asyncio.get_running_loop()
        sleeper: asyncio.Future[None] = loop.create_future()
        timer = loop.call_at(due_s, _wake, sleeper)
        self._sleepers.append(sleeper)
        try:
            await sleeper
        finally:
            timer.cancel()
            self._sleepers.remove(sleeper)

    def _refuse_if_open(self, failure: ServiceError) -> None:
        if self.breaker.state in {"open", "isolated"}:
            raise self.breaker.rejection(self._now()) from failure

    # What moves by itself, and what is told

    def _poll(self) -> None:
        self.breaker.poll()
        self.arm()

    def _breaker_changed(self, change: Change) -> None:
        self._narrator.breaker_changed(change, self._last_error)
        if change.new == "closed":
            self._last_error = None
            self._rejections.by_operation.clear()
            self.slots.ramp(self.policy.breaker.ramp_s)
            self.recover(reason="the breaker closed")
        elif change.new != "half_open":
            for sleeper in self._sleepers:
                _wake(sleeper)
        self.arm()

    def _slots_changed(self, slots: int, reason: str) -> None:
        self._narrator.slots_changed(slots, reason, state=self.breaker.state)

    def _report(
        self,
        operation: Operation,
        work: Work,
        error: ServiceError | None,
        *,
        started_s: float,
        trial: bool = False,
    ) -> None:
        self._narrator.attempt_finished(
            operation,
            work,
            error,
            state=self.breaker.state,
            duration_s=self._now() - started_s,
            trial=trial,
        )


def _wake(sleeper: asyncio.Future[None]) -> None:
    if not sleeper.done():
        sleeper.set_result(None)
