"""Raises and delivers the alert of a lost worker, from a process that is no worker itself."""

import asyncio
import os
from dataclasses import dataclass
from functools import partial
from typing import Final

from callagent_cli import __version__
from callagent_cli.calls.model import CallState
from callagent_cli.cli.alerts.beside_store import BesideStore, take_up
from callagent_cli.cli.place.workplace import Workplace
from callagent_cli.clock import Clock, system_clock
from callagent_cli.counting import counted
from callagent_cli.errors import DatabaseHeld, LogError, StoreError
from callagent_cli.events import AlertRaised, Bus
from callagent_cli.reporting.alert import Channel
from callagent_cli.reporting.incidents import IncidentBook, LostWorker, Now
from callagent_cli.reporting.incidents.in_force import in_force
from callagent_cli.reporting.incidents.worker_rules import LOST_SLOT
from callagent_cli.reporting.outbox import Outbox
from callagent_cli.reporting.real_doors import RealDoors
from callagent_cli.reporting.redaction import Redactor, secrets_of
from callagent_cli.reporting.sinks import FileSink, MemorySink, Sink
from callagent_cli.reporting.wiring import ALERTS_FILE, channels_of
from callagent_cli.services.httpx_client import HttpxClient
from callagent_cli.settings import Alerts
from callagent_cli.store.documents import RUN, RUN_KEY, read_run
from callagent_cli.store.failures import is_locked
from callagent_cli.store.lock import WorkerLock, holder, kept_free
from callagent_cli.store.port import RunRow
from callagent_cli.store.sqlite_store import SqliteStore

DELIVER_S: Final = 20.0
"""How long the channels have; what is left waits in the store."""

LEASE_S: Final = 45.0
"""A worker that begins meanwhile leaves the alerts alone for this long."""

_CLOSE_S: Final = 1.0
_HELD: Final = frozenset({CallState.ACTIVE, CallState.BACKOFF})


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of it: `waiting` alerts are left, and with `over` there is nothing more to do."""

    note: str = ""
    waiting: int = 0
    over: bool = False


class _Desk:
    """An incident book and an outbox on the store of a worker that is lost."""

    def __init__(
        self,
        place: Workplace,
        store: SqliteStore | BesideStore,
        run: RunRow,
        *,
        channels: list[Channel],
        clock: Clock,
        worker_hangs: bool,
    ) -> None:
        self._store, self._run, self._clock = store, run, clock
        self._held = worker_hangs
        self._bus = Bus(clock, run=run.id, campaign=run.campaign)
        redactor = Redactor(secrets_of(place.settings, os.environ))
        self._book = IncidentBook(
            store,
            redactor=redactor,
            now=self._now(),
            label=place.label,
            in_force=partial(in_force, place.settings),
            version=__version__,
        )
        self._outbox = Outbox(
            store,
            channels,
            clock=clock,
            redactor=redactor,
            emit=self._bus.emit,
            on_broken=self._channel_broken,
            on_works=self._channel_works,
            # A worker that may wake up delivers its own alerts.
            service=LOST_SLOT if worker_hangs else "",
        )
        self._bus.listen(self._outbox)

    def write(self, *, lost: bool) -> None:
        """Raise what is to be told, and lease it."""
        workers, now = self._book.workers, self._now()
        self._outbox.lease(now.utc_s + LEASE_S)
        self._raise(workers.gone(self._lost(), now) if lost else workers.healthy(now))
        self._store.flush()

    async def deliver(self) -> int:
        """Send what waits; return how many alerts still do."""
        try:
            return await self._outbox.flush(DELIVER_S)
        finally:
            self._outbox.end_lease()
            self._outbox.close()
            self._store.flush()

    @property
    def over(self) -> bool:
        """Whether nobody misses a worker any more."""
        return all(incident.service != LOST_SLOT for incident in self._book.incidents())

    def _raise(self, alerts: list[AlertRaised]) -> None:
        for alert in alerts:
            self._bus.emit(alert)

    def _channel_broken(self, channel: str, error: str) -> None:
        self._raise(self._book.channel_broken(channel, error, self._now()))

    def _channel_works(self, channel: str) -> None:
        self._raise(self._book.channel_works(channel, self._now()))

    def _now(self) -> Now:
        return Now(self._clock.utc(), self._clock.monotonic())

    def _lost(self) -> LostWorker:
        run, store = self._run, self._store
        notes = read_run(store.get(RUN, RUN_KEY))
        contacts = notes.contacts if notes is not None and notes.run == run.id else ""
        return LostWorker(
            pid=run.pid,
            host=run.host,
            heartbeat_utc_s=run.heartbeat_utc_s,
            held=self._held,
            in_flight=tuple(call.id for call in store.calls(run.campaign, _HELD)),
            pending=store.totals(run.campaign).get(CallState.PENDING, 0),
            command=f"callagent run {contacts or 'CONTACTS'}",
        )


def tell(place: Workplace, run: str, *, lost: bool) -> Told:
    """Tell that the worker of a run is lost, or that it lives again; raises `CallAgentError`s.

    Of several processes that watch one acts: it holds a lock of its own. The worker's lock is kept
    free only while the alert is written, so that a worker that begins is not in its way.
    """
    lock = WorkerLock(place.state_dir / f"{place.settings.mode}.watch.lock")
    try:
        lock.acquire("watcher")
    except DatabaseHeld:
        return Told()  # Another process that watches is at it.
    try:
        return asyncio.run(_tell(place, run, lost=lost))
    finally:
        lock.release()


async def _tell(place: Workplace, run_id: str, *, lost: bool) -> Told:
    store = place.write_store()
    try:
        take_up(place, store)
        return await _tell_by(store, place, run_id, lost=lost)
    except StoreError as error:
        if not is_locked(error):
            raise
    finally:
        store.close()
    # A worker that hangs within a transaction locks the database, and is lost all the more.
    beside = BesideStore(place)
    try:
        return await _tell_by(beside, place, run_id, lost=lost)
    finally:
        beside.close()


async def _tell_by(
    store: SqliteStore | BesideStore, place: Workplace, run_id: str, *, lost: bool
) -> Told:
    clock = system_clock()
    sink = _mock_sink(place)
    channels = _channels(place, clock, sink)
    try:
        desk = _written(place, store, run_id, channels=channels, clock=clock, lost=lost)
        if desk is None:
            return Told(over=True)
        waiting = await desk.deliver()
        return Told(note=_note(waiting), waiting=waiting, over=not lost and desk.over)
    finally:
        for channel in channels:
            await channel.close()
        sink.close(_CLOSE_S)


def _written(
    place: Workplace,
    store: SqliteStore | BesideStore,
    run_id: str,
    *,
    channels: list[Channel],
    clock: Clock,
    lost: bool,
) -> _Desk | None:
    """Write the alert; none when that run ended, or another worker has begun: that one tells."""
    with kept_free(place.lock) as free:
        run = store.last_run()
        who = None if free else holder(place.lock)
        another = run is not None and who is not None and who.pid != run.pid
        if run is None or run.id != run_id or run.ended_utc_s is not None or another:
            return None
        desk = _Desk(place, store, run, channels=channels, clock=clock, worker_hangs=not free)
        desk.write(lost=lost)
        return desk


def _mock_sink(place: Workplace) -> Sink:
    try:
        return FileSink(place.logs_dir / ALERTS_FILE)
    except LogError:
        return MemorySink()  # The channels that are set matter more than their mocks.


def _channels(place: Workplace, clock: Clock, sink: Sink) -> list[Channel]:
    alerts = place.settings.alerts
    doors = RealDoors(http_for=lambda base_url: HttpxClient(base_url=base_url), environ=os.environ)
    return channels_of(alerts, None if alerts == Alerts() else doors, clock, mocks=sink)


def _note(waiting: int) -> str:
    if waiting:
        return f"{counted(waiting, 'alert')} not delivered yet; tried again soon"
    return "the alert was sent"
