"""A world in virtual time: the real worker, adapters and store against the twins and a timeline."""

from dataclasses import dataclass
from pathlib import Path
from random import Random

from callagent_cli.calls.model import CallState
from callagent_cli.clock import EPOCH_OF_SIMULATIONS_S, Clock
from callagent_cli.errors import ExitCode
from callagent_cli.events import Bus, Listener, Stamped
from callagent_cli.reporting.redaction import Redactor
from callagent_cli.reporting.sinks import MemorySink
from callagent_cli.reporting.wiring import Reporting, Surroundings
from callagent_cli.services.http import Http
from callagent_cli.simulation.desk import Desk
from callagent_cli.simulation.faults import FaultEngine, process_actions
from callagent_cli.simulation.in_process import InProcessHttp
from callagent_cli.simulation.judge.evidence import Evidence
from callagent_cli.simulation.people import simulated_calls
from callagent_cli.simulation.scenario.format import Phase, Scenario
from callagent_cli.simulation.twins.ledger import Ledger
from callagent_cli.simulation.virtual_loop import (
    SimulationDeadlock,
    SimulationHorizon,
    SimulationKilled,
    SimulationSpins,
    release_killed,
    run_virtual,
    running_loop,
)
from callagent_cli.simulation.world_parts import SECRETS, roster_of, settings_of
from callagent_cli.store.database import Hooks
from callagent_cli.store.port import Campaign
from callagent_cli.store.sqlite_store import SqliteStore
from callagent_cli.worker.assembly import assemble
from callagent_cli.worker.session import run_session
from callagent_cli.worker.worker import Worker


@dataclass(slots=True)
class _Life:
    """What one life of the worker leaves behind."""

    offset_s: float
    ended: bool = False
    restart_at_s: float | None = None
    sink: MemorySink | None = None


class World:
    """Runs a scenario under one seed. Twins, ledger and store outlive every kill of the worker.

    `listener` follows the events as they happen.
    """

    def __init__(
        self,
        scenario: Scenario,
        seed: int,
        *,
        listener: Listener | None = None,
        hooks: Hooks | None = None,
    ) -> None:
        self.scenario = scenario
        self.seed = seed
        self.settings = settings_of(scenario)
        self.ledger = Ledger()
        self.faults = FaultEngine(scenario.timeline, seed, EPOCH_OF_SIMULATIONS_S)
        twins = roster_of(scenario, seed).twins(self.ledger)
        self._desks = {name: Desk(twin, self.ledger, self.faults) for name, twin in twins.items()}
        self._store = SqliteStore.open(None, hooks=hooks)
        self._listener = listener
        self._events: list[Stamped] = []
        self._log: list[bytes] = []
        self._offsets_s: dict[str, float] = {}
        self._shift_s = 0.0
        self._actions = process_actions(scenario)
        self._lives = 0

    def run(self, *, kill_at: int | None = None) -> Evidence:
        """Run the world to its end and return what the judge needs.

        `kill_at` kills the first life before that step of its loop; the next begins at once.
        """
        campaign = self.scenario.name
        self._store.save_campaign(
            Campaign(
                name=campaign,
                source="scenario",
                source_sha256="",
                created_utc_s=EPOCH_OF_SIMULATIONS_S,
            )
        )
        self._store.add_calls(simulated_calls(campaign, self.scenario.campaign.contacts))
        self._store.flush()
        offset_s = 0.0
        finished = False
        while offset_s < self.scenario.until.at_most:
            life = _Life(offset_s)
            finished = self._live(life, kill_at)
            kill_at = None
            if life.sink is not None:
                self._log.extend(life.sink.lines)
            if life.restart_at_s is None:
                break
            offset_s = life.restart_at_s
        evidence = self._evidence(finished=finished)
        self._store.close()
        release_killed()
        return evidence

    def _live(self, life: _Life, kill_at: int | None) -> bool:
        """Run one life of the worker; return whether the campaign has come to its end."""
        horizon_s = self.scenario.until.at_most - life.offset_s
        try:
            run_virtual(self._main(life), horizon_s=horizon_s, kill_at=kill_at)
        except SimulationKilled as killed:
            self._store = self._store.abandon()
            if life.restart_at_s is None:
                life.restart_at_s = life.offset_s + killed.at_s
            return False
        except (SimulationHorizon, SimulationDeadlock, SimulationSpins):
            self._store = self._store.abandon()
            return False
        return life.ended

    async def _main(self, life: _Life) -> None:
        self._lives += 1
        clock = self._clock(life)
        bus = Bus(clock, run=f"run_{self._lives}", campaign=self.scenario.name)
        self._offsets_s[bus.run] = life.offset_s
        bus.listen(self._events.append)
        if self._listener is not None:
            bus.listen(self._listener)
        reporting = Reporting(
            Surroundings(
                clock=clock,
                bus=bus,
                settings=self.settings,
                documents=self._store,
                folder=Path(),
                redactor=Redactor(SECRETS.values()),
                screen=lambda _line: None,
                real=False,
                label="SIMULATION",
            )
        )
        if isinstance(reporting.journal_sink, MemorySink):
            life.sink = reporting.journal_sink
        worker = assemble(
            self.settings,
            clock=clock,
            bus=bus,
            store=self._store,
            campaign=self.scenario.name,
            environ=SECRETS,
            connect=lambda service, _url: self._connect(service, clock),
            window=self.settings.dialing.window,
        )
        self._schedule_actions(life, worker)
        await run_session(worker, reporting, mode="simulation", contacts=self.scenario.name)
        life.ended = life.restart_at_s is None
        await reporting.close()

    def _clock(self, life: _Life) -> Clock:
        loop = running_loop()
        epoch_s = EPOCH_OF_SIMULATIONS_S + life.offset_s
        random = Random(f"{self.seed}:{self._lives}")
        return Clock(loop.time, lambda: epoch_s + loop.time() + self._shift_s, random)

    def _connect(self, service: str, clock: Clock) -> Http:
        # The providers' calendar is not the worker's: a step of the one leaves the other alone.
        true = Clock(clock.monotonic, lambda: clock.utc() - self._shift_s, clock.random)
        return InProcessHttp(self._desks[service], true)

    def _schedule_actions(self, life: _Life, worker: Worker) -> None:
        loop = running_loop()
        for phase in self._actions:
            if phase.at >= life.offset_s:
                loop.call_at(phase.at - life.offset_s, self._act, phase, life, worker)

    def _act(self, phase: Phase, life: _Life, worker: Worker) -> None:
        if phase.do == "clock_step":
            self._shift_s += phase.by or 0.0
            return
        self._actions.remove(phase)
        life.restart_at_s = phase.at + (phase.restart_after or 0.0)
        if phase.do == "kill":
            running_loop().kill()
        else:
            worker.control.drain(f"the scenario's {phase.name}", ExitCode.TERMINATED)

    def _evidence(self, *, finished: bool) -> Evidence:
        campaign = self.scenario.name
        totals = self._store.totals(campaign)
        last = self._events[-1] if self._events else None
        ended_at_s = 0.0 if last is None else last.monotonic_s + self._offsets_s[last.run]
        return Evidence(
            scenario=self.scenario,
            settings=self.settings,
            events=self._events,
            ledger=self.ledger,
            totals={state.value: calls for state, calls in totals.items()},
            finished=finished,
            ended_at_s=ended_at_s,
            start_utc_s=EPOCH_OF_SIMULATIONS_S,
            hits=self.faults.hits,
            offsets_s=self._offsets_s,
            stuck=[] if finished else self._stuck(campaign),
            log=b"".join(self._log),
            secrets=list(SECRETS.values()),
        )

    def _stuck(self, campaign: str) -> list[str]:
        """Name the calls that hang, and on what."""
        waiting = frozenset(CallState) - {CallState.DONE, CallState.FAILED, CallState.EXCLUDED}
        return [
            f"{call.id} is {call.state.value} at {call.step.value}: {call.reason or 'no reason'}"
            for call in self._store.calls(campaign, waiting)
        ]
