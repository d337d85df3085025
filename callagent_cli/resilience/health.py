"""The health checker: one cheap request a service every few seconds, which is never traffic."""

import asyncio
from collections.abc import Awaitable, Callable

from callagent_cli.clock import Clock
from callagent_cli.errors import ServiceError
from callagent_cli.events import Event, Health, HealthChecked
from callagent_cli.resilience.guard import Guard


class HealthChecker:
    """Asks a service how it is and tells its breaker; the breaker decides what follows.

    `check` raises a `ServiceError` when the service is not well; `judge` turns that error, or
    None, into healthy, unhealthy or unknown; `idle` says whether no call could be the trial.
    """

    def __init__(
        self,
        guard: Guard,
        check: Callable[[], Awaitable[None]],
        clock: Clock,
        *,
        judge: Callable[[ServiceError | None], Health],
        idle: Callable[[], bool] = lambda: False,
        emit: Callable[[Event], None] = lambda _event: None,
    ) -> None:
        self._guard = guard
        self._check = check
        self._clock = clock
        self._judge = judge
        self._idle = idle
        self._emit = emit
        self._asked = asyncio.Event()
        self.health: Health = "unknown"
        self.checked_utc_s: float | None = None

    async def run(self) -> None:
        """Check now and then until cancelled."""
        while True:
            wait_s = self._guard.policy.health.interval_s * self._clock.random.uniform(0.9, 1.1)
            await self.check_once(next_check_s=wait_s)
            turn = asyncio.get_running_loop().call_later(wait_s, self._asked.set)
            try:
                await self._asked.wait()
            finally:
                turn.cancel()
            self._asked.clear()

    def check_soon(self) -> None:
        """Check at once instead of at the next turn: a person asked."""
        self._asked.set()

    async def check_once(self, *, next_check_s: float) -> None:
        """Make one check and draw the conclusions."""
        started_s = self._clock.monotonic()
        error: ServiceError | None = None
        try:
            await self._check()
        except ServiceError as problem:
            error = problem
        duration_s = self._clock.monotonic() - started_s
        self.health = self._judge(error)
        self.checked_utc_s = self._clock.utc()
        self._report(error, duration_s, next_check_s)
        self._conclude(error)

    def _conclude(self, error: ServiceError | None) -> None:
        guard = self._guard
        guard.breaker.observe_health(self.health, idle=self._idle)
        if self.health == "unhealthy" and guard.breaker.state == "closed":
            guard.degrade(reason=error.message if error else "")
        elif self.health == "healthy" and guard.breaker.state == "closed":
            guard.recover(reason="a health check was healthy")
        guard.arm()

    def _report(self, error: ServiceError | None, duration_s: float, next_check_s: float) -> None:
        self._emit(
            HealthChecked(
                service=self._guard.service,
                operation=f"{self._guard.service}.health",
                health=self.health,
                duration_s=duration_s,
                next_check_s=next_check_s,
                outcome=error.outcome.value if error else "ok",
                error_class=type(error).__name__ if error else "",
                error_message=error.message if error else "",
                http_status=error.status if error else None,
                request_id=error.request_id if error else "",
                breaker_state=self._guard.breaker.state,
            )
        )
