"""A run that is looked at from outside: its metrics are scraped, its traces are collected."""

import socket
import urllib.request
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from command_line import (
    INSTANT,
    callagent,
    complaint,
    journal,
    started,
    states,
    status,
    until,
    write_contacts,
    write_settings,
)
from otlp_collector import attributes, collector
from prometheus_client.parser import text_string_to_metric_families

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def _scraped(port: int) -> Samples:
    """Return every sample by its name and labels."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def _by(samples: Samples, name: str, label: str) -> dict[str, float]:
    """Sum a metric's samples by one label, without those that are zero."""
    found: defaultdict[str, float] = defaultdict(float)
    for (each, labels), value in samples.items():
        if each == name:
            found[dict(labels)[label]] += value
    return {key: value for key, value in found.items() if value}


def _events(folder: Path, name: str) -> list[dict[str, Any]]:
    return [event for event in journal(folder) if event["event"] == name]


def test_what_is_scraped_is_what_status_says(tmp_path: Path, unused_port: int) -> None:
    """While the run is paused: calls by state, lanes, breakers, attempts, dials and health."""
    write_settings(tmp_path, {**INSTANT, "sandbox": {"pace": 0.3}})
    write_contacts(tmp_path, 30)
    port = unused_port
    arguments = ("run", "contacts.csv", "--lanes", "3", "--headless")
    with started(*arguments, "--metrics-port", str(port), folder=tmp_path) as process:
        until(lambda: len(_events(tmp_path, "dial_settled")) > 3, "a few dials")
        callagent("pause", folder=tmp_path)
        until(lambda: not status(tmp_path)["totals"].get("active"), "nothing in flight")
        document, seen = status(tmp_path), _scraped(port)
        attempts = _events(tmp_path, "attempt_finished")
        settled = Counter(event["status"] for event in _events(tmp_path, "dial_settled"))
        callagent("drain", folder=tmp_path)
        _, err = process.communicate(timeout=15)

    assert (process.returncode, err) == (3, "")
    assert document["verdict"]["word"] == "PAUSED"
    assert _by(seen, "callagent_calls", "state") == states(document)
    assert int(seen["callagent_lanes", ()]) == document["run"]["lanes"] == 3
    assert seen["callagent_lanes_busy", ()] == 0
    breakers = {service["service"]: service["breaker"] for service in document["services"]}
    for service, state in breakers.items():
        labels = (("service", service), ("state", state))
        assert seen["callagent_breaker_state", labels] == 1
    assert _by(seen, "callagent_service_healthy", "service") == dict.fromkeys(breakers, 1.0)
    assert _by(seen, "callagent_dials_total", "status") == settled
    outcomes = Counter(event["outcome"] for event in attempts)
    assert _by(seen, "callagent_attempts_total", "outcome") == outcomes
    assert _by(seen, "callagent_attempt_seconds_count", "operation") == Counter(
        event["operation"] for event in attempts
    )


def test_a_metrics_port_that_is_taken_calls_nobody(tmp_path: Path) -> None:
    """An error with a hint and the code of usage, before the first dial."""
    write_settings(tmp_path, INSTANT)
    write_contacts(tmp_path, 2)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        run = callagent("run", "contacts.csv", "--metrics-port", port, folder=tmp_path)
    error, hint = complaint(run)

    assert run.returncode == 2
    assert error == f"cannot serve metrics on port {port}: Address already in use"
    assert hint == "choose another `--metrics-port`"
    assert _events(tmp_path, "step_started") == []


def test_a_call_is_one_trace_at_the_collector(tmp_path: Path) -> None:
    """A root span a call, under it a span a step, under that a span an attempt; no number."""
    write_settings(tmp_path, INSTANT)
    numbers = write_contacts(tmp_path, 6)
    with collector() as taken:
        run = callagent(
            "run", "contacts.csv", folder=tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=taken.url
        )
    attempts = [event for event in _events(tmp_path, "attempt_finished") if event["call"]]
    steps = _events(tmp_path, "step_started")

    assert (run.returncode, run.stderr) == (0, "")
    assert (taken.paths, taken.service_names) == ({"/v1/traces"}, {"callagent"})
    assert len(taken.traces()) == len(numbers)
    ids = set()
    for spans in taken.traces().values():
        by_id = {span.span_id: span for span in spans}
        calls = [span for span in spans if span.name == "call"]
        ids |= {attributes(span)["callagent.call"] for span in calls}
        for span in spans:
            parent = by_id.get(span.parent_span_id)
            if span.name == "call":
                assert parent is None
            elif span.name.startswith("step "):
                assert parent is not None
                assert parent.name == "call"
            else:
                assert parent is not None
                assert parent.name.startswith("step ")
            if parent is not None:
                assert parent.start_time_unix_nano <= span.start_time_unix_nano
                assert span.end_time_unix_nano <= parent.end_time_unix_nano
    assert ids == {event["call"] for event in attempts}
    names = Counter(span.name for span in taken.spans if "." in span.name)
    assert names == Counter(event["operation"] for event in attempts)
    assert Counter(span.name for span in taken.spans if span.name.startswith("step ")) == Counter(
        f"step {event['step']}" for event in steps
    )
    for number in numbers:
        assert number[2:].encode() not in taken.raw
    assert b"Person" not in taken.raw


def test_a_collector_that_is_not_there_is_one_warning(tmp_path: Path, unused_port: int) -> None:
    """The calls are made, the run ends well, and the library writes nothing by itself."""
    write_settings(tmp_path, INSTANT)
    write_contacts(tmp_path, 2)
    url = f"http://127.0.0.1:{unused_port}"
    run = callagent("run", "contacts.csv", folder=tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=url)
    lines = run.stderr.splitlines()

    assert run.returncode == 0
    assert len(lines) == 1
    assert lines[0].startswith("warning: ")
    assert lines[0].endswith(
        "spans were not delivered to OTEL_EXPORTER_OTLP_ENDPOINT: Connection refused"
    )
    assert states(status(tmp_path)) == {"done": 2}
