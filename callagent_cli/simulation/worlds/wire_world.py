"""A world on real sockets: the same scenario over loopback, worker and twins on one fast clock."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar

import msgspec

from callagent_cli.clock import EPOCH_OF_SIMULATIONS_S, Clock
from callagent_cli.errors import StoreError
from callagent_cli.services.http import Http
from callagent_cli.settings import Settings
from callagent_cli.simulation.judge.evidence import Evidence
from callagent_cli.simulation.scenario.fault_kind import kind_of
from callagent_cli.simulation.scenario.format import Phase, Scenario
from callagent_cli.simulation.wire.dead_ends import DeadEnds
from callagent_cli.simulation.wire.loop import SPEED_MAX, Beat, Fidelity, ScaledLoop
from callagent_cli.simulation.wire.server import WireServer
from callagent_cli.simulation.worlds.stage import Follow, Life, Stage
from callagent_cli.simulation.worlds.wire_door import NOWHERE, Tickets, WireDoor
from callagent_cli.worker.worker import Worker

Dial = Callable[[str], Http]
"""Makes a real client for a base address; it is only ever given addresses of loopback."""


class WireWorld(Stage):
    """Runs a scenario over loopback sockets, `speed` times as fast as real time.

    `fidelity` says afterwards how late the loop ran; `beat` is for whoever tells how
    far the world is. A kill closes the worker's connections, and
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
        beat: Beat | None = None,
        record: bool = False,
    ) -> None:
        super().__init__(scenario, seed, follow=follow, record=record)
        self.fidelity = Fidelity(speed)
        self._client = client
        self._speed = speed
        self._beat = beat
        self._urls: dict[str, str] = {}
        self._life: Life | None = None
        self._session: asyncio.Task[None] | None = None
        self._clients: list[Http] = []
        self._dead_ends: DeadEnds | None = None
        self._lost: dict[str, Http] = {}
        self._tickets = Tickets(self.faults)
        for desk in self._desks.values():
            desk.faults = self._tickets

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
        evidence = self._evidence(
            finished=finished, fidelity_s=self.fidelity.judged_s, slack_s=self.fidelity.slack_s
        )
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
            if any(_keeps_from_leaving(phase) for phase in self.scenario.timeline):
                self._dead_ends = DeadEnds()
            self._urls = server.urls
            self.settings = _pointed(self.settings, server.urls)
            measuring = asyncio.create_task(self.fidelity.measure(self._beat), name="fidelity")
            try:
                return await self._lives_in_turn()
            finally:
                measuring.cancel()
                await asyncio.gather(measuring, return_exceptions=True)
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
        return WireDoor(door, self._tickets, clock.monotonic, nowhere=self._nowhere())

    def _nowhere(self) -> dict[str, Http]:
        """Return clients that no request leaves, one for all services; none if none is needed.

        A client takes its time to be made: made in the middle of a world, it would be a lag.
        """
        ends = self._dead_ends
        if ends is not None and not self._lost:
            urls = {"refuses": ends.refusing_url, "swallows": ends.swallowing_url}
            self._lost = {how: self._open_client(url) for how, url in urls.items()}
        return self._lost

    def _open_client(self, url: str) -> Http:
        client = self._client(url)
        self._clients.append(client)
        return client


def _keeps_from_leaving(phase: Phase) -> bool:
    return phase.fault is not None and kind_of(phase.fault) in NOWHERE


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
