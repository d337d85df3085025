"""What is known of one service: its breaker, its last minute, its health, what comes next."""

from collections import deque
from dataclasses import dataclass
from typing import Literal

from callagent_cli.events import (
    AttemptFinished,
    BreakerChanged,
    BreakerState,
    GateClosed,
    Health,
    HealthChecked,
    ServiceDegraded,
    ServiceEvent,
    SlotsChanged,
    StepDegraded,
)
from callagent_cli.monitor.view.series import Durations, Ring
from callagent_cli.resilience.outcome import RULES, Evidence, Outcome

WINDOW_S = 60
BUCKET_S = 6
HISTORY = 64
TEXT_LIMIT = 200
STEPS_LIMIT = 16

BAD = frozenset(
    outcome.value
    for outcome, rule in RULES.items()
    if rule.evidence in {Evidence.FAILURE, Evidence.ISOLATES}
)
"""Outcomes the breaker counts against the service: the same ones the screen counts."""

UNCOUNTED = frozenset({Outcome.CANCELLED.value, Outcome.LOCAL_REJECTION.value})
"""Outcomes that say nothing about the service, because it never answered or was never asked."""

NextKind = Literal["none", "check", "trial", "half_open", "gate", "person"]


@dataclass(frozen=True, slots=True)
class NextMove:
    """What happens next to a service by itself, and in how many seconds if that is known.

    `person` means that nothing happens before a person acts; `half_open` counts trials instead.
    """

    kind: NextKind
    in_s: float | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """The attempts of the last minute: `bad` of `attempts`; `share` is none without attempts."""

    bad: int
    attempts: int

    @property
    def share(self) -> float | None:
        """The share of bad attempts, 0 to 1; no attempts is no data, not a good share."""
        return self.bad / self.attempts if self.attempts else None


@dataclass(frozen=True, slots=True, kw_only=True)
class LastError:
    """The last attempt that did not succeed."""

    at_utc_s: float
    operation: str
    outcome: str
    error_class: str
    message: str
    http_status: int | None
    request_id: str


class ServiceView:
    """One service as the operator sees it; `breaker` is none until anything is known of it."""

    __slots__ = (
        "_bad",
        "_counted",
        "_durations",
        "attempts",
        "breaker",
        "degraded",
        "degraded_reason",
        "fallback",
        "gate_until_utc_s",
        "health",
        "health_detail",
        "health_utc_s",
        "history",
        "last_error",
        "muted_until_utc_s",
        "name",
        "next_check_utc_s",
        "open_until_utc_s",
        "opened",
        "owner",
        "reason",
        "since_utc_s",
        "slots",
        "trials_good",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.breaker: BreakerState | None = None
        self.since_utc_s: float | None = None
        self.reason = ""
        self.owner = ""
        self.opened = 0
        self.open_until_utc_s: float | None = None
        self.trials_good = 0
        self.history: deque[tuple[float, BreakerState]] = deque(maxlen=HISTORY)
        self.health: Health | None = None
        self.health_detail = ""
        self.health_utc_s: float | None = None
        self.next_check_utc_s: float | None = None
        self.degraded = False
        self.degraded_reason = ""
        self.fallback: dict[str, str] = {}
        self.gate_until_utc_s: float | None = None
        self.slots: int | None = None
        self.muted_until_utc_s: float | None = None
        self.last_error: LastError | None = None
        self.attempts = 0
        self._bad = Ring(WINDOW_S)
        self._counted = Ring(WINDOW_S)
        self._durations = Durations()

    # Folding

    def attempt_finished(self, at_s: float, event: AttemptFinished) -> None:
        """Count an attempt, and keep its error."""
        self._notice(at_s, event)
        if event.outcome in UNCOUNTED:
            return
        self.attempts += 1
        self._counted.add(at_s)
        self._durations.add(at_s, event.duration_s)
        if event.outcome == Outcome.OK:
            self.trials_good += event.trial
            return
        if event.outcome in BAD:
            self._bad.add(at_s)
        self.last_error = LastError(
            at_utc_s=at_s,
            operation=event.operation,
            outcome=event.outcome,
            error_class=event.error_class,
            message=event.error_message[:TEXT_LIMIT],
            http_status=event.http_status,
            request_id=event.request_id,
        )

    def breaker_changed(self, at_s: float, event: BreakerChanged) -> None:
        """Take over the breaker's state and everything that was said about it."""
        self.breaker = event.new
        self.since_utc_s = at_s
        self.reason = event.reason[:TEXT_LIMIT]
        self.owner = event.owner
        self.open_until_utc_s = None if event.open_s is None else at_s + event.open_s
        self.history.append((at_s, event.new))
        self.trials_good = 0
        self.opened += event.new == "open"

    def health_checked(self, at_s: float, event: HealthChecked) -> None:
        """Keep the answer of a health check and when the next one goes out."""
        self._notice(at_s, event)
        self.health = event.health
        self.health_utc_s = at_s
        self.next_check_utc_s = at_s + event.next_check_s
        status = "" if event.http_status is None else str(event.http_status)
        said = event.error_message
        self.health_detail = (said if status in said else f"{status} {said}".strip())[:TEXT_LIMIT]

    def degraded_changed(self, _at_s: float, event: ServiceDegraded) -> None:
        """Keep whether a closed service is doubtful, and why."""
        self.degraded = event.degraded
        self.degraded_reason = event.reason[:TEXT_LIMIT]

    def gate_closed(self, at_s: float, event: GateClosed) -> None:
        """Keep until when the service asked all callers to wait."""
        self.gate_until_utc_s = at_s + (event.delay_s or 0.0)

    def slots_changed(self, _at_s: float, event: SlotsChanged) -> None:
        """Keep how many requests the service may have in flight."""
        self.slots = event.slots

    def step_degraded(self, _at_s: float, event: StepDegraded) -> None:
        """Keep which step goes on with something else instead of this service."""
        if not event.active:
            self.fallback.pop(event.step, None)
        elif len(self.fallback) < STEPS_LIMIT:
            self.fallback[event.step] = event.instead[:TEXT_LIMIT]

    def _notice(self, at_s: float, event: ServiceEvent) -> None:
        """Learn the breaker's state from any event about the service, when none was announced."""
        if self.breaker is None:
            self.breaker = event.breaker_state
            self.since_utc_s = at_s

    # Reading

    def failures(self, now_s: float) -> tuple[int, ...]:
        """Return the bad attempts of the last minute in 10 buckets of 6 s, oldest first."""
        return self._bad.spans(now_s, BUCKET_S)

    def window(self, now_s: float) -> Window:
        """Return the last minute's attempts."""
        return Window(self._bad.total(now_s), self._counted.total(now_s))

    def p95_s(self, now_s: float) -> float | None:
        """Return how long 95 % of the last minute's attempts took at most; none without any."""
        return self._durations.percentile(0.95, now_s)

    def blocked(self) -> bool:
        """Return whether calls cannot get through right now."""
        return self.breaker in {"open", "isolated"}

    def muted(self, now_s: float) -> bool:
        """Return whether a person silenced this service's alerts."""
        return self.muted_until_utc_s is not None and now_s < self.muted_until_utc_s

    def next_move(self, now_s: float) -> NextMove:
        """Return what happens next by itself."""
        if self.breaker == "isolated":
            return NextMove("person")
        if self.breaker == "half_open":
            return NextMove("half_open")
        if self.breaker == "open":
            return self._next_while_open(now_s)
        if self.gate_until_utc_s is not None and self.gate_until_utc_s > now_s:
            return NextMove("gate", self.gate_until_utc_s - now_s)
        if self.degraded and self.next_check_utc_s is not None:
            return NextMove("check", max(0.0, self.next_check_utc_s - now_s))
        return NextMove("none")

    def _next_while_open(self, now_s: float) -> NextMove:
        check_s = None if self.next_check_utc_s is None else self.next_check_utc_s - now_s
        if check_s is not None and check_s > -BUCKET_S:
            return NextMove("check", max(0.0, check_s))
        if self.open_until_utc_s is not None:
            return NextMove("trial", max(0.0, self.open_until_utc_s - now_s))
        return NextMove("check")
