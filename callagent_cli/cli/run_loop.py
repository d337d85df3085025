"""The part of `run` that lives in the event loop: sandbox, worker, signals, screen."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from callagent_cli.cli.follower import follower
from callagent_cli.cli.workplace import Workplace
from callagent_cli.clock import Clock, system_clock
from callagent_cli.contacts.report import ImportReport
from callagent_cli.errors import ExitCode
from callagent_cli.events import Bus, ContactsImported
from callagent_cli.reporting.redaction import Redactor, secrets_of
from callagent_cli.reporting.wiring import Reporting, Surroundings
from callagent_cli.services.http import Http
from callagent_cli.services.httpx_client import HttpxClient
from callagent_cli.settings import Settings, Window
from callagent_cli.store.port import RunRow
from callagent_cli.store.sqlite_store import SqliteStore
from callagent_cli.worker.assembly import assemble
from callagent_cli.worker.ending import Ending
from callagent_cli.worker.housekeeping import Housekeeping
from callagent_cli.worker.session import run_session
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
    show_numbers: bool
    report: ImportReport
    known: int


async def work(run: Run) -> Ending:
    """Work the campaign and return how it ended."""
    clock = system_clock()
    async with AsyncExitStack() as stack:
        settings, environ = await stack.enter_async_context(_providers(run.place, clock))
        bus = Bus(clock, run=clock.new_id("run"), campaign=run.campaign)
        doors: list[Http] = []

        def connect(_service: str, base_url: str) -> Http:
            door = HttpxClient(base_url=base_url)
            doors.append(door)
            return door

        follow = stack.enter_context(follower(run, bus))
        reporting = Reporting(
            Surroundings(
                clock=clock,
                bus=bus,
                settings=settings,
                documents=run.store,
                folder=run.place.logs_dir,
                redactor=Redactor(secrets_of(settings, environ)),
                screen=follow.alert,
                real=True,
                http_for=lambda base_url: connect("alerts", base_url),
                environ=environ,
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
            connect=connect,
            window=settings.dialing.window or (None if run.place.sandbox else Window()),
            redial_scale=settings.sandbox.redial_scale if run.place.sandbox else 1.0,
            max_wait_s=run.max_wait_s,
        )
        bus.listen(follow)
        bus.emit(_imported(run))
        ending = await _worked(run, worker, reporting, clock)
        for door in doors:
            await door.close()
    return ending


async def _worked(run: Run, worker: Worker, reporting: Reporting, clock: Clock) -> Ending:
    """Run the session under the signals; the first drains, the second stops at once."""
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
    run.store.save_run(row)
    pulse = Housekeeping(worker.resources, worker.control, row)
    session = asyncio.ensure_future(
        run_session(
            worker,
            reporting,
            mode=run.place.settings.mode,
            contacts=run.contacts,
            housekeeping=pulse,
        )
    )
    _heed_signals(worker, session)
    try:
        ending = await session
    except asyncio.CancelledError:
        ending = Ending(
            exit_code=worker.control.exit_code or ExitCode.INTERRUPTED,
            reason="stopped at once",
            totals={state.value: calls for state, calls in run.store.totals(run.campaign).items()},
        )
    pulse.beat(ended_utc_s=clock.utc(), exit_code=int(ending.exit_code), verdict=ending.reason)
    run.store.flush()
    return ending


def _heed_signals(worker: Worker, session: "asyncio.Future[Ending]") -> None:
    loop = asyncio.get_running_loop()

    def heed(number: signal.Signals) -> None:
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
    from callagent_cli.simulation.sandbox import (
        Sandbox,
        sandbox_secrets,
        sandbox_settings,
        sandbox_urls,
    )
    from callagent_cli.simulation.sandbox_process import find_sandbox

    secrets = {**os.environ, **sandbox_secrets()}
    settings = place.settings
    urls = sandbox_urls(settings.sandbox.url) if settings.sandbox.url else None
    urls = urls or find_sandbox(place.state_dir)
    if urls is not None:
        yield sandbox_settings(settings, urls), secrets
        return
    async with Sandbox(settings, clock, state_dir=place.state_dir) as sandbox:
        yield sandbox_settings(settings, sandbox.urls), secrets


def _imported(run: Run) -> ContactsImported:
    report = run.report
    return ContactsImported(
        file=run.contacts,
        accepted=report.accepted - run.known,
        known=run.known,
        duplicate=report.duplicate,
        rejected=report.rejected_rows,
        excluded=report.excluded_rows,
        blank=report.blank,
    )
