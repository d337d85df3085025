"""Tells the listeners what a Guard does; says nothing, at no cost, when nobody listens."""

from collections.abc import Callable

from callagent_cli.errors import ServiceError
from callagent_cli.events import (
    AttemptFinished,
    BreakerChanged,
    BreakerState,
    Event,
    GateClosed,
    RetryScheduled,
    ServiceDegraded,
    SlotsChanged,
)
from callagent_cli.resilience.breaker import Change
from callagent_cli.resilience.work import Operation, Work


class Narrator:
    """Turns what happened at one service into events that all carry the same keys."""

    __slots__ = ("_attempts", "_emit", "_service")

    def __init__(self, service: str, attempts: int, emit: Callable[[Event], None]) -> None:
        self._service = service
        self._attempts = attempts
        self._emit = emit

    def attempt_finished(
        self,
        operation: Operation,
        work: Work,
        error: ServiceError | None,
        *,
        state: BreakerState,
        duration_s: float,
        trial: bool,
    ) -> None:
        """Say that an attempt ended; `state` is the breaker's before it drew its conclusions."""
        self._emit(
            AttemptFinished(
                service=self._service,
                operation=operation.name,
                call=work.subject,
                attempt=work.attempts_used + 1,
                of=self._attempts,
                outcome=error.outcome.value if error else "ok",
                error_class=type(error).__name__ if error else "",
                error_message=error.message if error else "",
                http_status=error.status if error else None,
                request_id=error.request_id if error else "",
                breaker_state=state,
                duration_s=duration_s,
                trial=trial,
            )
        )

    def retry_scheduled(
        self,
        operation: Operation,
        work: Work,
        error: ServiceError,
        *,
        state: BreakerState,
        delay_s: float,
        reason: str,
    ) -> None:
        """Say that the next attempt of an operation waits for `delay_s`."""
        self._emit(
            RetryScheduled(
                service=self._service,
                operation=operation.name,
                call=work.subject,
                attempt=work.attempts_used + 1,
                of=self._attempts,
                delay_s=delay_s,
                reason=reason,
                outcome=error.outcome.value,
                error_class=type(error).__name__,
                error_message=error.message,
                http_status=error.status,
                request_id=error.request_id,
                breaker_state=state,
            )
        )

    def breaker_changed(self, change: Change, error: ServiceError | None) -> None:
        """Say that the breaker moved; `error` is the last failure before that."""
        self._emit(
            BreakerChanged(
                service=self._service,
                old=change.old,
                new=change.new,
                reason=change.reason,
                owner=change.owner,
                open_s=change.open_s,
                delay_s=change.open_s,
                outcome=error.outcome.value if error else "",
                error_class=type(error).__name__ if error else "",
                error_message=error.message if error else "",
                http_status=error.status if error else None,
                request_id=error.request_id if error else "",
                breaker_state=change.new,
            )
        )

    def gate_closed(self, delay_s: float, reason: str, *, state: BreakerState) -> None:
        """Say that all callers of the service wait for `delay_s`."""
        self._emit(
            GateClosed(service=self._service, delay_s=delay_s, reason=reason, breaker_state=state)
        )

    def slots_changed(self, slots: int, reason: str, *, state: BreakerState) -> None:
        """Say that the service may have another number of requests in flight."""
        self._emit(
            SlotsChanged(service=self._service, slots=slots, reason=reason, breaker_state=state)
        )

    def degraded(self, *, degraded: bool, reason: str, state: BreakerState) -> None:
        """Say that a closed service became doubtful, or well again."""
        self._emit(
            ServiceDegraded(
                service=self._service, degraded=degraded, reason=reason, breaker_state=state
            )
        )
