"""Puts the listeners together and onto the bus: what `run` and a simulation start and end."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from callagent_cli import __version__
from callagent_cli.clock import Clock
from callagent_cli.events import (
    AlertRaised,
    Bus,
    CommandObeyed,
    ListenerFailed,
    SinkDropped,
    Stamped,
)
from callagent_cli.reporting import notices
from callagent_cli.reporting.alert import Channel
from callagent_cli.reporting.channels.mock import MockChannel
from callagent_cli.reporting.google_sheet import GoogleSheet, SheetWriter
from callagent_cli.reporting.heartbeat import Heartbeat, Ping
from callagent_cli.reporting.incidents import (
    Documents,
    IncidentBook,
    LostWorker,
    Now,
    Situation,
    alert_line,
)
from callagent_cli.reporting.incidents.channel_wording import HEARTBEAT, SHEET
from callagent_cli.reporting.incidents.in_force import in_force
from callagent_cli.reporting.journal import Journal, run_file
from callagent_cli.reporting.outbox import Outbox
from callagent_cli.reporting.redaction import Redactor
from callagent_cli.reporting.sheet import (
    HEADER,
    ROW_EVENTS,
    CsvRows,
    RowSink,
    SheetRows,
    csv_line,
)
from callagent_cli.reporting.sinks import ROTATE_BYTES, Dropped, FileSink, MemorySink, Sink
from callagent_cli.settings import Alerts, Settings, Sheet

CLOSE_S: Final = 5.0
"""How long the end of a run waits for each file and for the sheet."""

CHANNELS: Final = ("email", "telegram", "webhook", "slack", "pagerduty")
"""The channels there are without an extra; one that is not set is pretended."""

ALERTS_FILE: Final = "alerts.jsonl"
"""Where in the logs the alerts of pretended channels are written."""

_RESTART_S: Final = 5.0
_NEVER: Final = float("inf")


class LastRun(Protocol):
    """What is known of the run before this one."""

    @property
    def pid(self) -> int:
        """Its process."""

    @property
    def host(self) -> str:
        """Its machine."""

    @property
    def heartbeat_utc_s(self) -> float:
        """When it last said that it lives."""

    @property
    def ended_utc_s(self) -> float | None:
        """When it ended; None when it never said so."""


class Doors(Protocol):
    """Opens the real channels and the real sheet; `RealDoors` is the one there is."""

    def channels(self, alerts: Alerts, clock: Clock) -> list[Channel]:
        """Return the channels that are set."""

    def sheet(self, settings: Sheet) -> Callable[[], SheetWriter]:
        """Return what opens the sheet."""

    def heartbeat(self, url: str, clock: Clock) -> Ping:
        """Return what tells a dead-man's switch that the worker lives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What reporting is given by whoever starts it.

    `folder` is where the logs go; `screen` shows one line per alert; `label` stands before each
    alert's title (SANDBOX). With `real` false nothing leaves memory: no file, no thread. `doors`
    leads to the real channels and the real sheet; a real run needs it when the settings name one.
    `journal` takes the journal's lines instead of a file or memory.
    """

    clock: Clock
    bus: Bus
    settings: Settings
    documents: Documents
    folder: Path
    redactor: Redactor
    screen: Callable[[str], None]
    real: bool
    doors: Doors | None = None
    label: str = ""
    keep_journal: bool = True
    journal: Sink | None = None


class Reporting:
    """The journal, the sheet, the incidents and the outbox, listening.

    Must be made inside the running loop. `run` belongs into a task of its own; before a run ends
    call `end_of_run`, then `flush`, and `close` at last. Raises `LogError` when a log file cannot
    be opened and `SettingsError` when a channel's secret is missing.
    """

    def __init__(self, surroundings: Surroundings) -> None:
        self._given = surroundings
        self._clock, self._bus = surroundings.clock, surroundings.bus
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._armed_s = _NEVER
        self._closed = False
        self.journal_sink, self.alert_sink = self._journal_sink(), self._alert_sink()
        self.rows = self._row_sink()
        self._channels = self._choose_channels()
        self.book = IncidentBook(
            surroundings.documents,
            redactor=surroundings.redactor,
            now=self._now(),
            label=surroundings.label,
            in_force=partial(in_force, surroundings.settings),
            version=__version__,
        )
        self.outbox = Outbox(
            surroundings.documents,
            self._channels,
            clock=self._clock,
            redactor=surroundings.redactor,
            emit=self._bus.emit,
            on_broken=self._channel_broken,
            on_works=self._channel_works,
            on_learned=self._channel_learned,
        )
        self._heartbeat = self._choose_heartbeat()
        self._listen()

    def _listen(self) -> None:
        redactor = self._given.redactor
        # The journal comes first: it has an event before anything that follows from it.
        self._bus.listen(Journal(self.journal_sink, redactor))
        self._bus.listen(SheetRows(self.rows, redactor), *ROW_EVENTS)
        self._bus.listen(self.outbox, AlertRaised, CommandObeyed)
        self._bus.listen(self._show, AlertRaised)
        self._bus.listen(self._observe, *self.book.hears)

    # The life of a run

    def follows(self, last: LastRun | None) -> None:
        """Be told of the run before this one: if it was lost, that is an incident."""
        if last is None:
            return
        self._leave_removed_channels()
        workers, now = self.book.workers, self._now()
        if last.ended_utc_s is not None:
            self._raise(workers.back(now))
            return
        lost = LostWorker(pid=last.pid, host=last.host, heartbeat_utc_s=last.heartbeat_utc_s)
        self._raise(workers.lost(lost, now))

    def _leave_removed_channels(self) -> None:
        """Give up what waits for channels that somebody took out of the settings."""
        self.outbox.retire()
        real = (each for each in self._channels if not isinstance(each, MockChannel))
        services = {f"alerts.{channel.name}" for channel in real}
        if self._heartbeat is not None:
            services.add(HEARTBEAT)
        if isinstance(self.rows, GoogleSheet):
            services.add(SHEET)
        self._raise(self.book.channels_set(frozenset(services), self._now()))

    def watch(self, run: Situation) -> None:
        """Ask this run from now on how many calls an outage holds up."""
        self.book.watch(run)

    async def run(self) -> None:
        """Tell what is due and deliver alerts, until cancelled; a failure never gets out."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._kept_alive("incidents", self._tell_what_is_due))
            for channel in self.outbox.channels:
                serve = partial(self.outbox.serve, channel)
                tasks.create_task(self._kept_alive(f"alerts by {channel}", serve))
            if isinstance(self.rows, GoogleSheet):
                tasks.create_task(self._kept_alive("google sheet", self.rows.serve))
            if self._heartbeat is not None:
                tasks.create_task(self._kept_alive("heartbeat", self._heartbeat.run))

    def end_of_run(self) -> None:
        """Raise what must be said before the run ends: held resolves, marked early, and counts."""
        self._raise(self.book.end_of_run(self._now()))
        self.outbox.end_quietly()

    async def flush(self, timeout_s: float) -> int:
        """Deliver what waits, for at most `timeout_s`; return how many alerts still wait."""
        if isinstance(self.rows, GoogleSheet):
            rows = asyncio.create_task(self.rows.flush(timeout_s))
            waiting = await self.outbox.flush(timeout_s)
            await rows
            return waiting
        return await self.outbox.flush(timeout_s)

    async def close(self, timeout_s: float = CLOSE_S) -> None:
        """Release channels and files; each gets `timeout_s` to write what waits."""
        if self._closed:
            return
        self._closed = True
        self.outbox.close()
        if self._heartbeat is not None:
            await self._heartbeat.close()
        for channel in self._channels:
            await channel.close()
        self.rows.close(timeout_s)
        self.alert_sink.close(timeout_s)
        # What the sinks lost on their way out is an event too, and it comes through the loop.
        await asyncio.sleep(0)
        self.journal_sink.close(timeout_s)

    def dropped(self) -> dict[str, int]:
        """Return what could not be written so far, by sink; sinks that lost nothing are absent."""
        counts = {
            "journal": self.journal_sink.dropped,
            "alerts": self.alert_sink.dropped,
            "google-sheet": self.rows.dropped,
        }
        return {sink: count for sink, count in counts.items() if count}

    # Listening

    def _show(self, stamped: Stamped) -> None:
        if isinstance(stamped.event, AlertRaised):
            self._given.screen(alert_line(stamped.event))

    def _observe(self, stamped: Stamped) -> None:
        alerts = self.book.observe(stamped)
        if alerts or self.book.due_s < self._armed_s:
            self._raise(alerts)

    def _raise(self, alerts: list[AlertRaised]) -> None:
        for alert in alerts:
            self._bus.emit(alert)
        if self.book.due_s < self._armed_s:
            self._wake.set()

    def _channel_broken(self, channel: str, error: str) -> None:
        self._raise(self.book.channel_broken(channel, error, self._now()))

    def _channel_works(self, channel: str) -> None:
        self._raise(self.book.channel_works(channel, self._now()))

    def _channel_learned(self, channel: str, advice: str) -> None:
        self._note(notices.channel_learned(channel, advice, self._clock.utc()))

    def _sheet_mended(self, _name: str, text: str) -> None:
        self._note(notices.sheet_mended(text, self._clock.utc()))

    def _note(self, notice: AlertRaised) -> None:
        """Tell what belongs to no incident: nothing is broken, and nothing will be resolved."""
        title = f"{self._given.label}: {notice.title}" if self._given.label else notice.title
        self._bus.emit(msgspec.structs.replace(notice, title=title))

    def _now(self) -> Now:
        return Now(self._clock.utc(), self._clock.monotonic())

    # Tasks

    async def _tell_what_is_due(self) -> None:
        while True:
            self._wake.clear()
            self._armed_s = self.book.due_s
            wait_s = self._armed_s - self._clock.monotonic()
            if wait_s > 0:
                with suppress(TimeoutError):
                    async with asyncio.timeout(None if wait_s == _NEVER else wait_s):
                        await self._wake.wait()
            self._raise(self.book.tick(self._now()))

    async def _kept_alive(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a task that never ends; when it fails all the same, say so and start it again."""
        while True:
            task = asyncio.create_task(work())
            try:
                await asyncio.wait({task})
            finally:
                task.cancel()
            error = task.exception()
            if error is not None:
                self._bus.emit(
                    ListenerFailed(
                        listener=name,
                        error_class=type(error).__name__,
                        error_message=str(error),
                    )
                )
            await asyncio.sleep(_RESTART_S)

    # Sinks and channels

    def _journal_sink(self) -> Sink:
        if self._given.journal is not None:
            return self._given.journal
        if not self._given.real:
            return MemorySink(keep=self._given.keep_journal)
        path = run_file(self._given.folder, self._clock.utc(), self._bus.run)
        return FileSink(path, on_dropped=self._dropped("journal"), rotate_bytes=ROTATE_BYTES)

    def _alert_sink(self) -> Sink:
        if not self._given.real:
            return MemorySink()
        path = self._given.folder / ALERTS_FILE
        return FileSink(path, on_dropped=self._dropped("alerts"))

    def _row_sink(self) -> RowSink:
        header = csv_line(list(HEADER))
        if not self._given.real:
            memory = MemorySink(keep=self._given.keep_journal)
            memory.write(header)
            return CsvRows(memory)
        hears = self._dropped("google-sheet")
        sheet = self._given.settings.sheet
        if sheet.spreadsheet_id:
            return GoogleSheet(
                self._doors().sheet(sheet),
                self._given.documents,
                self._clock,
                on_broken=self._channel_broken,
                on_works=self._channel_works,
                on_notice=self._sheet_mended,
            )
        path = self._given.folder / "google-sheet.csv"
        return CsvRows(FileSink(path, on_dropped=hears, header=header))

    def _choose_channels(self) -> list[Channel]:
        """Return the channels that are set and mocks of the others; a simulation has mocks only."""
        given = self._given
        real = given.real and given.settings.alerts != Alerts()
        doors = self._doors() if real else None
        return channels_of(given.settings.alerts, doors, self._clock, mocks=self.alert_sink)

    def _choose_heartbeat(self) -> Heartbeat | None:
        """Return the dead-man's switch, when one is set; a simulation has none."""
        url = self._given.settings.alerts.heartbeat_url
        if not url or not self._given.real:
            return None
        told = [each for each in self.book.incidents() if each.service == HEARTBEAT]
        return Heartbeat(
            self._doors().heartbeat(url, self._clock),
            self._clock,
            on_broken=self._channel_broken,
            on_works=self._channel_works,
            # One that is held until it is over was told as well again: it can break again.
            broken=any(each.closed_utc_s is None for each in told),
        )

    def _doors(self) -> Doors:
        if self._given.doors is None:
            raise ValueError("the settings name a real channel or sheet, but no doors were given")
        return self._given.doors

    def _dropped(self, sink: str) -> Dropped:
        def hear(dropped: int, why: str) -> None:
            event = SinkDropped(sink=sink, dropped=dropped, error_message=why)
            self._loop.call_soon_threadsafe(self._bus.emit, event)

        return hear


def channels_of(alerts: Alerts, doors: Doors | None, clock: Clock, *, mocks: Sink) -> list[Channel]:
    """Return the channels that are set, and mocks of the others; without `doors` all are mocks.

    Raises `SettingsError` when a channel lacks its secret.
    """
    found = [] if doors is None else doors.channels(alerts, clock)
    names = {channel.name for channel in found}
    pretended = [name for name in CHANNELS if name not in names]
    return [*found, *(MockChannel(name, mocks, clock) for name in pretended)]
