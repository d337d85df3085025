"""Metrics for Prometheus, folded from the events; the extra `metrics`."""

import importlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from callagent_cli.errors import SettingsError
from callagent_cli.events import (
    AlertDelivered,
    AlertRaised,
    AttemptFinished,
    BreakerChanged,
    CallChanged,
    DialSettled,
    Event,
    HealthChecked,
    LanesChanged,
    RetryScheduled,
    SinkDropped,
    Stamped,
)

WORKING: Final = frozenset({"active", "backoff"})
"""The states of a call that keep a lane."""

STATES: Final = ("closed", "open", "half_open", "isolated")
BUCKETS_S: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 90.0)


def _extra() -> Any:  # noqa: ANN401 — an optional package without types of ours.
    try:
        return importlib.import_module("prometheus_client")
    except ImportError as error:
        hint = "pip install 'callagent[metrics]', or leave `--metrics-port` out"
        raise SettingsError("metrics need the package prometheus-client", hint=hint) from error


class Metrics:
    """Listens to the bus and keeps the numbers in a registry of its own.

    `totals` counts the calls by state at the start, `lanes` is how many are worked at once, and
    `services` says how each one's breaker stands. No
    label holds a call, a person or an error's text, so that their number stays small. Raises
    `SettingsError` when prometheus-client is not installed.
    """

    def __init__(
        self, *, totals: Mapping[str, int], lanes: int, services: Mapping[str, str]
    ) -> None:
        client = _extra()
        self.registry = client.CollectorRegistry()

        def counter(name: str, text: str, *labels: str) -> Any:  # noqa: ANN401 — as above.
            return client.Counter(f"callagent_{name}", text, labels, registry=self.registry)

        def gauge(name: str, text: str, *labels: str) -> Any:  # noqa: ANN401 — as above.
            return client.Gauge(f"callagent_{name}", text, labels, registry=self.registry)

        self._attempts = counter(
            "attempts", "Attempts by outcome", "service", "operation", "outcome"
        )
        self._seconds = client.Histogram(
            "callagent_attempt_seconds",
            "How long attempts took",
            ("service", "operation"),
            buckets=BUCKETS_S,
            registry=self.registry,
        )
        self._retries = counter("retries", "Attempts scheduled again", "service", "reason")
        self._breaker = gauge("breaker_state", "1 for the state it is in", "service", "state")
        self._health = gauge("service_healthy", "1 healthy, 0 not, -1 unknown", "service")
        self._calls = gauge("calls", "Calls by state", "state")
        self._busy = gauge("lanes_busy", "Calls being worked")
        self._lanes = gauge("lanes", "Calls that may be worked at the same time")
        self._dials = counter("dials", "Dials by what became of them", "status")
        self._alerts = counter("alerts", "Alerts raised", "kind", "severity", "service")
        self._deliveries = counter("alert_deliveries", "Alerts by channel", "channel", "delivered")
        self._dropped = gauge("sink_dropped", "What a sink has lost", "sink")
        self._handlers: dict[type[Event], Callable[[Any], None]] = {
            AttemptFinished: self._attempt,
            RetryScheduled: lambda event: self._retries.labels(event.service, event.reason).inc(),
            BreakerChanged: lambda event: self._move(event.service, event.new),
            HealthChecked: self._checked,
            CallChanged: self._call,
            DialSettled: lambda event: self._dials.labels(event.status).inc(),
            LanesChanged: lambda event: self._lanes.set(event.lanes),
            AlertRaised: self._alert,
            AlertDelivered: self._delivery,
            SinkDropped: lambda event: self._dropped.labels(event.sink).set(event.dropped),
        }
        self._begin(totals, lanes, services)

    def __call__(self, stamped: Stamped) -> None:
        """Count one event."""
        handler = self._handlers.get(type(stamped.event))
        if handler is not None:
            handler(stamped.event)

    def _begin(self, totals: Mapping[str, int], lanes: int, services: Mapping[str, str]) -> None:
        self._lanes.set(lanes)
        # A run that was killed leaves calls in lanes: the next one takes them from there.
        self._busy.set(sum(totals.get(state, 0) for state in WORKING))
        for state, calls in totals.items():
            self._calls.labels(state).set(calls)
        for service, state in services.items():
            self._move(service, state)

    def _attempt(self, event: AttemptFinished) -> None:
        self._attempts.labels(event.service, event.operation, event.outcome).inc()
        self._seconds.labels(event.service, event.operation).observe(event.duration_s)

    def _move(self, service: str, new: str) -> None:
        for state in STATES:
            self._breaker.labels(service, state).set(state == new)

    def _checked(self, event: HealthChecked) -> None:
        value = {"healthy": 1, "unhealthy": 0}.get(event.health, -1)
        self._health.labels(event.service).set(value)
        self._move(event.service, event.breaker_state)

    def _call(self, event: CallChanged) -> None:
        if event.old != event.new:
            self._calls.labels(event.old).dec()
            self._calls.labels(event.new).inc()
        self._busy.inc((event.new in WORKING) - (event.old in WORKING))

    def _alert(self, event: AlertRaised) -> None:
        self._alerts.labels(event.kind, event.severity, event.service).inc()

    def _delivery(self, event: AlertDelivered) -> None:
        self._deliveries.labels(event.channel, str(event.delivered).lower()).inc()
