"""Remembers which failures are without a success yet, by service and by call."""

from collections import deque
from typing import Final

from callagent_cli.events import AttemptFinished
from callagent_cli.reporting.incidents.failure_log import Failure, FailureLog
from callagent_cli.resilience.outcome import RULES, Evidence

CALLS_MAX: Final = 20_000
"""Failing calls that are remembered; the oldest are forgotten first."""

WINDOW_S: Final = 60.0
"""The window over which a breaker looks at the share of failures (`BreakerPolicy.window_s`)."""

IN_A_ROW: Final = 4
"""Failures without a success that explain by themselves why a breaker opened."""

_FAILURES_MAX: Final = 1_000

_COUNTING: Final = frozenset(
    outcome.value
    for outcome, rule in RULES.items()
    if rule.evidence in {Evidence.FAILURE, Evidence.ISOLATES}
)
_TELLING: Final = _COUNTING | {"rejected"}


class _Recent:
    """The failures of one operation; `in_a_row` are those since its last success."""

    __slots__ = ("failures", "in_a_row")

    def __init__(self) -> None:
        self.failures: deque[Failure] = deque(maxlen=_FAILURES_MAX)
        self.in_a_row = 0


class Failing:
    """Folds attempts; a success ends the streak of its own operation only, as in the breaker.

    What may begin an outage stands in `log` as well, and goes on where a run before this one ended.
    """

    def __init__(self, log: FailureLog, now_utc_s: float) -> None:
        self._log = log
        self._recent: dict[str, dict[str, _Recent]] = {}
        self._calls: dict[str, Failure] = {}
        for entry in log.entries(now_utc_s):
            if entry.failure is not None:
                self._append(entry.failure)
            elif entry.operation:
                self._of(entry.service, entry.operation).in_a_row = 0
            else:
                self._recent.pop(entry.service, None)

    def succeeded(self, utc_s: float, event: AttemptFinished) -> None:
        """Forget what a success disproves."""
        operations = self._recent.get(event.service)
        recent = operations.get(event.operation) if operations else None
        if operations and recent is not None:
            if recent.in_a_row:
                recent.in_a_row = 0
                self._log.succeeded(event.service, event.operation, utc_s)
            failures = recent.failures
            while failures and failures[0].at_utc_s < utc_s - WINDOW_S:
                failures.popleft()
            if not failures:
                del operations[event.operation]
        failure = self._calls.get(event.call)
        if failure is not None and failure.service == event.service:
            del self._calls[event.call]

    def failed(self, utc_s: float, event: AttemptFinished) -> Failure | None:
        """Remember a failed attempt; None for one that says nothing against call or service."""
        if event.outcome not in _TELLING:
            return None
        failure = Failure(
            utc_s,
            event.service,
            event.operation,
            event.call,
            event.attempt,
            event.trial,
            event.outcome,
            event.error_message,
            event.http_status,
            event.request_id,
            event.outcome in _COUNTING,
        )
        if event.call:
            self._remember(failure)
        if failure.counts:
            self._append(failure)
            self._log.failed(failure)
        return failure

    def _append(self, failure: Failure) -> None:
        recent = self._of(failure.service, failure.operation)
        recent.failures.append(failure)
        recent.in_a_row += 1

    def _of(self, service: str, operation: str) -> _Recent:
        return self._recent.setdefault(service, {}).setdefault(operation, _Recent())

    def _remember(self, failure: Failure) -> None:
        self._calls.pop(failure.call, None)
        if len(self._calls) >= CALLS_MAX:
            del self._calls[next(iter(self._calls))]
        self._calls[failure.call] = failure

    def beginning(self, service: str, utc_s: float) -> list[Failure]:
        """Return the failures that an outage began with, the oldest first.

        Those since the last success when they explain it, else all that the breaker weighed.
        """
        operations = list(self._recent.get(service, {}).values())
        streaks = [
            failure
            for recent in operations
            for failure in list(recent.failures)[max(0, len(recent.failures) - recent.in_a_row) :]
        ]
        found = streaks
        if len(streaks) < IN_A_ROW:
            found = [
                failure
                for recent in operations
                for failure in recent.failures
                if failure.at_utc_s >= utc_s - WINDOW_S
            ]
            found = max(streaks, found, key=len)
        return sorted(found, key=lambda failure: failure.at_utc_s)

    def closed(self, service: str, utc_s: float) -> None:
        """Forget the failures of a service whose breaker closed."""
        if self._recent.pop(service, None) is not None:
            self._log.closed(service, utc_s)

    def finished(self, call: str) -> Failure | None:
        """Forget a call that reached its end; return the failure that was its last word."""
        return self._calls.pop(call, None)
