"""A worker in virtual time whose services do what a test tells them."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

import msgspec
from worker_doubles import Model, Phone, Records

from callagent_cli.calls.model import Call, CallState, Contact
from callagent_cli.clock import EPOCH_OF_SIMULATIONS_S, Clock
from callagent_cli.events import Bus, Event, Stamped
from callagent_cli.resilience.guard import Guard
from callagent_cli.resilience.health import HealthChecker
from callagent_cli.services.health import health_of
from callagent_cli.settings import Model as ModelSettings
from callagent_cli.settings import Settings
from callagent_cli.simulation.virtual.loop import SimulationKilled, running_loop
from callagent_cli.simulation.virtual.run import run_virtual
from callagent_cli.store.port import Campaign
from callagent_cli.store.sqlite_store import SqliteStore
from callagent_cli.worker.control import Control
from callagent_cli.worker.operations import operations
from callagent_cli.worker.resources import Resources, Services
from callagent_cli.worker.turn.ending import Ending
from callagent_cli.worker.worker import Worker

E = TypeVar("E", bound=Event)

CAMPAIGN = "spring"


def settings(**elevenlabs: object) -> Settings:
    """Return settings whose retries have no jitter, with some of the voice platform's."""
    exact = {"retry": {"jitter": "none"}}
    services = {
        "elevenlabs": {"policy": exact, **elevenlabs},
        "llm": {"policy": exact},
        "crm": {"policy": exact},
    }
    return msgspec.convert({"services": services}, Settings)


def _with_second_model(plain: Settings) -> Settings:
    replace = msgspec.structs.replace
    llm = replace(plain.services.llm, fallback=ModelSettings(policy=plain.services.llm.policy))
    return replace(plain, services=replace(plain.services, llm=llm))


def people(count: int) -> list[Call]:
    """Return calls to different numbers."""
    return [person(index) for index in range(count)]


def person(index: int, *, extension: str = "", number: int | None = None) -> Call:
    """Return one call."""
    last = index if number is None else number
    contact = Contact(
        line=index + 2,
        number=f"+121255501{last:02d}",
        extension=extension,
        name=f"Person {index + 1}",
        timezone="UTC",
    )
    return Call(id=f"call_{index + 1}", campaign=CAMPAIGN, contact=contact)


def _idle(worker: Worker, service: str) -> Callable[[], bool]:
    return lambda: worker.agenda.idle(service, lanes_busy=worker.lanes_busy > 0)


Script = Callable[["Stage"], Coroutine[Any, Any, None]]


def at(at_s: float, act: "Callable[[Stage], object]") -> Script:
    """Return a script that does one thing at a time of its own."""

    async def script(stage: "Stage") -> None:
        await asyncio.sleep(at_s)
        act(stage)

    return script


@dataclass
class Stage:
    """Everything around one worker; it outlives the worker, so that another can take over."""

    calls: list[Call] = field(default_factory=lambda: people(1))
    lanes: int = 1
    settings: Settings = field(default_factory=settings)
    phone: Phone = field(default_factory=Phone)
    models: list[Model] = field(default_factory=lambda: [Model()])
    records: Records = field(default_factory=Records)
    has_crm: bool = True
    store: SqliteStore = field(default_factory=lambda: SqliteStore.open(None))
    events: list[Stamped] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    max_wait_s: float | None = None
    checked: bool = True
    shift_s: float = 0.0
    life_s: float = 0.0

    def __post_init__(self) -> None:
        if len(self.models) > 1:
            self.settings = _with_second_model(self.settings)
        self.store.save_campaign(
            Campaign(name=CAMPAIGN, source="file", source_sha256="", created_utc_s=0.0)
        )
        self.store.add_calls(self.calls)
        self.store.flush()
        self.worker: Worker | None = None

    def make(self) -> Worker:
        """Return a worker; must be called inside the running loop."""
        loop = running_loop()
        clock = Clock(
            loop.time,
            lambda: EPOCH_OF_SIMULATIONS_S + self.life_s + loop.time() + self.shift_s,
            Random(f"7 {self.life_s}"),  # Each life draws ids of its own.
        )
        bus = Bus(clock, campaign=CAMPAIGN)
        bus.listen(self.events.append)
        services = self._services(clock, bus)
        resources = Resources(
            settings=self.settings,
            clock=clock,
            bus=bus,
            store=self.store,
            services=services,
            campaign=CAMPAIGN,
            **self.options,
        )
        control = Control(bus, self.lanes)
        timeouts = operations(self.settings)
        self.worker = Worker(resources, timeouts, control, max_wait_s=self.max_wait_s)
        if self.checked:
            self._check(self.worker)
        return self.worker

    def _services(self, clock: Clock, bus: Bus) -> Services:
        named = self.settings.services
        names = ["llm", "llm_fallback"][: len(self.models)]
        policies = {"elevenlabs": named.elevenlabs.policy}
        policies |= dict.fromkeys(names, named.llm.policy)
        if self.has_crm:
            policies["crm"] = named.crm.policy
        return Services(
            telephony=self.phone,
            composers=tuple(zip(names, self.models, strict=True)),
            records=self.records if self.has_crm else None,
            guards={
                name: Guard(name, policy, clock, emit=bus.emit) for name, policy in policies.items()
            },
        )

    def _check(self, worker: Worker) -> None:
        services = worker.resources.services
        checks: dict[str, Any] = {"elevenlabs": self.phone.health}
        checks |= {name: model.health for name, model in services.composers}
        if self.has_crm:
            checks["crm"] = self.records.health
        for name, check in checks.items():
            services.checkers[name] = HealthChecker(
                services.guards[name],
                check,
                worker.resources.clock,
                judge=health_of,
                idle=_idle(worker, name),
                emit=worker.resources.bus.emit,
            )

    def run(self, *scripts: Script, horizon_s: float = 4 * 86_400.0) -> Ending:
        """Let a worker work to its end beside some scripts; raises what it raises."""

        async def main() -> Ending:
            worker = self.make()
            beside = [asyncio.create_task(script(self)) for script in scripts]
            try:
                return await worker.run()
            finally:
                for task in beside:
                    task.cancel()
                for problem in await asyncio.gather(*beside, return_exceptions=True):
                    if isinstance(problem, Exception):
                        raise problem

        self.phone.life_s = self.life_s
        return run_virtual(main(), horizon_s=horizon_s)

    def run_and_kill(self, at_s: float, *scripts: Script, rest_s: float = 0.0) -> None:
        """Let a worker work until it is killed; the next one begins `rest_s` later."""
        with suppress(SimulationKilled):  # It may have come to its end before.
            self.run(at(at_s, lambda _: running_loop().kill()), *scripts)
        self.store = self.store.abandon()
        self.life_s += at_s + rest_s

    @property
    def control(self) -> Control:
        """The will of the worker that is running."""
        assert self.worker is not None
        return self.worker.control

    # What is asked afterwards

    def of(self, kind: type[E], **where: object) -> list[E]:
        """Return the events of a kind with these fields."""
        return [
            stamped.event
            for stamped in self.events
            if isinstance(stamped.event, kind)
            and all(getattr(stamped.event, name) == value for name, value in where.items())
        ]

    def times_of(self, kind: type[E], **where: object) -> list[float]:
        """Return when events of a kind happened, in seconds of their loop."""
        wanted = self.of(kind, **where)
        return [each.monotonic_s for each in self.events if each.event in wanted]

    def call(self, index: int = 0) -> Call:
        """Return a call as it stands in the store."""
        found = self.store.call(self.calls[index].id)
        assert found is not None
        return found

    def states(self) -> dict[CallState, int]:
        """Return the counts by state, which add up to the contacts."""
        totals = self.store.totals(CAMPAIGN)
        assert sum(totals.values()) == len(self.calls)
        return {state: count for state, count in totals.items() if count}


def mended(stage: Stage) -> None:
    """Let the voice platform be well."""
    stage.phone.down = None
    stage.phone.answers = []
