"""Numbers for Prometheus and spans for OpenTelemetry, folded from the same events."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import generate_latest
from reporting_doubles import EPOCH_S, alert, breaker, failed_attempt, good_attempt

from callagent_cli.events import (
    AlertDelivered,
    CallChanged,
    DialSettled,
    Event,
    HealthChecked,
    LanesChanged,
    RetryScheduled,
    SinkDropped,
    Stamped,
    StepFinished,
    StepStarted,
)
from callagent_cli.reporting.metrics import Metrics
from callagent_cli.reporting.traces import Traces


def _stamped(event: Event, at_s: float = 0.0) -> Stamped:
    return Stamped(EPOCH_S + at_s, at_s, 1, "run_1", "contacts", event)


def _moved(old: str, new: str, **more: Any) -> CallChanged:  # noqa: ANN401 — fields of the event.
    return CallChanged(call="call_1", old=old, new=new, step="dial", reason="", **more)


def _all_metrics() -> Metrics:
    """Return metrics to which everything that is counted has happened once."""
    metrics = Metrics(totals={"pending": 3}, lanes=4, services={"elevenlabs": "closed"})
    for event in (
        failed_attempt(),
        good_attempt(),
        RetryScheduled(service="elevenlabs", reason="backoff"),
        breaker("closed", "open"),
        HealthChecked(service="elevenlabs", health="unhealthy", duration_s=1, next_check_s=10),
        breaker("half_open", "isolated"),
        _moved("pending", "active"),
        DialSettled(call="call_1", dial="dial_1", status="placed"),
        LanesChanged(lanes=8, by="ana"),
        alert(),
        AlertDelivered(alert="INC-0001-01", channel="email", delivered=False),
        SinkDropped(sink="journal", dropped=7, error_message="disk full"),
    ):
        metrics(_stamped(event))
    return metrics


def test_every_number_is_there() -> None:
    """Attempts, latency, breaker, lanes, queue by state, dials, retries, alerts, losses."""
    metrics = _all_metrics()
    text = generate_latest(metrics.registry).decode()

    for line in (
        'callagent_attempts_total{operation="elevenlabs.dial",outcome="unavailable"',
        'callagent_attempt_seconds_count{operation="elevenlabs.dial",service="elevenlabs"} 2.0',
        'callagent_retries_total{reason="backoff",service="elevenlabs"} 1.0',
        'callagent_breaker_state{service="elevenlabs",state="isolated"} 1.0',
        'callagent_breaker_state{service="elevenlabs",state="closed"} 0.0',
        'callagent_service_healthy{service="elevenlabs"} 0.0',
        'callagent_calls{state="pending"} 2.0',
        'callagent_calls{state="active"} 1.0',
        "callagent_lanes_busy 1.0",
        "callagent_lanes 8.0",
        'callagent_dials_total{status="placed"} 1.0',
        'callagent_alerts_total{kind="opened",service="elevenlabs",severity="critical"} 1.0',
        'callagent_alert_deliveries_total{channel="email",delivered="false"} 1.0',
        'callagent_sink_dropped{sink="journal"} 7.0',
    ):
        assert line in text


def test_the_lanes_of_a_killed_run_are_not_given_back_twice() -> None:
    """What it left in a lane counts as busy until it is taken from there; never below none."""
    totals = {"active": 2, "backoff": 1, "parked": 4}
    metrics = Metrics(totals=totals, lanes=4, services={})
    begun = generate_latest(metrics.registry).decode()
    for event in (
        _moved("active", "pending"),
        _moved("backoff", "active"),
        _moved("active", "done"),
    ):
        metrics(_stamped(event))
    metrics(_stamped(_moved("active", "reconciling")))

    assert "callagent_lanes_busy 3.0" in begun
    assert "callagent_lanes_busy 0.0" in generate_latest(metrics.registry).decode()


def test_no_label_names_a_call() -> None:
    """A million calls do not make a million series."""
    metrics = Metrics(totals={}, lanes=1, services={})
    metrics(_stamped(failed_attempt(call="call_9")))
    metrics(_stamped(_moved("active", "done")))

    assert "call_9" not in generate_latest(metrics.registry).decode()


def _traced(*events: tuple[float, Event]) -> list[Any]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    traces = Traces(provider.get_tracer("test"))
    for at_s, event in events:
        traces(_stamped(event, at_s))
    traces.close(EPOCH_S + 100)
    provider.shutdown()
    return list(exporter.get_finished_spans())


def test_a_call_is_one_trace_with_a_span_a_step_and_attempt() -> None:
    """Attempts hang under their step, steps under the call; times are those of the events."""
    spans = _traced(
        (0, _moved("pending", "active")),
        (1, StepStarted(call="call_1", step="dial")),
        (3, failed_attempt(duration_s=1.5, http_status=503)),
        (9, good_attempt(duration_s=0.5)),
        (9, StepFinished(call="call_1", step="dial", detail="")),
        (10, _moved("active", "done", result="answered")),
    )
    names = [span.name for span in spans]
    bad, good, step, call = spans

    assert names == ["elevenlabs.dial", "elevenlabs.dial", "step dial", "call"]
    assert len({span.context.trace_id for span in spans}) == 1
    assert bad.parent.span_id == good.parent.span_id == step.context.span_id
    assert step.parent.span_id == call.context.span_id
    assert (bad.end_time - bad.start_time) / 1e9 == pytest.approx(1.5)
    assert bad.attributes["http.response.status_code"] == 503
    assert not bad.status.is_ok
    assert call.attributes["callagent.result"] == "answered"


def test_a_call_that_goes_on_later_stays_in_its_trace() -> None:
    """Parked, killed or scheduled: the trace id is made of the call's id."""
    first = _traced((0, _moved("pending", "active")), (1, _moved("active", "parked")))
    later = _traced((50, _moved("parked", "active")))

    assert first[0].context.trace_id == later[0].context.trace_id
    assert first[0].attributes["callagent.state"] == "parked"


def test_spans_hold_no_text_of_a_provider() -> None:
    """An error's words may name a person; its class may not."""
    spans = _traced((1, failed_attempt(error_message="+12125550123 is busy")))
    text = json.dumps([span.to_json() for span in spans])

    assert "2125550123" not in text
    assert "ServiceUnavailable" in text


def test_the_dashboard_asks_for_numbers_that_exist() -> None:
    """Each metric that the dashboard queries is exported, with the labels it names."""
    path = Path(__file__).parents[2] / "docs" / "grafana-dashboard.json"
    board = json.loads(path.read_text(encoding="utf-8"))
    targets = [target for panel in board["panels"] for target in panel.get("targets", [])]
    known: dict[str, set[str]] = {}
    for family in _all_metrics().registry.collect():
        for sample in family.samples:
            known.setdefault(sample.name, set()).update(sample.labels)
    asked = set()
    for target in targets:
        names = set(re.findall(r"callagent_\w+", target["expr"]))
        labels = {label for name in names for label in known.get(name, set())}
        grouped = re.findall(r"by ?\(([^)]*)\)", target["expr"])
        wanted = {word.strip() for group in grouped for word in group.split(",")}
        wanted |= set(re.findall(r"{{(\w+)}}", target.get("legendFormat", "")))
        wanted |= set(re.findall(r"(\w+)\s*=~?\"", target["expr"]))

        assert names, target
        assert names <= known.keys(), target
        assert wanted <= labels, target
        asked |= names
    assert len(asked) >= 6


def test_a_breaker_that_a_restart_found_open_is_open_from_the_start() -> None:
    """No event says so: it stands as it was taken up from the store."""
    metrics = Metrics(totals={}, lanes=1, services={"elevenlabs": "open"})
    text = generate_latest(metrics.registry).decode()

    assert 'callagent_breaker_state{service="elevenlabs",state="open"} 1.0' in text
    assert 'callagent_breaker_state{service="elevenlabs",state="closed"} 0.0' in text
