"""The whole of reporting on a bus: a rehearsed outage, a real folder, and nothing in the way."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from memory_documents import MemoryDocuments
from reporting_doubles import (
    EPOCH_S,
    KEY,
    NUMBER,
    alert,
    breaker,
    failed_attempt,
    failed_call,
    loop_clock,
    run_jumping,
)

from callagent_cli.errors import LogError
from callagent_cli.events import AlertRaised, Bus, Event, Stamped
from callagent_cli.reporting.google_sheet import GoogleSheet
from callagent_cli.reporting.real_doors import RealDoors
from callagent_cli.reporting.redaction import Redactor
from callagent_cli.reporting.sinks import Dropped, FileSink, MemorySink, Sink
from callagent_cli.reporting.wiring import CHANNELS, Reporting, Surroundings
from callagent_cli.services.http import Http, Request, Response
from callagent_cli.settings import Alerts, PagerDuty, Settings, Sheet, Telegram


class Stage:
    """A reporting on a bus of its own, and all that came out of it."""

    def __init__(
        self,
        folder: Path,
        *,
        real: bool,
        documents: MemoryDocuments | None = None,
        settings: Settings | None = None,
        **more: Any,  # noqa: ANN401 — fields of Surroundings.
    ) -> None:
        self.clock = loop_clock()
        self.bus = Bus(self.clock, run="run_1", campaign="contacts")
        self.documents = documents or MemoryDocuments()
        self.shown: list[str] = []
        self.events: list[Event] = []
        self.bus.listen(self._keep)
        self.reporting = Reporting(
            Surroundings(
                clock=self.clock,
                bus=self.bus,
                settings=settings or Settings(),
                documents=self.documents,
                folder=folder,
                redactor=Redactor([KEY]),
                screen=self.shown.append,
                real=real,
                **more,
            )
        )

    def _keep(self, stamped: Stamped) -> None:
        self.events.append(stamped.event)

    @property
    def kinds(self) -> list[str]:
        """The kinds of all alerts raised."""
        return [event.kind for event in self.events if isinstance(event, AlertRaised)]

    async def outage(self, *, health_s: float) -> None:
        """Play a three-minute outage with one failed call, then some health, then the end."""
        running = asyncio.create_task(self.reporting.run())
        await asyncio.sleep(10)
        for _ in range(4):
            self.bus.emit(failed_attempt(error_message=f"503 {KEY} for {NUMBER}"))
        self.bus.emit(breaker("closed", "open"))
        self.bus.emit(failed_call(number=NUMBER, reason=f"{KEY} {NUMBER}"))
        await asyncio.sleep(180)
        self.bus.emit(breaker("half_open", "closed"))
        await asyncio.sleep(health_s)
        self.reporting.end_of_run()
        assert await self.reporting.flush(10) == 0
        running.cancel()
        await asyncio.wait({running})
        await self.reporting.close()


def _lines(sink: Sink) -> list[dict[str, Any]]:
    assert isinstance(sink, MemorySink)
    return [json.loads(line) for line in sink.lines]


@pytest.mark.parametrize("health_s", [60, 300])
def test_a_rehearsed_outage_is_told_whole_from_memory(tmp_path: Path, health_s: float) -> None:
    """Opened, the failed call, closed, resolved; on three channels, the screen and the journal."""

    async def story() -> None:
        stage = Stage(tmp_path, real=False, label="SIMULATION")
        await stage.outage(health_s=health_s)

        assert stage.kinds == ["opened", "call_failed", "update", "resolved"]
        journal, alerts = _lines(stage.reporting.journal_sink), _lines(stage.reporting.alert_sink)
        assert [line["event"] for line in journal[:6]] == ["attempt_finished"] * 4 + [
            "breaker_changed",
            "alert_raised",
        ]
        assert [line["sequence"] for line in journal] == list(range(1, len(journal) + 1))
        assert [line["status"] for line in alerts if line["channel"] == "telegram"] == [
            "open",
            "open",
            "open",
            "resolved",
        ]
        assert stage.shown[0].startswith("CRITICAL opened: SIMULATION: elevenlabs is down")
        resolved = next(line for line in journal if line.get("kind") == "resolved")
        wait_s = min(health_s, 120)
        assert (
            resolved["time"]
            == f"2026-01-05T09:0{int(190 + wait_s) // 60}:{(190 + wait_s) % 60:02.0f}.000Z"
        )

    run_jumping(story())
    assert list(tmp_path.iterdir()) == []


def test_the_same_story_gives_the_same_bytes(tmp_path: Path) -> None:
    """Two simulations agree on the hash of their journals."""

    async def story() -> str:
        stage = Stage(tmp_path, real=False)
        await stage.outage(health_s=300)
        sink = stage.reporting.journal_sink
        assert isinstance(sink, MemorySink)
        return sink.sha256

    assert run_jumping(story()) == run_jumping(story())


def test_no_secret_and_no_number_reaches_any_sink(tmp_path: Path) -> None:
    """Files, store and screen are searched for a key and a number that went in everywhere."""

    async def story() -> Stage:
        stage = Stage(tmp_path, real=True)
        await stage.outage(health_s=60)
        return stage

    stage = run_jumping(story())
    files = {path.name: path.read_text() for path in tmp_path.iterdir()}
    everything = "\n".join([*files.values(), *stage.shown, stage.documents.text()])

    assert sorted(files) == [
        "alerts.jsonl",
        "google-sheet.csv",
        "run-20260105T090000Z-run_1.jsonl",
    ]
    assert all(files.values())
    assert files["google-sheet.csv"].startswith("time,service,event,error message,")
    assert KEY not in everything
    assert NUMBER.removeprefix("+") not in everything
    assert "…123" in everything
    assert stage.reporting.dropped() == {}


def test_the_header_of_the_sheet_is_written_once(tmp_path: Path) -> None:
    """A second run appends to the same file."""

    async def story() -> None:
        stage = Stage(tmp_path, real=True)
        stage.bus.emit(failed_attempt())
        await stage.reporting.close()
        await stage.reporting.close()

    run_jumping(story())
    run_jumping(story())

    lines = (tmp_path / "google-sheet.csv").read_text().splitlines()
    assert len(lines) == 3
    assert [line.startswith("time,") for line in lines] == [True, False, False]


def test_a_log_folder_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    """The run ends before it began, with a hint."""
    (tmp_path / "logs").write_text("a file")

    async def story() -> None:
        with pytest.raises(LogError):
            Stage(tmp_path / "logs", real=True)

    run_jumping(story())


def test_a_full_disk_stops_no_event_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal loses its lines; everybody else hears how many, and alerts go on."""

    def full(_: Path, *, on_dropped: Dropped, **_ignored: object) -> FileSink:
        return FileSink(Path("/dev/full"), on_dropped=on_dropped)

    monkeypatch.setattr("callagent_cli.reporting.wiring.FileSink", full)

    async def story() -> None:
        stage = Stage(tmp_path, real=True)
        stage.bus.emit(failed_attempt())
        await stage.reporting.close()
        await asyncio.sleep(0)

        dropped = [event for event in stage.events if type(event).__name__ == "SinkDropped"]
        assert "No space left" in repr(dropped)
        assert stage.reporting.dropped()["journal"] >= 1
        assert stage.reporting.dropped()["google-sheet"] >= 1

    asyncio.run(story())


def test_a_restart_delivers_what_was_left_and_repeats_nothing(tmp_path: Path) -> None:
    """Killed in the outage: the next run resolves the same incident, with one opened in all."""
    documents, kinds = MemoryDocuments(), []

    async def killed() -> None:
        stage = Stage(tmp_path, real=False, documents=documents)
        for _ in range(4):
            stage.bus.emit(failed_attempt())
        stage.bus.emit(breaker("closed", "open"))
        kinds.extend(stage.kinds)

    async def again() -> None:
        stage = Stage(tmp_path, real=False, documents=documents)
        running = asyncio.create_task(stage.reporting.run())
        await asyncio.sleep(30)
        stage.bus.emit(breaker("half_open", "closed"))
        await asyncio.sleep(300)
        running.cancel()
        kinds.extend(stage.kinds)
        told = [line["kind"] for line in _lines(stage.reporting.alert_sink)]
        assert told.count("opened") == len(CHANNELS)

    run_jumping(killed())
    run_jumping(again())

    assert kinds == ["opened", "update", "resolved"]
    assert documents.documents("alert", open_only=True) == []


def test_a_dead_channel_is_said_on_the_others_once(tmp_path: Path) -> None:
    """Telegram refuses the token: one alert about it by email and webhook, none by itself."""

    class Refusing:
        async def send(self, _: Request) -> Response:
            return Response(401, {}, b'{"ok":false,"description":"Unauthorized"}')

        async def close(self) -> None:
            return

    async def story() -> None:
        settings = Settings(alerts=Alerts(telegram=Telegram(chat_id="1")))
        stage = Stage(
            tmp_path,
            real=True,
            settings=settings,
            doors=RealDoors(http_for=lambda _: Refusing(), environ={"TELEGRAM_BOT_TOKEN": KEY}),
        )
        running = asyncio.create_task(stage.reporting.run())
        stage.bus.emit(alert())
        await asyncio.sleep(900)
        running.cancel()
        await asyncio.wait({running})
        await stage.reporting.close()
        broken = [event for event in stage.events if isinstance(event, AlertRaised)][1:]

        answer = "telegram answered 401: Unauthorized; correct the token of `alerts.telegram`"
        assert [event.title for event in broken] == [
            f"alerts do not get through by telegram: {answer}"
        ]
        lines = [json.loads(line) for line in (tmp_path / "alerts.jsonl").read_text().splitlines()]
        about = [line["channel"] for line in lines if line["service"] == "alerts.telegram"]
        assert sorted(about) == ["email", "pagerduty", "slack", "webhook"]
        assert stage.reporting.outbox.undelivered() == {"telegram": 1}

    run_jumping(story())


def test_a_task_that_fails_is_told_and_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A defect in reporting never reaches the worker, and does not silence the alerts for good."""

    async def story() -> None:
        stage = Stage(tmp_path, real=False)
        serve: Callable[[str], Any] = stage.reporting.outbox.serve
        broken = [True]

        async def fail_once(channel: str) -> None:
            if broken.pop() if broken else False:
                raise RuntimeError("a defect")
            await serve(channel)

        monkeypatch.setattr(stage.reporting.outbox, "serve", fail_once)
        running = asyncio.create_task(stage.reporting.run())
        await asyncio.sleep(1)
        stage.bus.emit(alert())
        await asyncio.sleep(10)
        running.cancel()
        await asyncio.wait({running})

        failed = [event for event in stage.events if type(event).__name__ == "ListenerFailed"]
        assert [(event.listener, event.error_message) for event in failed] == [  # type: ignore[attr-defined]
            ("alerts by email", "a defect")
        ]
        assert len(_lines(stage.reporting.alert_sink)) == len(CHANNELS)
        assert stage.clock.utc() > EPOCH_S

    run_jumping(story())


def test_a_sheet_that_is_set_replaces_the_file(tmp_path: Path) -> None:
    """With a spreadsheet in the settings no CSV is written, and nothing is sent without rows."""

    async def story() -> None:
        settings = Settings(sheet=Sheet(spreadsheet_id="book"))
        environ = {"GOOGLE_SERVICE_ACCOUNT_JSON": "{}"}
        doors = RealDoors(http_for=_no_http, environ=environ)
        stage = Stage(tmp_path, real=True, settings=settings, doors=doors)
        assert isinstance(stage.reporting.rows, GoogleSheet)
        await stage.reporting.close()

    asyncio.run(story())
    assert not (tmp_path / "google-sheet.csv").exists()


def _no_http(_: str) -> Http:
    raise AssertionError


def test_a_run_that_ends_leaves_no_failed_call_open_at_pagerduty(tmp_path: Path) -> None:
    """The alert of a failed call triggers an incident there; the end of the run resolves it."""

    class Accepting:
        async def send(self, request: Request) -> Response:
            actions.append(json.loads(request.body or b"")["event_action"])
            return Response(202, {}, b'{"status":"success"}')

        async def close(self) -> None:
            return

    actions: list[str] = []

    async def story() -> None:
        doors = RealDoors(http_for=lambda _: Accepting(), environ={"PAGERDUTY_ROUTING_KEY": KEY})
        settings = Settings(alerts=Alerts(pagerduty=PagerDuty()))
        stage = Stage(tmp_path, real=True, settings=settings, doors=doors)
        stage.bus.emit(failed_attempt(outcome="rejected"))
        stage.bus.emit(failed_call())
        stage.reporting.end_of_run()
        assert await stage.reporting.flush(1) == 0
        await stage.reporting.close()
        assert stage.kinds == ["call_failed"]

    run_jumping(story())

    assert actions == ["trigger", "resolve"]


def test_real_settings_without_doors_are_refused(tmp_path: Path) -> None:
    """A run that should alert somebody never falls back to pretending."""

    async def story() -> None:
        with pytest.raises(ValueError, match="no doors"):
            Stage(tmp_path, real=True, settings=Settings(sheet=Sheet(spreadsheet_id="book")))

    asyncio.run(story())


def test_a_simulation_pretends_whatever_the_settings_name(tmp_path: Path) -> None:
    """Real channels in the settings are mocks in a simulation: nobody is called at night."""

    async def story() -> None:
        settings = Settings(alerts=Alerts(telegram=Telegram(chat_id="1")))
        stage = Stage(tmp_path, real=False, settings=settings)
        stage.bus.emit(alert())
        assert await stage.reporting.flush(1) == 0
        lines = _lines(stage.reporting.alert_sink)
        assert [line["channel"] for line in lines] == list(CHANNELS)
        assert all(line["mock"] and line["title"] == "title 1" for line in lines)

    run_jumping(story())
