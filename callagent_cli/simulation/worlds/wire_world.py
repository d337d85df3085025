"""A world on real sockets: the same scenario over loopback, worker and twins on one fast clock."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import ClassVar, Final

import msgspec

from callagent_cli.clock import EPOCH_OF_SIMULATIONS_S, Clock
from callagent_cli.errors import StoreError
from callagent_cli.services.http import Http, NotSent, Request, Response
from callagent_cli.settings import Settings
from callagent_cli.simulation.faults.engine import FaultEngine
from callagent_cli.simulation.judge.evidence import Evidence
from callagent_cli.simulation.scenario.fault_kind import kind_of
from callagent_cli.simulation.scenario.format import Phase, Scenario
from callagent_cli.simulation.scenario.words import EVERYTHING, matches
from callagent_cli.simulation.wire.dead_ends import DeadEnds
from callagent_cli.simulation.wire.loop import SPEED_MAX, Fidelity, ScaledLoop
from callagent_cli.simulation.wire.server import WireServer
from callagent_cli.simulation.worlds.stage import Follow, Life, Stage
from callagent_cli.worker.worker import Worker

_SHUT: Final = {"refuse": "refuse", "dns": "refuse", "blackhole": "swallow"}
"""Kinds of faults under which no request leaves, and what the ports do to whoever connects."""

Dial = Callable[[str], Http]
"""Makes a real client for a base address; it is only ever given addresses of loopback."""


class WireWorld(Stage):
    """Runs a scenario over loopback sockets, `speed` times as fast as real time.

    `fidelity` says afterwards how late the loop ran. A kill closes the worker's connections, and
    nothing that it still does reaches the store.
    """

    lags: ClassVar[bool] = True

    def __init__(
        self,
        scenario: Scenario,
        seed: int,
        *,
        client: Dial,
        speed: float = SPEED_MAX,
        follow: Follow | None = None,
        record: bool = False,
    ) -> None:
        super().__init__(scenario, seed, follow=follow, record=record)
        self.fidelity = Fidelity(speed)
        self._client = client
        self._speed = speed
        self._urls: dict[str, str] = {}
        self._life: Life | None = None
        self._session: asyncio.Task[None] | None = None
        self._clients: list[Http] = []
        self._dead_ends: DeadEnds | None = None
        self._lost: dict[str, Http] = {}
        self._at_the_door = [each.name for each in scenario.timeline if _strikes_at_the_door(each)]
        self.faults.move_to_the_door(self._at_the_door)

    @property
    def notes(self) -> list[str]:
        """What the wire plays in another way than virtual time, for whoever compares the two."""
        return [
            f"{phase.name} is played as a refused connection: no name is looked up outside"
            for phase in self.scenario.timeline
            if phase.fault is not None and kind_of(phase.fault) == "dns"
        ]

    def run(self) -> Evidence:
        """Run the world to its end and return what the judge needs."""
        self._fill_store()
        self._warm_up()
        try:
            with asyncio.Runner(loop_factory=lambda: ScaledLoop(self._speed)) as runner:
                finished = runner.run(self._whole())
        except KeyboardInterrupt:
            self.interrupted = True
            finished = False
        evidence = self._evidence(finished=finished, fidelity_s=self.fidelity.judged_s)
        self._store.close()
        return evidence

    def _warm_up(self) -> None:
        """Load what a client is made of: once the clock runs, that would be a lag."""
        asyncio.run(self._client("http://127.0.0.1").close())

    async def _whole(self) -> bool:
        loop = asyncio.get_running_loop()

        def utc_s() -> float:
            return EPOCH_OF_SIMULATIONS_S + loop.time()

        async with WireServer(self._desks, utc_s) as server:
            self._dead_ends = DeadEnds() if self._at_the_door else None
            self._urls = server.urls
            self.settings = _pointed(self.settings, server.urls)
            beside = [
                asyncio.create_task(self.fidelity.measure(), name="fidelity"),
                *(
                    asyncio.create_task(_shut_and_open(server, phase), name=phase.name)
                    for phase in self.scenario.timeline
                    if _shuts_ports(phase)
                ),
            ]
            try:
                return await self._lives_in_turn()
            finally:
                for task in beside:
                    task.cancel()
                await asyncio.gather(*beside, return_exceptions=True)
                if self._dead_ends is not None:
                    self._dead_ends.close()

    async def _lives_in_turn(self) -> bool:
        loop = asyncio.get_running_loop()
        at_most_s = self.scenario.until.at_most
        while loop.time() < at_most_s:
            life = self._life = Life()
            self._session = asyncio.create_task(self._live(life), name="worker")
            try:
                async with asyncio.timeout_at(at_most_s):
                    await asyncio.wait({self._session})
            except TimeoutError:
                self._cut()
            except asyncio.CancelledError:
                self._cut()
                await self._buried()
                raise
            await self._buried()
            if life.restart_at_s is None:
                return life.ended
            await asyncio.sleep(max(0.0, life.restart_at_s - loop.time()))
        return False

    async def _buried(self) -> None:
        """Wait for the end of a worker that was cut off, and close its connections."""
        session = self._session
        if session is not None:
            # The store of a worker that was cut off refuses whatever it still wants to write.
            with suppress(asyncio.CancelledError, StoreError):
                await session
        clients, self._clients, self._lost = self._clients, [], {}
        for client in clients:
            await client.close()

    def _act(self, phase: Phase, life: Life, worker: Worker) -> None:
        # The loop outlives its workers, and with it the timers that each of them has set.
        if life is not self._life:
            return
        if self._session is None or self._session.done():
            self._act_on_nobody(phase)
            return
        super()._act(phase, life, worker)

    def _kill(self, _life: Life) -> None:
        self._cut()

    def _cut(self) -> None:
        self._store = self._store.abandon()
        if self._session is not None:
            self._session.cancel()

    def _connect(self, service: str, clock: Clock) -> Http:
        door = self._open_client(self._urls[service])
        return _WatchedDoor(
            door, self.faults, self._shutting(service), clock.monotonic, nowhere=self._nowhere()
        )

    def _nowhere(self) -> dict[str, Http]:
        """Return clients that no request leaves, one for all services; none if none is needed.

        A client takes its time to be made: made in the middle of a world, it would be a lag.
        """
        ends = self._dead_ends
        if ends is not None and not self._lost:
            urls = {"refuse": ends.refusing_url, "swallow": ends.swallowing_url}
            self._lost = {how: self._open_client(url) for how, url in urls.items()}
        return self._lost

    def _open_client(self, url: str) -> Http:
        client = self._client(url)
        self._clients.append(client)
        return client

    def _shutting(self, service: str) -> list[Phase]:
        return [
            phase
            for phase in self.scenario.timeline
            if _shuts_ports(phase) and phase.target in {EVERYTHING, service}
        ]


class _WatchedDoor:
    """Sends what a fault keeps from leaving to a dead end, and counts it: no twin hears of it."""

    def __init__(
        self,
        door: Http,
        faults: FaultEngine,
        phases: list[Phase],
        now_s: Callable[[], float],
        *,
        nowhere: Mapping[str, Http],
    ) -> None:
        self._door = door
        self._faults = faults
        self._phases = phases
        self._now_s = now_s
        self._nowhere = nowhere

    async def send(self, request: Request) -> Response:
        """Return the answer, whatever its status."""
        at_s = self._now_s()
        struck = self._faults.strike_unsent(request.target, at_s)
        if struck is not None:
            await asyncio.sleep(min(struck.delay_s, request.timeout_s))
            return await self._nowhere[_SHUT[struck.kind]].send(request)
        try:
            return await self._door.send(request)
        except NotSent:
            for phase in self._phases:
                if phase.at <= at_s < phase.ends_at and matches(phase.target, request.target):
                    self._faults.hits[phase.name, request.target] += 1
            raise

    async def close(self) -> None:
        """Release the connections."""
        await self._door.close()


def _keeps_from_leaving(phase: Phase) -> bool:
    return phase.fault is not None and kind_of(phase.fault) in _SHUT


def _shuts_ports(phase: Phase) -> bool:
    """Whether a phase is played by the ports themselves: a whole service, without lots."""
    return _keeps_from_leaving(phase) and phase.probability >= 1 and "." not in phase.target


def _strikes_at_the_door(phase: Phase) -> bool:
    """Whether a phase keeps single requests from leaving: one operation, or some by lot."""
    return _keeps_from_leaving(phase) and not _shuts_ports(phase)


async def _shut_and_open(server: WireServer, phase: Phase) -> None:
    """Shut the ports that a phase strikes, and open them when it is over."""
    loop = asyncio.get_running_loop()
    services = [name for name in server.urls if phase.target in {EVERYTHING, name}]
    for shut_s, open_s in _spells(phase):
        await asyncio.sleep(max(0.0, shut_s - loop.time()))
        for service in services:
            _shut(server, service, phase)
        if open_s == float("inf"):
            return
        await asyncio.sleep(max(0.0, open_s - loop.time()))
        for service in services:
            await server.open(service)


def _shut(server: WireServer, service: str, phase: Phase) -> None:
    swallows = phase.fault is not None and _SHUT[kind_of(phase.fault)] == "swallow"
    if swallows:
        server.swallow(service)
    else:
        server.refuse(service)


def _spells(phase: Phase) -> list[tuple[float, float]]:
    """Return when the ports are shut and opened again: once, or as often as the phase flaps."""
    flap = phase.flap
    if flap is None:
        return [(phase.at, phase.ends_at)]
    spells, at_s = [], phase.at
    while at_s < phase.ends_at:
        spells.append((at_s, min(at_s + flap.down, phase.ends_at)))
        at_s += flap.down + flap.up
    return spells


def _pointed(settings: Settings, urls: dict[str, str]) -> Settings:
    """Return the settings with every service at its twin's port."""
    replace = msgspec.structs.replace
    services = settings.services
    fallback = services.llm.fallback
    if fallback is not None:
        fallback = replace(fallback, base_url=urls["llm_fallback"])
    return replace(
        settings,
        services=replace(
            services,
            elevenlabs=replace(services.elevenlabs, base_url=urls["elevenlabs"]),
            llm=replace(services.llm, base_url=urls["llm"], fallback=fallback),
            crm=replace(services.crm, base_url=urls["crm"]),
        ),
    )
