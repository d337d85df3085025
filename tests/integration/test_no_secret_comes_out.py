"""Providers and receivers echo keys and numbers; every command is asked, and all is grepped."""

import asyncio
import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from command_line import INSTANT, callagent, write_contacts, write_settings
from faulty_sandbox import Outage, faulty_sandbox, running
from otlp_collector import collector
from threaded_server import Answer, Asked, answering

from callagent_cli.simulation.carriers.action import PASS, WireAction
from callagent_cli.simulation.twins.twin import Facts, TwinRequest

SECRETS: Final = {
    "ELEVENLABS_API_KEY": "sk_elevenlabs_0123456789abcdef",
    "OPENAI_API_KEY": "sk-openai-0123456789abcdef",
    "HUBSPOT_TOKEN": "pat-na1-0123456789abcdef",
    "TELEGRAM_BOT_TOKEN": "123456:telegram0123456789abcdef",
    "CALLAGENT_WEBHOOK_SECRET": "whsec_d2ViaG9vazAxMjM0NTY3ODlhYmNkZWY=",
    "PAGERDUTY_ROUTING_KEY": "pagerduty0123456789abcdef0123456",
}
POLICY: Final = {
    "retry": {"initial_delay_s": 0.05, "jitter": "none"},
    "budget": {"floor_per_s": 100},
    "health": {"interval_s": 0.2, "timeout_s": 1, "stale_after_s": 5},
    "breaker": {"open_s": 0.5, "ramp_s": 0},
}
ASKED: Final = (
    ("status",),
    ("status", "--json"),
    ("config", "show"),
    ("config", "show", "--all", "--json"),
    ("doctor",),
    ("doctor", "--json"),
    ("alerts",),
    ("alerts", "test"),
    ("incidents",),
    ("incidents", "--json"),
    ("incidents", "show"),
    ("incidents", "show", "--json"),
    ("incidents", "show", "--markdown"),
    ("review",),
    ("simulate", "elevenlabs-503", "--journal", "journal.jsonl"),
    ("incidents", "show", "INC-9999"),
    ("alerts", "test", SECRETS["ELEVENLABS_API_KEY"]),
    ("requeue", "--incident", "+1 212 555 0100"),
)


class Echo(Outage):
    """Says every key and every number in its errors, as a careless provider would."""

    def __init__(self, down: set[str], words: str) -> None:
        super().__init__(down)
        self.body = json.dumps({"detail": {"status": "system_busy", "message": words}}).encode()

    def decide(self, target: str, _request: TwinRequest, _at: float, *, facts: Facts) -> WireAction:
        """Return what happens to a request."""
        del facts
        if target.partition(".")[0] not in self.down:
            return PASS
        return WireAction(kind="answer", status=503, body=self.body)


def _careless(words: str) -> Callable[[Asked], Answer]:
    """Return a receiver of alerts that refuses each with all it knows."""
    body = json.dumps({"ok": False, "description": words}).encode()
    return lambda _: (401, {}, body)


def _settings(receiver: str) -> dict[str, Any]:
    return {
        "lanes": 1,
        "services": {name: {"policy": POLICY} for name in ("elevenlabs", "llm", "crm")},
        "alerts": {
            "telegram": {"chat_id": "1", "base_url": receiver},
            "webhook": {"url": f"{receiver}/hooks/0123456789abcdef01234567"},
            "pagerduty": {"base_url": receiver},
        },
    }


async def _through_an_outage(folder: Path, words: str, port: int) -> tuple[str, str]:
    """Return what the run printed, and its metrics in the middle of the outage."""
    echo = Echo({"elevenlabs", "crm"}, words)
    arguments = ("--headless", "--metrics-port", str(port))
    async with faulty_sandbox(folder, echo), running(folder, *arguments) as run:
        await run.until(lambda events: any(each["event"] == "alert_delivered" for each in events))
        url = f"http://127.0.0.1:{port}/metrics"
        metrics = await asyncio.to_thread(lambda: urllib.request.urlopen(url).read().decode())
        echo.down.clear()
        ended = await run.ended()
    return ended.out + ended.err, metrics


def _variants(number: str) -> tuple[str, ...]:
    """Return a number as the texts here write it; its last digits alone are no secret."""
    return (number, number[2:], f"({number[2:5]}) {number[5:8]}-{number[8:]}")


def _assert_clean(text: str, numbers: list[str], where: str) -> None:
    for name, secret in SECRETS.items():
        assert secret not in text, (name, where)
    assert "/hooks/0123456789abcdef01234567" not in text, where
    for number in numbers:
        for variant in _variants(number):
            assert variant not in text, (variant, where)


@pytest.mark.timeout(90)  # Some twenty processes, one after the other.
def test_no_key_and_no_number_comes_out_of_any_command(tmp_path: Path, unused_port: int) -> None:
    """Log, alerts, sheet rows, store, screen, every command, metrics, traces, journal, `.env`."""
    numbers = write_contacts(tmp_path, 4)
    words = " ".join([*SECRETS.values(), *(each for n in numbers for each in _variants(n))])
    with answering(_careless(words)) as receiver, collector() as taken:
        write_settings(tmp_path, INSTANT, _settings(receiver))
        lines = {**SECRETS, "OTEL_EXPORTER_OTLP_ENDPOINT": taken.url}
        (tmp_path / ".env").write_text(
            "".join(f"{name}={value}\n" for name, value in lines.items()), encoding="utf-8"
        )
        printed, metrics = asyncio.run(_through_an_outage(tmp_path, words, unused_port))
        said = {" ".join(each[:3]): callagent(*each, folder=tmp_path) for each in ASKED}

    _assert_clean(printed, numbers, "the run's output")
    assert "is down" in printed
    _assert_clean(metrics, numbers, "metrics")
    assert "callagent_attempts_total" in metrics
    _assert_clean(taken.raw.decode("latin-1"), numbers, "traces")
    assert taken.spans
    for command, run in said.items():
        _assert_clean(run.stdout, numbers, command)
        if "+1 212" not in command and "test sk_" not in command:
            _assert_clean(run.stderr, numbers, command)
    logs = list((tmp_path / "logs").iterdir())
    assert any("***" in path.read_text(encoding="utf-8") for path in logs)
    for path in [*logs, tmp_path / "journal.jsonl"]:
        _assert_clean(path.read_text(encoding="utf-8"), numbers, path.name)
    assert said["incidents show"].returncode == 0
    for path in (tmp_path / ".callagent").iterdir():
        if path.is_file():
            # The store must know whom to call, but no key.
            _assert_clean(path.read_bytes().decode("latin-1"), [], path.name)
