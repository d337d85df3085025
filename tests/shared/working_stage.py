"""The monitor beside a real worker: real commands, real breakers, twins in the same process."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path
from typing import Any, NamedTuple

from screens import latest_toast, press
from textual.pilot import Pilot

from callagent_cli.calls.model import CallState
from callagent_cli.cli.screen.worker_commands import WorkerCommands
from callagent_cli.clock import system_clock
from callagent_cli.events import Bus, Event, Listener, Stamped
from callagent_cli.monitor.app import MonitorApp
from callagent_cli.monitor.ports import Options
from callagent_cli.monitor.state import ViewState
from callagent_cli.reporting.redaction import Redactor
from callagent_cli.reporting.wiring import Reporting, Surroundings
from callagent_cli.simulation.carriers.desk import Desk
from callagent_cli.simulation.carriers.in_process import InProcessHttp
from callagent_cli.simulation.faults.engine import FaultEngine
from callagent_cli.simulation.scenario.format import Scenario
from callagent_cli.simulation.scenario.loader import find_scenario, load_scenario
from callagent_cli.simulation.twins.ledger import Ledger
from callagent_cli.simulation.worlds.parts import SECRETS, roster_of, settings_of
from callagent_cli.simulation.worlds.people import simulated_calls
from callagent_cli.store.port import Campaign, RunRow
from callagent_cli.store.sqlite_store import SqliteStore
from callagent_cli.worker.assembly import assemble
from callagent_cli.worker.housekeeping import Housekeeping
from callagent_cli.worker.session import run_session
from callagent_cli.worker.turn.ending import Ending
from callagent_cli.worker.worker import Worker

FAILED_BEFORE = 3
OPERATOR = "anna"


class WorkingStage:
    """A worker that has begun, the screen beside it, and what the worker told."""

    def __init__(
        self,
        app: MonitorApp,
        pilot: Pilot[Any],
        worker: Worker,
        *,
        session: "asyncio.Future[Ending]",
        told: list[Stamped],
    ) -> None:
        self.app, self.pilot, self.worker = app, pilot, worker
        self.session, self.told = session, told

    async def press(self, *keys: str) -> None:
        """Press keys one after the other, and let each take effect."""
        await press(self.pilot, *keys)

    def events(self, kind: type[Event]) -> list[Any]:
        """Return the events of a kind that were told so far."""
        return [stamped.event for stamped in self.told if isinstance(stamped.event, kind)]

    def said(self) -> str:
        """Return what the latest toast says."""
        return latest_toast(self.app)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Let the worker work until something is true."""
        while not condition():
            await self.pilot.pause()


class Begun(NamedTuple):
    """A worker that has begun: what steers it, and the state that its events are folded into."""

    worker: Worker
    commands: WorkerCommands
    session: "asyncio.Future[Ending]"
    state: ViewState
    bus: Bus


@asynccontextmanager
async def begun(plan: Scenario, told: Listener, *, failed: int = 0) -> AsyncIterator[Begun]:
    """Start a worker against a scenario's twins in real time; `failed` calls failed before."""
    settings, clock, store = settings_of(plan), system_clock(), SqliteStore.open(None)
    faults = FaultEngine(plan.timeline, plan.seed, clock.utc())
    ledger = Ledger()
    twins = roster_of(plan, plan.seed).twins(ledger)
    desks = {name: Desk(twin, ledger, faults) for name, twin in twins.items()}
    _fill(store, plan, failed, clock.utc())
    bus = Bus(clock, run="run_1", campaign=plan.name)
    state = ViewState(["elevenlabs", "llm", "crm"])
    state.seed({each.value: count for each, count in store.totals(plan.name).items()})
    bus.listen(told)
    reporting = Reporting(
        Surroundings(
            clock=clock,
            bus=bus,
            settings=settings,
            documents=store,
            folder=Path(),
            redactor=Redactor(),
            screen=lambda _line: None,
            real=False,
            keep_journal=False,
        )
    )
    worker = assemble(
        settings,
        clock=clock,
        bus=bus,
        store=store,
        campaign=plan.name,
        environ=SECRETS,
        connect=lambda service, _url: InProcessHttp(desks[service], clock),
    )
    bus.listen(state.fold)
    housekeeping = Housekeeping(worker.resources, worker.control, _row(bus, worker, clock.utc()))
    session = asyncio.ensure_future(
        run_session(worker, reporting, mode="sandbox", contacts="-", housekeeping=housekeeping)
    )
    worker.control.cut = session.cancel
    commands = WorkerCommands(worker, housekeeping, session, by=OPERATOR)
    try:
        yield Begun(worker, commands, session, state, bus)
    finally:
        session.cancel()
        await asyncio.wait({session})
        await reporting.close()
        store.close()


def _fill(store: SqliteStore, plan: Scenario, failed: int, now_utc_s: float) -> None:
    store.save_campaign(
        Campaign(name=plan.name, source="-", source_sha256="", created_utc_s=now_utc_s)
    )
    calls = list(simulated_calls(plan.name, plan.campaign.contacts))
    store.add_calls(calls)
    for call in calls[len(calls) - failed :]:
        store.save_call(call.evolve(state=CallState.FAILED, failed_by="llm"))


def _row(bus: Bus, worker: Worker, now_utc_s: float) -> RunRow:
    return RunRow(
        id=bus.run,
        campaign=bus.campaign,
        mode="sandbox",
        pid=1,
        host="here",
        lanes=worker.control.lanes,
        started_utc_s=now_utc_s,
        heartbeat_utc_s=now_utc_s,
    )


@asynccontextmanager
async def working_stage() -> AsyncIterator[WorkingStage]:
    """Open the screen, which paints on call, beside a worker on the scenario elevenlabs-503."""
    plan = load_scenario(find_scenario("elevenlabs-503")).scenario
    told: list[Stamped] = []
    async with begun(plan, told.append, failed=FAILED_BEFORE) as work:
        options = Options(zone=UTC, paint_every_s=None)
        app = MonitorApp(work.state, work.commands, time.time, options)
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.pause()
            ready = WorkingStage(app, pilot, work.worker, session=work.session, told=told)
            await ready.until(lambda: work.state.calls.working > 0)
            app.paint()
            yield ready


def work(act: Callable[[WorkingStage], Awaitable[None]]) -> None:
    """Run one act beside a worker of its own."""

    async def run() -> None:
        async with working_stage() as ready:
            await act(ready)

    asyncio.run(run())
