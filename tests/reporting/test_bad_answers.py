"""Everything that receivers of alerts do wrong, over real sockets: one table, one report each.

Real clients talk to servers on loopback for 40 minutes of the loop's time; a call goes on beside.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from bad_answers import BEYOND_MENDING, CASES, GOOD, Case
from loopback_servers import Answer, HttpServer, SmtpServer, certificate
from memory_documents import MemoryDocuments
from reporting_doubles import KEY, JumpingLoop, alert, loop_clock

from callagent_cli.errors import ServiceError
from callagent_cli.events import AlertDelivered, AlertRaised, Bus, Event, ListenerFailed, Stamped
from callagent_cli.reporting.alert import Partial
from callagent_cli.reporting.real_doors import RealDoors
from callagent_cli.reporting.redaction import Redactor
from callagent_cli.reporting.wiring import Reporting, Surroundings
from callagent_cli.services.httpx_client import HttpxClient
from callagent_cli.settings import Alerts, Email, PagerDuty, Settings, Slack, Telegram, Webhook

MINUTE_S = 60.0
BROKEN_S = 40 * MINUTE_S
WORD_S = 20.0
ENVIRON = {
    "TELEGRAM_BOT_TOKEN": KEY,
    "PAGERDUTY_ROUTING_KEY": KEY,
    "CALLAGENT_WEBHOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "CALLAGENT_SMTP_PASSWORD": KEY,
}


class WireLoop(JumpingLoop):
    """Jumps to its next timer only when nothing moves on any socket: both ends are in this loop."""

    def _run_once(self) -> None:
        if not self._ready:  # type: ignore[attr-defined]
            moved = self._selector.select(0.002)  # type: ignore[attr-defined]
            if moved:
                self._process_events(moved)  # type: ignore[attr-defined]
        super()._run_once()


@dataclass
class Receiver:
    """A server of a case: when it was asked, and how it is mended."""

    alerts: Alerts
    environ: dict[str, str]
    asked_s: list[float] = field(default_factory=list)
    mend: Callable[[], None] = lambda: None


class _Asked(HttpServer):
    """Notes when it is asked."""

    def __init__(self, forever: Answer) -> None:
        super().__init__([], forever=forever)
        self.asked_s: list[float] = []
        self.breaks_off = False
        self.hears_tls = False

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked_s.append(asyncio.get_running_loop().time())
        if self.breaks_off:
            await reader.readuntil(b"\r\n\r\n")
            writer.transport.abort()
            return
        if self.hears_tls:  # What no HTTP server understands it answers in plain HTTP.
            await reader.read(1)
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            return
        await super()._talk(reader, writer)


class _AskedSmtp(SmtpServer):
    """Notes when it is asked."""

    def __init__(self, pem: tuple[Path, Path], **told: Any) -> None:  # noqa: ANN401 — as the server's own.
        super().__init__(pem, **told)
        self.asked_s: list[float] = []

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked_s.append(asyncio.get_running_loop().time())
        await super()._talk(reader, writer)

    def mend(self) -> None:
        """Take everything from now on."""
        self._password, self._greeting = KEY, "220 loopback"


def _alerts(channel: str, base_url: str) -> tuple[Alerts, dict[str, str]]:
    slack = {"SLACK_WEBHOOK_URL": f"{base_url}/services/T0/B0/{KEY}"}
    chosen = {
        "telegram": Alerts(telegram=Telegram(base_url=base_url, chat_id="-100")),
        "webhook": Alerts(webhook=Webhook(url=f"{base_url}/hook")),
        "slack": Alerts(slack=Slack()),
        "pagerduty": Alerts(pagerduty=PagerDuty(base_url=base_url)),
    }
    return chosen[channel], {**ENVIRON, **slack}


@asynccontextmanager
async def _http(case: Case) -> AsyncIterator[Receiver]:
    answer = case.answer if isinstance(case.answer, tuple) else GOOD[case.channel]
    async with _Asked(answer) as server:
        server.hears_tls = case.answer == "plain where TLS is set"
        scheme = "https:" if server.hears_tls else "http:"
        base_url = server.base_url.replace("http:", scheme)
        receiver = Receiver(*_alerts(case.channel, base_url), server.asked_s)
        server.breaks_off = case.answer == "breaks off"

        def mend() -> None:
            server.forever, server.breaks_off = GOOD[case.channel], False

        receiver.mend = mend
        if case.answer == "closed":
            server._server.close()
        yield receiver


@asynccontextmanager
async def _smtp(case: Case, folder: Path) -> AsyncIterator[Receiver]:
    pem = certificate(folder)
    told: dict[str, Any] = {
        "wrong password": {"password": "another"},
        "later": {"greeting": "421 busy"},
    }.get(str(case.answer), {"password": KEY})
    async with _AskedSmtp(pem, **told) as server:
        email = Email(
            host="127.0.0.1",
            port=server.port,
            sender="callagent@example.test",
            to=["ops@example.test"],
            username="ops",
            tls="tls" if case.answer == "plain where TLS is set" else "starttls",
            ca_file="" if case.answer == "unknown certificate" else str(pem[0]),
        )
        if case.answer == "closed":
            server._server.close()
        yield Receiver(Alerts(email=email), ENVIRON, server.asked_s, server.mend)


class Run:
    """A run whose alerts go to one real receiver, and a call that goes on beside."""

    def __init__(self, receiver: Receiver, folder: Path) -> None:
        self.clock = loop_clock()
        self.bus = Bus(self.clock, run="run_1", campaign="contacts")
        self.events: list[Event] = []
        self.kinds: set[str] = set()
        self.bus.listen(self._keep)
        doors = RealDoors(
            http_for=lambda base_url: HttpxClient(base_url=base_url), environ=receiver.environ
        )
        self.reporting = Reporting(
            Surroundings(
                clock=self.clock,
                bus=self.bus,
                settings=Settings(alerts=receiver.alerts),
                documents=MemoryDocuments(),
                folder=folder,
                redactor=Redactor([KEY]),
                screen=lambda _: None,
                real=True,
                doors=doors,
            )
        )

        for channel in self.reporting._channels:
            self._note_kinds(channel)

    def _note_kinds(self, channel: Any) -> None:  # noqa: ANN401 — a method of it is replaced.
        """Note what the deliveries of a channel fail with."""
        name = "deliver_rest" if isinstance(channel, Partial) else "deliver"
        deliver = getattr(channel, name)

        async def noting(*alert: Any, **only: Any) -> None:  # noqa: ANN401 — as it is given.
            try:
                await deliver(*alert, **only)
            except ServiceError as error:
                self.kinds.add(type(error).__name__)
                raise

        setattr(channel, name, noting)

    def _keep(self, stamped: Stamped) -> None:
        self.events.append(stamped.event)

    async def call(self, seconds: float) -> None:
        """Talk: a word every now and then of the loop's time."""
        for _ in range(round(seconds / WORD_S)):
            await asyncio.sleep(WORD_S)

    def told(self, channel: str) -> list[AlertRaised]:
        """Return what was told of a channel."""
        raised = [event for event in self.events if isinstance(event, AlertRaised)]
        return [event for event in raised if event.service == f"alerts.{channel}"]

    def delivered(self, channel: str) -> int:
        """Count what a channel took."""
        found = [event for event in self.events if isinstance(event, AlertDelivered)]
        return sum(event.delivered and event.channel == channel for event in found)


def _on_the_wire(work: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=WireLoop) as runner:
        runner.run(work)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_wrong_answer_is_told_once_with_a_fix_and_stops_no_call(
    case: Case, tmp_path: Path
) -> None:
    """Classified, told once on the other channels, retried as it deserves; calls go on."""

    async def story() -> None:
        receives = _smtp(case, tmp_path) if case.channel == "email" else _http(case)
        async with receives as receiver:
            run = Run(receiver, tmp_path)
            reporting = asyncio.create_task(run.reporting.run())
            run.bus.emit(alert())
            began_s = run.clock.monotonic()
            await run.call(BROKEN_S)
            lasted_s = run.clock.monotonic() - began_s
            asked_s, kinds = list(receiver.asked_s), set(run.kinds)
            receiver.mend()
            await run.call(20 * MINUTE_S)
            reporting.cancel()
            await asyncio.wait({reporting})
            await run.reporting.close()

        told = run.told(case.channel)
        assert [event.kind for event in told][:1] == ["opened"]
        assert sum(event.kind == "opened" for event in told) == 1
        assert all(word in told[0].title for word in case.words), told[0].title
        assert "To do: " in told[0].body
        assert KEY not in repr(run.events)
        assert "<html>" not in repr(run.events)
        assert kinds == {case.kind}
        waits_s = [b - a for a, b in pairwise(asked_s)]
        assert case.tries[0] <= len(asked_s) <= case.tries[1], asked_s
        assert all(wait_s >= case.least_s for wait_s in waits_s), waits_s
        assert lasted_s == pytest.approx(BROKEN_S)
        assert not [event for event in run.events if isinstance(event, ListenerFailed)]
        mended = case.answer not in BEYOND_MENDING
        heard = mended and not case.lost
        assert run.delivered(case.channel) == (1 if heard else 0)
        assert told[-1].kind == ("resolved" if heard else "opened")

    _on_the_wire(story())
