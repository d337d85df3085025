"""A worker in virtual time whose services do what a test tells them."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar

import msgspec

from callagent_cli.calls.model import Call, CallState, Contact
from callagent_cli.clock import EPOCH_OF_SIMULATIONS_S, Clock
from callagent_cli.errors import InvalidPayload, ServiceError, ServiceUnavailable
from callagent_cli.events import Bus, Event, Stamped
from callagent_cli.resilience.guard import Guard
from callagent_cli.resilience.health import HealthChecker
from callagent_cli.services.conversations import Candidate, Conversation
from callagent_cli.services.elevenlabs import Placed
from callagent_cli.services.health import health_of
from callagent_cli.services.hubspot import Person
from callagent_cli.settings import Model as ModelSettings
from callagent_cli.settings import Settings
from callagent_cli.simulation.virtual_loop import SimulationKilled, run_virtual, running_loop
from callagent_cli.store.port import Campaign
from callagent_cli.store.sqlite_store import SqliteStore
from callagent_cli.worker.control import Control
from callagent_cli.worker.ending import Ending
from callagent_cli.worker.operations import operations
from callagent_cli.worker.resources import Resources, Services
from callagent_cli.worker.worker import Worker

E = TypeVar("E", bound=Event)

CAMPAIGN = "spring"


def down(message: str = "503 from the gateway") -> ServiceUnavailable:
    """Return what a service that is down raises."""
    return ServiceUnavailable(message, status=503)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one dial does: whether a phone rings, and what is raised instead of an answer."""

    rings: bool = True
    error: ServiceError | None = None
    after_s: float = 0.2


@dataclass(slots=True)
class Post:
    """A dial request that went out."""

    at_s: float
    call: str
    attempt: str
    number: str


@dataclass(slots=True)
class Rung:
    """A phone that rang; `listed_at_s` is when look-ups begin to find it."""

    call: str
    attempt: str
    conversation: str
    listed_at_s: float
    ends_at_s: float


def ended(**changes: Any) -> Conversation:
    """Return a conversation in which somebody talked, with changes."""
    facts: dict[str, Any] = {
        "status": "done",
        "terminal": True,
        "duration_s": 54.0,
        "started_utc_s": 1.0,
        "accepted_utc_s": 2.0,
        "termination_reason": "",
        "error_code": "",
        "error_reason": "",
        "error_type": "",
        "call_result": "",
        "cost": 1.0,
        "transcript_turns_agent": 2,
        "transcript_turns_user": 2,
        "call_successful": "success",
        "summary": "",
        "data_collection": {},
    }
    return Conversation(**{**facts, **changes})


def no_answer() -> Conversation:
    """Return a conversation that nobody took part in."""
    return ended(
        status="failed",
        duration_s=0.0,
        accepted_utc_s=None,
        call_result="no_answer",
        transcript_turns_agent=0,
        transcript_turns_user=0,
    )


class Phone:
    """The voice platform of a test: `answers` are given to the dials in order, then all is well.

    `down` is raised by everything but dials, `ill` by health checks, `blind` by look-ups only;
    `endings` are how the conversations end, in order.
    """

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.posts: list[Post] = []
        self.rung: list[Rung] = []
        self.look_ups: list[float] = []
        self.follows: list[float] = []
        self.endings: list[Conversation] = []
        self.down: ServiceError | None = None
        self.ill: ServiceError | None = None
        self.blind: ServiceError | None = None
        self.deaf: ServiceError | None = None
        self.on_post: Callable[[], None] = lambda: None
        self.lag_s = 0.0
        self.talk_s = 20.0
        self.look_up_s = 0.1
        self.life_s = 0.0

    def _now_s(self) -> float:
        """Return the seconds since the first worker began."""
        return self.life_s + running_loop().time()

    async def dial(
        self,
        *,
        call_id: str,
        attempt_id: str,
        number: str,
        variables: Mapping[str, Any],
        first_message: str,
    ) -> Placed:
        """Ring the phone, or do what the next answer says."""
        now_s = self._now_s()
        self.on_post()
        self.posts.append(Post(now_s, call_id, attempt_id, number))
        answer = self.answers.pop(0) if self.answers else Answer()
        conversation = f"conv_{len(self.posts)}"
        if answer.rings:
            lag_s, talk_s = now_s + self.lag_s, now_s + self.talk_s
            self.rung.append(Rung(call_id, attempt_id, conversation, lag_s, talk_s))
        await asyncio.sleep(answer.after_s)
        if answer.error is not None:
            raise answer.error
        return Placed(conversation=conversation, provider_call="CA1", accepted=True, reason="")

    async def look_up(
        self, *, call_id: str, since_utc_s: float, may_go_on: Callable[[], None]
    ) -> list[Candidate]:
        """Return the calls that are listed by now."""
        now_s = self._now_s()
        self.look_ups.append(now_s)
        await asyncio.sleep(self.look_up_s)
        if error := self.blind or self.down:
            raise error
        return [
            Candidate(conversation=rung.conversation, attempt_id=rung.attempt, status="done")
            for rung in self.rung
            if rung.call == call_id and rung.listed_at_s <= now_s
        ]

    async def conversation(self, conversation_id: str) -> Conversation:
        """Return how a conversation stands."""
        now_s = self._now_s()
        self.follows.append(now_s)
        await asyncio.sleep(0.1)
        if error := self.deaf or self.down:
            raise error
        rung = next((each for each in self.rung if each.conversation == conversation_id), None)
        if rung is None:
            raise InvalidPayload("not found", status=404)
        if now_s < rung.ends_at_s:
            return ended(status="in-progress", terminal=False)
        return self.endings.pop(0) if self.endings else ended()

    async def health(self) -> None:
        """Say how it is."""
        await asyncio.sleep(0.1)
        if error := self.ill or self.down:
            raise error


class Model:
    """A language model; `down` is raised by everything it is asked, `ill` by its health check."""

    def __init__(self) -> None:
        self.prompts: list[str] = []
        self.down: ServiceError | None = None
        self.ill: ServiceError | None = None

    async def compose(self, *, prompt: str) -> str:
        """Write a text."""
        self.prompts.append(prompt)
        await asyncio.sleep(0.5)
        if self.down is not None:
            raise self.down
        return "Good morning"

    async def health(self) -> None:
        """Say how it is."""
        await asyncio.sleep(0.1)
        if error := self.ill or self.down:
            raise error


class Records:
    """A CRM; `records` are the markers of the calls written, as often as they were."""

    def __init__(self) -> None:
        self.records: list[str] = []
        self.asked = 0
        self.down: ServiceError | None = None
        self.losing: ServiceError | None = None

    async def look_up(self, *, crm_id: str, number: str) -> Person | None:
        """Return nobody."""
        self.asked += 1
        await asyncio.sleep(0.1)
        if self.down is not None:
            raise self.down
        return None

    async def record(self, *, marker: str, **_: object) -> str:
        """Write a call; `losing` is raised once after the work was done."""
        await asyncio.sleep(0.1)
        if self.down is not None:
            raise self.down
        self.records.append(marker)
        if self.losing is not None:
            error, self.losing = self.losing, None
            raise error
        return f"record_{len(self.records)}"

    async def find_record(self, marker: str) -> str | None:
        """Find a call that was written."""
        await asyncio.sleep(0.1)
        return "record_found" if marker in self.records else None

    async def health(self) -> None:
        """Say how it is."""
        await asyncio.sleep(0.1)
        if self.down is not None:
            raise self.down


def settings(**elevenlabs: Any) -> Settings:
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
    )
    return Call(id=f"call_{index + 1}", campaign=CAMPAIGN, contact=contact)


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
    records: Records | None = field(default_factory=Records)
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
        if self.records is not None:
            policies["crm"] = named.crm.policy
        return Services(
            telephony=self.phone,
            composers=tuple(zip(names, self.models, strict=True)),
            records=self.records,
            guards={
                name: Guard(name, policy, clock, emit=bus.emit) for name, policy in policies.items()
            },
        )

    def _check(self, worker: Worker) -> None:
        services = worker.resources.services
        checks: dict[str, Any] = {"elevenlabs": self.phone.health}
        checks |= {name: model.health for name, model in services.composers}
        if self.records is not None:
            checks["crm"] = self.records.health
        for name, check in checks.items():
            services.checkers[name] = HealthChecker(
                services.guards[name],
                check,
                worker.resources.clock,
                judge=health_of,
                idle=lambda name=name: worker.agenda.idle(name, lanes_busy=worker.lanes_busy > 0),
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
                await asyncio.gather(*beside, return_exceptions=True)

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

    def of(self, kind: type[E], **where: Any) -> list[E]:
        """Return the events of a kind with these fields."""
        return [
            stamped.event
            for stamped in self.events
            if isinstance(stamped.event, kind)
            and all(getattr(stamped.event, name) == value for name, value in where.items())
        ]

    def times_of(self, kind: type[E], **where: Any) -> list[float]:
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
