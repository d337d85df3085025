"""What every world is made of, whatever its time: twins, ledger, faults, store, and a worker."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from callagent_cli.calls.model import FINAL_STATES, CallState
from callagent_cli.clock import EPOCH_OF_SIMULATIONS_S, Clock
from callagent_cli.errors import ExitCode
from callagent_cli.events import Bus, Stamped
from callagent_cli.reporting.redaction import Redactor
from callagent_cli.reporting.sinks import MemorySink
from callagent_cli.reporting.wiring import Reporting, Surroundings
from callagent_cli.services.http import Http
from callagent_cli.settings import Settings
from callagent_cli.simulation.desk import Desk
from callagent_cli.simulation.faults import FaultEngine, process_actions
from callagent_cli.simulation.judge.evidence import Evidence
from callagent_cli.simulation.people import simulated_calls
from callagent_cli.simulation.scenario.format import Phase, Scenario
from callagent_cli.simulation.twins.ledger import Ledger
from callagent_cli.simulation.world_parts import SECRETS, roster_of, settings_of
from callagent_cli.store.port import Campaign
from callagent_cli.store.sqlite_store import SqliteStore
from callagent_cli.worker.assembly import assemble
from callagent_cli.worker.session import run_session
from callagent_cli.worker.worker import Worker

Follow = Callable[[float, Stamped], None]
"""Takes the second of the world and the event that happened then."""


@dataclass(slots=True)
class Life:
    """One life of the worker; its loop's time began at second `offset_s` of the world."""

    offset_s: float = 0.0
    ended: bool = False
    restart_at_s: float | None = None
    sink: MemorySink | None = None


class Stage(ABC):
    """Twins, ledger and store of one world, which outlive every kill of the worker.

    `follow` is told of each event as it happens, with its second of the world. A Ctrl-C cuts the
    world: `interrupted` is true then, and the evidence is what there was until that moment.
    """

    def __init__(
        self,
        scenario: Scenario,
        seed: int,
        *,
        follow: Follow | None = None,
    ) -> None:
        self.scenario = scenario
        self.seed = seed
        self.settings: Settings = settings_of(scenario)
        self.ledger = Ledger()
        self.faults = FaultEngine(scenario.timeline, seed, EPOCH_OF_SIMULATIONS_S)
        self.interrupted = False
        twins = roster_of(scenario, seed).twins(self.ledger)
        self._desks: Mapping[str, Desk] = {
            name: Desk(twin, self.ledger, self.faults) for name, twin in twins.items()
        }
        self._store = SqliteStore.open(None)
        self._follow = follow
        self._events: list[Stamped] = []
        self._log: list[bytes] = []
        self._offsets_s: dict[str, float] = {}
        self._shift_s = 0.0
        self._actions = process_actions(scenario)
        self._lives = 0

    def _fill_store(self) -> None:
        campaign = Campaign(
            name=self.scenario.name,
            source="scenario",
            source_sha256="",
            created_utc_s=EPOCH_OF_SIMULATIONS_S,
        )
        self._store.save_campaign(campaign)
        self._store.add_calls(simulated_calls(campaign.name, self.scenario.campaign.contacts))
        self._store.flush()

    async def _live(self, life: Life) -> None:
        """Let a worker live until its run ends, or until it is cut off."""
        self._lives += 1
        clock = self._clock(life)
        bus = Bus(clock, run=f"run_{self._lives}", campaign=self.scenario.name)
        self._offsets_s[bus.run] = life.offset_s
        bus.listen(self._events.append)
        follow = self._follow
        if follow is not None:
            bus.listen(lambda stamped: follow(stamped.monotonic_s + life.offset_s, stamped))
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

    def _clock(self, life: Life) -> Clock:
        loop = asyncio.get_running_loop()
        epoch_s = EPOCH_OF_SIMULATIONS_S + life.offset_s
        random = Random(f"{self.seed}:{self._lives}")
        return Clock(loop.time, lambda: epoch_s + loop.time() + self._shift_s, random)

    def _schedule_actions(self, life: Life, worker: Worker) -> None:
        loop = asyncio.get_running_loop()
        for phase in self._actions:
            if phase.at >= life.offset_s:
                loop.call_at(phase.at - life.offset_s, self._act, phase, life, worker)

    def _act(self, phase: Phase, life: Life, worker: Worker) -> None:
        self._actions.remove(phase)
        if phase.do == "clock_step":
            self._shift_s += phase.by or 0.0
            return
        life.restart_at_s = phase.at + (phase.restart_after or 0.0)
        if phase.do == "kill":
            self._kill(life)
        else:
            worker.control.drain(f"the scenario's {phase.name}", ExitCode.TERMINATED)

    @abstractmethod
    def _connect(self, service: str, clock: Clock) -> Http:
        """Return the door to a twin."""

    @abstractmethod
    def _kill(self, _life: Life) -> None:
        """Cut the worker off, as a power failure would."""

    def _evidence(self, *, finished: bool, fidelity_s: float = 0.0) -> Evidence:
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
            fidelity_s=fidelity_s,
        )

    def _stuck(self, campaign: str) -> list[str]:
        """Name the calls that hang, and on what."""
        waiting = frozenset(CallState) - FINAL_STATES
        return [
            f"{call.id} is {call.state.value} at {call.step.value}: {call.reason or 'no reason'}"
            for call in self._store.calls(campaign, waiting)
        ]
