"""The part of `run` that lives in the event loop: sandbox, worker, signals, screen."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Final

from callagent_cli.cli.alerts.beside_store import take_up
from callagent_cli.cli.place.sheet_rows import waiting_rows
from callagent_cli.cli.place.workplace import Workplace
from callagent_cli.cli.run.follower import Follower, follower
from callagent_cli.cli.run.metrics_server import observed
from callagent_cli.cli.screen.follower import ScreenFollower
from callagent_cli.cli.screen.terminal import ScreenLook
from callagent_cli.clock import Clock, system_clock
from callagent_cli.contacts.report import ImportReport
from callagent_cli.errors import CallAgentError, ExitCode, StoreError
from callagent_cli.events import Bus, ContactRejected, ContactsImported
from callagent_cli.reporting.real_doors import RealDoors
from callagent_cli.reporting.redaction import Redactor, secrets_of
from callagent_cli.reporting.wiring import Reporting, Surroundings
from callagent_cli.services.http import Http
from callagent_cli.services.httpx_client import HttpxClient
from callagent_cli.settings import Settings, Window
from callagent_cli.store.port import RunRow
from callagent_cli.store.sqlite_store import SqliteStore
from callagent_cli.store.suppressions import SuppressionList
from callagent_cli.worker.assembly import assemble
from callagent_cli.worker.housekeeping import Housekeeping
from callagent_cli.worker.session import run_session
from callagent_cli.worker.turn.ending import Ending
from callagent_cli.worker.worker import Worker

_SIGNALS: Final = {
    signal.SIGINT: ExitCode.INTERRUPTED,
    signal.SIGTERM: ExitCode.TERMINATED,
    signal.SIGHUP: ExitCode.TERMINATED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run needs to know before its loop begins."""

    place: Workplace
    store: SqliteStore
    campaign: str
    contacts: str
    max_wait_s: float | None
    json: bool
    bar: bool
    metrics_port: int | None
    show_numbers: bool
    report: ImportReport
    known: int
    suppressions: SuppressionList
    look: ScreenLook | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked:
    """How a run ended; `dropped` counts by sink what could not be written.

    `undelivered` counts the alerts that some channel has not taken yet, `sheet` says how many rows
    are not in the Google Sheet yet.
    """

    ending: Ending
    dropped: dict[str, int]
    undelivered: int
    sheet: str = ""


async def work(run: Run) -> Worked:
    """Work the campaign and return how it ended."""
    clock = system_clock()
    async with AsyncExitStack() as stack:
        settings, environ = await stack.enter_async_context(_providers(run.place, clock))
        bus = Bus(clock, run=clock.new_id("run"), campaign=run.campaign)
        doors = _Doors()
        redactor = Redactor(secrets_of(settings, environ))
        follow = stack.enter_context(follower(run, redactor))
        take_up(run.place, run.store)
        reporting = Reporting(
            Surroundings(
                clock=clock,
                bus=bus,
                settings=settings,
                documents=run.store,
                folder=run.place.logs_dir,
                redactor=redactor,
                screen=follow.alert,
                real=True,
                doors=RealDoors(http_for=doors.open, environ=environ),
                label=run.place.label,
            )
        )
        stack.push_async_callback(reporting.close)
        worker = assemble(
            settings,
            clock=clock,
            bus=bus,
            store=run.store,
            campaign=run.campaign,
            environ=environ,
            connect=lambda _service, base_url: doors.open(base_url),
            window=settings.dialing.window or (None if run.place.sandbox else Window()),
            redial_scale=settings.sandbox.redial_scale if run.place.sandbox else 1.0,
            max_wait_s=run.max_wait_s,
            suppressions=run.suppressions,
        )
        stack.enter_context(_observed(run, worker))
        bus.listen(follow)
        _tell_import(run, bus)
        try:
            ending = await _worked(run, worker, reporting, follow)
        finally:
            await doors.close()
        await reporting.close()
        return Worked(
            ending=ending,
            dropped=reporting.dropped(),
            undelivered=len(run.store.documents("alert", open_only=True)),
            sheet=waiting_rows(
                run.store, working=False, is_set=bool(settings.sheet.spreadsheet_id)
            ),
        )


class _Doors:
    """The ways to the network that one run opened, closed with it."""

    def __init__(self) -> None:
        self._opened: list[Http] = []

    def open(self, base_url: str) -> Http:
        """Return a new door to an address; services share no connections."""
        self._opened.append(HttpxClient(base_url=base_url))
        return self._opened[-1]

    async def close(self) -> None:
        """Release all connections."""
        for door in self._opened:
            await door.close()


def _observed(run: Run, worker: Worker) -> AbstractContextManager[None]:
    """Return what serves metrics and exports traces of this run, as far as they are wanted."""
    totals, guards = run.store.totals(run.campaign), worker.resources.services.guards
    return observed(
        worker.resources.bus,
        worker.resources.clock,
        port=run.metrics_port,
        totals={state.value: calls for state, calls in totals.items()},
        lanes=worker.control.lanes,
        services={name: guard.breaker.state for name, guard in guards.items()},
    )


async def _worked(run: Run, worker: Worker, reporting: Reporting, follow: Follower) -> Ending:
    """Run the session under the signals; the first drains, the second stops at once."""
    clock = worker.resources.clock
    now_utc_s = clock.utc()
    row = RunRow(
        id=worker.resources.bus.run,
        campaign=run.campaign,
        mode=run.place.settings.mode,
        pid=os.getpid(),
        host=socket.gethostname(),
        lanes=worker.control.lanes,
        started_utc_s=now_utc_s,
        heartbeat_utc_s=now_utc_s,
    )
    reporting.follows(run.store.last_run())
    run.store.save_run(row)
    housekeeping = Housekeeping(worker.resources, worker.control, row)
    session = asyncio.ensure_future(
        run_session(
            worker,
            reporting,
            mode=run.place.settings.mode,
            contacts=run.contacts,
            housekeeping=housekeeping,
        )
    )
    worker.control.cut = session.cancel
    async with _screen(
        run, follow, worker, housekeeping=housekeeping, session=session
    ) as close_screen:
        _heed_signals(worker, session, close_screen)
        return await _ending(run, worker, housekeeping, session)


async def _ending(
    run: Run, worker: Worker, housekeeping: Housekeeping, session: "asyncio.Future[Ending]"
) -> Ending:
    """Wait for the end of the session and keep it with the run."""
    try:
        ending = await session
    except asyncio.CancelledError:
        ending = Ending(
            exit_code=worker.control.exit_code or ExitCode.INTERRUPTED,
            reason="stopped at once",
            totals={state.value: calls for state, calls in run.store.totals(run.campaign).items()},
        )
    except CallAgentError as error:
        # A store that cannot be written keeps no ending either: `status` then says LOST.
        with suppress(StoreError):
            _keep_ending(worker, housekeeping, int(error.exit_code), error.message)
            run.store.flush()
        raise
    _keep_ending(worker, housekeeping, int(ending.exit_code), ending.reason)
    run.store.flush()
    return ending


def _keep_ending(worker: Worker, housekeeping: Housekeeping, exit_code: int, verdict: str) -> None:
    ended_utc_s = worker.resources.clock.utc()
    housekeeping.beat(ended_utc_s=ended_utc_s, exit_code=exit_code, verdict=verdict)


@asynccontextmanager
async def _screen(
    run: Run,
    follow: Follower,
    worker: Worker,
    *,
    housekeeping: Housekeeping,
    session: "asyncio.Future[Ending]",
) -> AsyncIterator[Callable[[], None]]:
    """Show the screen beside the session when it was asked for; yields what takes it away."""
    if run.look is None or not isinstance(follow, ScreenFollower):
        yield _nothing_shown
        return
    from callagent_cli.cli.screen.beside import beside

    look, folder = replace(run.look, show_numbers=run.show_numbers), run.place.state_dir
    async with beside(
        follow, look, worker, housekeeping=housekeeping, session=session, folder=folder
    ) as close_screen:
        yield close_screen


def _nothing_shown() -> None:
    """Take no screen away, because there is none."""


def _heed_signals(
    worker: Worker, session: "asyncio.Future[Ending]", close_screen: Callable[[], None]
) -> None:
    loop = asyncio.get_running_loop()

    def heed(number: signal.Signals) -> None:
        close_screen()
        if worker.control.draining:
            session.cancel()
        else:
            worker.control.drain(f"{number.name}; again to stop at once", _SIGNALS[number])

    for number in _SIGNALS:
        loop.add_signal_handler(number, heed, number)


@asynccontextmanager
async def _providers(
    place: Workplace, clock: Clock
) -> AsyncIterator[tuple[Settings, Mapping[str, str]]]:
    """Yield the settings and secrets to use: the real ones, or those of a sandbox that runs."""
    if not place.sandbox:
        yield place.settings, os.environ
        return
    from callagent_cli.simulation.sandbox.process import find_sandbox
    from callagent_cli.simulation.sandbox.sandbox import (
        Sandbox,
        sandbox_secrets,
        sandbox_settings,
        sandbox_urls,
    )

    secrets = {**os.environ, **sandbox_secrets()}
    settings = place.settings
    urls = sandbox_urls(settings.sandbox.url) if settings.sandbox.url else None
    urls = urls or find_sandbox(place.state_dir)
    if urls is not None:
        yield sandbox_settings(settings, urls), secrets
        return
    async with Sandbox(settings, clock, state_dir=place.state_dir) as sandbox:
        yield sandbox_settings(settings, sandbox.urls), secrets


def _tell_import(run: Run, bus: Bus) -> None:
    report = run.report
    bus.emit(
        ContactsImported(
            file=run.contacts,
            accepted=report.accepted - run.known,
            known=run.known,
            duplicate=report.duplicate,
            rejected=report.rejected_rows,
            excluded=report.excluded_rows,
            people_excluded=report.left_out,
            blank=report.blank,
        )
    )
    for code in report.rejected:
        for example in report.examples.get(code, []):
            bus.emit(ContactRejected(line=example.line, code=code, reason=example.reason))
