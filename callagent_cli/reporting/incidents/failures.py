"""Remembers which failures are without a success yet, by service and by call."""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from callagent_cli.events import AttemptFinished
from callagent_cli.resilience.outcome import RULES, Evidence

CALLS_MAX: Final = 20_000
"""Failing calls that are remembered; the oldest are forgotten first."""

_STREAK_CALLS_MAX: Final = 1_000

_COUNTING: Final = frozenset(
    outcome.value
    for outcome, rule in RULES.items()
    if rule.evidence in {Evidence.FAILURE, Evidence.ISOLATES}
)
_TELLING: Final = _COUNTING | {"rejected"}


class Failure(NamedTuple):
    """The last failed attempt of a call; `counts` when it speaks against the service itself."""

    service: str
    operation: str
    call: str
    outcome: str
    error_message: str
    http_status: int | None
    request_id: str
    counts: bool


@dataclass(slots=True)
class Streak:
    """Failures in a row, and the calls that met them; no failure began at infinity."""

    failures: int = 0
    first_failure_utc_s: float = float("inf")
    calls: set[str] = field(default_factory=set)


class Failing:
    """Folds attempts; a success ends the streak of its own operation only, as in the breaker."""

    def __init__(self) -> None:
        self._streaks: dict[str, dict[str, Streak]] = {}
        self._calls: dict[str, Failure] = {}

    def succeeded(self, service: str, operation: str, call: str) -> None:
        """Forget what a success disproves."""
        streaks = self._streaks.get(service)
        if streaks:
            streaks.pop(operation, None)
        failure = self._calls.get(call)
        if failure is not None and failure.service == service:
            del self._calls[call]

    def failed(self, utc_s: float, event: AttemptFinished) -> Failure | None:
        """Remember a failed attempt; None for one that says nothing against call or service."""
        if event.outcome not in _TELLING:
            return None
        failure = Failure(
            event.service,
            event.operation,
            event.call,
            event.outcome,
            event.error_message,
            event.http_status,
            event.request_id,
            event.outcome in _COUNTING,
        )
        if event.call:
            self._remember(failure)
        if failure.counts:
            self._lengthen(utc_s, failure)
        return failure

    def _remember(self, failure: Failure) -> None:
        self._calls.pop(failure.call, None)
        if len(self._calls) >= CALLS_MAX:
            del self._calls[next(iter(self._calls))]
        self._calls[failure.call] = failure

    def _lengthen(self, utc_s: float, failure: Failure) -> None:
        streaks = self._streaks.setdefault(failure.service, {})
        streak = streaks.setdefault(failure.operation, Streak())
        streak.failures += 1
        streak.first_failure_utc_s = min(streak.first_failure_utc_s, utc_s)
        if failure.call and len(streak.calls) < _STREAK_CALLS_MAX:
            streak.calls.add(failure.call)

    def streak(self, service: str) -> Streak:
        """Return the failures of a service since its last success, all operations together."""
        whole = Streak()
        for streak in self._streaks.get(service, {}).values():
            whole.failures += streak.failures
            whole.first_failure_utc_s = min(whole.first_failure_utc_s, streak.first_failure_utc_s)
            whole.calls |= streak.calls
        return whole

    def closed(self, service: str) -> None:
        """Forget the streaks of a service whose breaker closed."""
        self._streaks.pop(service, None)

    def finished(self, call: str) -> Failure | None:
        """Forget a call that reached its end; return the failure that was its last word."""
        return self._calls.pop(call, None)
