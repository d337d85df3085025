"""A key and a phone number go in wherever text can; neither comes out anywhere."""

import asyncio
import json
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from memory_documents import MemoryDocuments
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import generate_latest
from reporting_doubles import (
    EPOCH_S,
    KEY,
    NUMBER,
    ScriptedChannel,
    breaker,
    failed_attempt,
    failed_call,
    loop_clock,
)

from callagent_cli.cli.text.crash import crash_report
from callagent_cli.clock import utc_text
from callagent_cli.errors import ServiceUnavailable
from callagent_cli.events import (
    Bus,
    CommandObeyed,
    DialIntended,
    Event,
    GateClosed,
    ListenerFailed,
    RetryScheduled,
    RunWaiting,
    StepDegraded,
)
from callagent_cli.reporting.incidents.incident import load
from callagent_cli.reporting.incidents.report import report_of
from callagent_cli.reporting.incidents.report_text import markdown, plain
from callagent_cli.reporting.journal import LineEncoder
from callagent_cli.reporting.metrics import Metrics
from callagent_cli.reporting.redaction import Redactor, secrets_of
from callagent_cli.reporting.traces import Traces
from callagent_cli.reporting.wiring import Reporting, Surroundings
from callagent_cli.settings import Alerts, Settings, Slack, Webhook

WORDS = f"the key {KEY} is refused for {NUMBER}, also as +1 (212) 555-0123"


def _events() -> list[Event]:
    failed: dict[str, Any] = {"error_message": WORDS}
    return [
        DialIntended(call="call_1", dial="dial_1", number="…123"),
        *[failed_attempt(**failed)] * 4,
        RetryScheduled(service="elevenlabs", reason="backoff", error_message=WORDS),
        GateClosed(service="elevenlabs", delay_s=1, reason=WORDS),
        breaker("closed", "open", error_message=WORDS, reason=f"4 failures: {WORDS}"),
        StepDegraded(service="elevenlabs", step="dial", active=True, instead=WORDS),
        failed_call(reason=WORDS, number=NUMBER),
        failed_call("call_2", new="review", reason=WORDS, number=NUMBER),
        RunWaiting(reason=WORDS),
        CommandObeyed(command="lanes", argument=WORDS, by="ana"),
        ListenerFailed(listener="x", error_class="ValueError", error_message=WORDS),
    ]


def _clean(text: str, *, where: str) -> None:
    assert KEY not in text, where
    for digits in ("2125550123", "212) 555-0123", NUMBER):
        assert digits not in text, where


def test_neither_a_key_nor_a_number_comes_out_anywhere(tmp_path: Path) -> None:
    """Journal, alerts, sheet, store, channel, report, JSON lines, screen, metrics, traces."""
    documents, shown, lines = MemoryDocuments(), list[str](), list[str]()
    channel = ScriptedChannel("webhook", [ServiceUnavailable(WORDS)])
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    metrics = Metrics(totals={}, lanes=1, services={})

    class Doors:
        def channels(self, *_: object) -> list[ScriptedChannel]:
            return [channel]

    async def story() -> None:
        clock = loop_clock()
        bus = Bus(clock, run="run_1", campaign="contacts")
        redactor = Redactor([KEY])
        reporting = Reporting(
            Surroundings(
                clock=clock,
                bus=bus,
                settings=Settings(alerts=Alerts(webhook=Webhook(url="https://hooks.example"))),
                documents=documents,
                folder=tmp_path,
                redactor=redactor,
                screen=shown.append,
                real=True,
                doors=Doors(),  # type: ignore[arg-type]
            )
        )
        encode = LineEncoder(redactor).encode
        bus.listen(lambda stamped: lines.append(encode(stamped).decode()))
        bus.listen(metrics)
        bus.listen(Traces(provider.get_tracer("test")))
        for event in _events():
            bus.emit(event)
        await reporting.flush(5)
        reporting.end_of_run()
        await reporting.flush(5)
        await reporting.close()

    asyncio.run(story())
    reports = [report_of(documents, each.id, state_of=str) for each in load(documents)]

    for path in tmp_path.iterdir():
        _clean(path.read_text(encoding="utf-8"), where=path.name)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name
    assert len(list(tmp_path.iterdir())) == 3
    _clean(documents.text(), where="store")
    _clean(repr(channel.taken) + "".join(shown), where="channel and screen")
    assert channel.taken
    _clean("".join(lines), where="JSON lines")
    _clean(generate_latest(metrics.registry).decode(), where="metrics")
    _clean(json.dumps([span.to_json() for span in exporter.get_finished_spans()]), where="traces")
    for report in reports:
        assert report is not None
        _clean(msgspec.json.encode(report).decode(), where="report as JSON")
        _clean("\n".join([*plain(report), *markdown(report)]), where="report")
    provider.shutdown()


def test_a_crash_report_hides_them_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The words of an exception, and the command line."""
    monkeypatch.setenv("ELEVENLABS_API_KEY", KEY)
    at = datetime(2026, 1, 5, tzinfo=UTC)
    text = crash_report(ValueError(WORDS), ["run", f"--key={KEY}", NUMBER], at)

    _clean(text, where="crash report")


def test_every_secret_of_the_settings_is_known_to_the_redactor() -> None:
    """Keys of services and channels, and the paths of addresses that are secrets themselves."""
    url = "https://hooks.slack.example/services/T000000/B000000/abcdefghijkl"
    settings = Settings(
        alerts=Alerts(slack=Slack(), heartbeat_url="https://ping.example/0123456789abcdef0123")
    )
    found = secrets_of(settings, {"SLACK_WEBHOOK_URL": url, "OPENAI_API_KEY": KEY})
    text = Redactor(found).text(f"{url} {KEY} GET /0123456789abcdef0123 {utc_text(EPOCH_S)}")

    assert text == f"*** *** GET *** {utc_text(EPOCH_S)}"
