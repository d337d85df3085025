"""What every world is made of, whatever its time: twins, ledger, faults, store, and a worker."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import ClassVar

from callagent_cli.calls.model import FINAL_STATES, Call, CallState
from callagent_cli.clock import EPOCH_OF_SIMULATIONS_S, Clock
from callagent_cli.errors import ExitCode
from callagent_cli.events import Bus, Stamped
from callagent_cli.reporting.redaction import Redactor
from callagent_cli.reporting.wiring import Reporting, Surroundings
from callagent_cli.services.http import Http
from callagent_cli.settings import Settings
from callagent_cli.simulation.carriers.desk import Desk
from callagent_cli.simulation.faults.engine import FaultEngine, process_actions
from callagent_cli.simulation.judge.evidence import TOLERANCE_S, Case, Evidence
from callagent_cli.simulation.judge.log import Log
from callagent_cli.simulation.judge.verdict import watchers_of
from callagent_cli.simulation.judge.watch import Watch
from callagent_cli.simulation.recording.recording import Recording
from callagent_cli.simulation.scenario.format import Phase, Scenario
from callagent_cli.simulation.twins.ledger import CountingLedger
from callagent_cli.simulation.worlds.parts import SECRETS, roster_of, settings_of
from callagent_cli.simulation.worlds.people import simulated_calls
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


class Stage(ABC):
    """Twins, ledger and store of one world, which outlive every kill of the worker.

    The world is watched while it runs and nothing of it is kept, unless `record` asks for events
    and requests. `follow` is told of each event as it happens, with its second of the world. A
    Ctrl-C cuts the world: `interrupted` is true then, and the evidence is what there was until
    that moment. An empty `store` in memory may be lent; it is not closed.
    """

    lags: ClassVar[bool] = False
    """Whether time is only as exact as the machine is fast; how exact, is known at the end."""

    def __init__(
        self,
        scenario: Scenario,
        seed: int,
        *,
        follow: Follow | None = None,
        record: bool = False,
        store: SqliteStore | None = None,
    ) -> None:
        self.scenario = scenario
        self.seed = seed
        self.settings: Settings = settings_of(scenario)
        self.ledger = CountingLedger()
        self.log = Log(SECRETS.values())
        self.faults = FaultEngine(scenario.timeline, seed, EPOCH_OF_SIMULATIONS_S)
        self.interrupted = False
        twins = roster_of(scenario, seed).twins(self.ledger)
        self._desks: Mapping[str, Desk] = {
            name: Desk(twin, self.ledger, self.faults) for name, twin in twins.items()
        }
        self._store = SqliteStore.open(None) if store is None else store
        self._store_is_lent = store is not None
        self._follow = follow
        self._offsets_s: dict[str, float] = {}
        self._shift_s = 0.0
        self._actions = process_actions(scenario)
        self._lives = 0
        self._keeps = record
        self._recording = Recording() if record or self.lags else None
        self._watch: Watch | None = None
        if self._recording is not None:
            self.ledger.tell(self._recording)
        if not self.lags:
            self._watch = self._new_watch(TOLERANCE_S)
            self.ledger.tell(self._watch)

    @property
    def store(self) -> SqliteStore:
        """The store, which is another one after each kill."""
        return self._store

    def _new_watch(self, slack_s: float) -> Watch:
        """Return what shows the world to those who judge it."""
        case = Case(scenario=self.scenario, settings=self.settings, slack_s=slack_s)
        return Watch(
            case,
            watchers_of(case),
            start_utc_s=EPOCH_OF_SIMULATIONS_S,
            offsets_s=self._offsets_s,
        )

    def _fill_store(self) -> None:
        campaign = Campaign(
            name=self.scenario.name,
            source="scenario",
            source_sha256="",
            created_utc_s=EPOCH_OF_SIMULATIONS_S,
        )
        self._store.save_campaign(campaign)
        self._store.add_calls(self._people())
        self._store.flush()

    def _people(self) -> Iterator[Call]:
        """Yield the calls; no log may show their numbers."""
        for call in simulated_calls(self.scenario.name, self.scenario.campaign.contacts):
            self.log.forbid_number(call.contact.number)
            yield call

    async def _live(self, life: Life) -> None:
        """Let a worker live until its run ends, or until it is cut off."""
        self._lives += 1
        for phase in [each for each in self._actions if each.at < life.offset_s]:
            self._act_on_nobody(phase)
        clock = self._clock(life)
        bus = Bus(clock, run=f"run_{self._lives}", campaign=self.scenario.name)
        self._offsets_s[bus.run] = life.offset_s
        self._listen(bus, life)
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
                keep_journal=False,
                journal=self.log,
            )
        )
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

    def _listen(self, bus: Bus, life: Life) -> None:
        # They come first: each has an event before anything that follows from it.
        if self._recording is not None:
            bus.listen(self._recording.hear)
        if self._watch is not None:
            bus.listen(self._watch.hear)
        follow = self._follow
        if follow is not None:
            bus.listen(lambda stamped: follow(stamped.monotonic_s + life.offset_s, stamped))

    def _clock(self, life: Life) -> Clock:
        loop = asyncio.get_running_loop()
        epoch_s = EPOCH_OF_SIMULATIONS_S + life.offset_s
        random = Random(f"{self.seed}:{self._lives}")
        return Clock(loop.time, lambda: epoch_s + loop.time() + self._shift_s, random)

    def _schedule_actions(self, life: Life, worker: Worker) -> None:
        loop = asyncio.get_running_loop()
        for phase in self._actions:
            loop.call_at(phase.at - life.offset_s, self._act, phase, life, worker)

    def _act_on_nobody(self, phase: Phase) -> None:
        """Step the clock of a machine without a worker; there is none to kill or to stop."""
        self._actions.remove(phase)
        if phase.do == "clock_step":
            self.faults.act(phase)
            self._shift_s += phase.by or 0.0

    def _act(self, phase: Phase, life: Life, worker: Worker) -> None:
        if phase.do == "clock_step":
            self._act_on_nobody(phase)
            return
        self._actions.remove(phase)
        self.faults.act(phase)
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

    def _evidence(
        self, *, finished: bool, fidelity_s: float = 0.0, slack_s: float = 0.0
    ) -> Evidence:
        campaign = self.scenario.name
        totals = self._store.totals(campaign)
        watch = self._watch or self._replayed(TOLERANCE_S + slack_s)
        watch.close()
        self.log.settle()
        return Evidence(
            scenario=self.scenario,
            settings=self.settings,
            watchers=watch.watchers,
            log=self.log,
            totals={state.value: calls for state, calls in totals.items()},
            finished=finished,
            ended_at_s=watch.last_s,
            start_utc_s=EPOCH_OF_SIMULATIONS_S,
            ledger=self.ledger.totals(),
            rung=self.ledger.placed(),
            hits=self.faults.hits,
            offsets_s=self._offsets_s,
            stuck=[] if finished else self._stuck(campaign),
            fidelity_s=fidelity_s,
            recording=self._recording if self._keeps else None,
        )

    def _replayed(self, slack_s: float) -> Watch:
        """Show the recorded world to those who judge it."""
        watch = self._new_watch(slack_s)
        if self._recording is not None:
            watch.play(self._recording)
            if not self._keeps:
                self._recording.close()
        return watch

    def _stuck(self, campaign: str) -> list[str]:
        """Name the calls that hang, and on what."""
        waiting = frozenset(CallState) - FINAL_STATES
        return [
            f"{call.id} is {call.state.value} at {call.step.value}: {call.reason or 'no reason'}"
            for call in self._store.calls(campaign, waiting)
        ]
