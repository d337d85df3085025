"""The sandbox: the twins behind real HTTP on loopback, in the process that asks for them."""

from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

import msgspec

from callagent_cli.clock import Clock
from callagent_cli.errors import UsageError
from callagent_cli.settings import Credential, Settings
from callagent_cli.simulation.carriers.action import FaultHook
from callagent_cli.simulation.carriers.desk import Desk
from callagent_cli.simulation.twins.durable_ledger import DurableLedger, read_ledger_file
from callagent_cli.simulation.twins.keys import (
    AGENT_ID,
    CRM_TOKEN,
    ELEVENLABS_KEY,
    LLM_KEY,
    PHONE_NUMBER_ID,
)
from callagent_cli.simulation.twins.latency import Draw, constant, lognormal
from callagent_cli.simulation.twins.ledger import Ledger
from callagent_cli.simulation.twins.personality import sandbox_personality
from callagent_cli.simulation.twins.roster import SERVICES, Roster
from callagent_cli.simulation.wire.server import WireServer
from callagent_cli.simulation.wire.sockets import require_loopback

_ELEVENLABS_ENV: Final = "CALLAGENT_SANDBOX_ELEVENLABS_KEY"
_LLM_ENV: Final = "CALLAGENT_SANDBOX_LLM_KEY"
_CRM_ENV: Final = "CALLAGENT_SANDBOX_CRM_TOKEN"
_FOLLOW_EVERY_S: Final = 0.25
_FOLLOW_EVERY_LEAST_S: Final = 0.01
_PORT_MAX: Final = 65536
_P50_S, _P99_S = 0.003, 0.012
DIRECTORY: Final = "sandbox"
LEDGER_FILE: Final = "sandbox.db"


def sandbox_secrets() -> dict[str, str]:
    """Return the keys the twins accept, by the environment variables the settings name."""
    return {_ELEVENLABS_ENV: ELEVENLABS_KEY, _LLM_ENV: LLM_KEY, _CRM_ENV: CRM_TOKEN}


def sandbox_settings(settings: Settings, urls: dict[str, str]) -> Settings:
    """Return the settings with every service pointed at the twins, ids and credentials too.

    No real credential is named any more, so none can be sent; calls are followed as often as
    their short duration asks for.
    """
    replace = msgspec.structs.replace
    services = settings.services
    follow_every_s = max(_FOLLOW_EVERY_LEAST_S, _FOLLOW_EVERY_S * settings.sandbox.pace)
    elevenlabs = replace(
        services.elevenlabs,
        base_url=urls["elevenlabs"],
        api_key=Credential(env=_ELEVENLABS_ENV),
        agent_id=AGENT_ID,
        agent_phone_number_id=PHONE_NUMBER_ID,
        follow_every_s=min(services.elevenlabs.follow_every_s, follow_every_s),
    )
    llm_key = Credential(env=_LLM_ENV)
    fallback = services.llm.fallback
    if fallback is not None:
        fallback = replace(fallback, base_url=urls["llm_fallback"], api_key=llm_key)
    llm = replace(services.llm, base_url=urls["llm"], api_key=llm_key, fallback=fallback)
    crm = replace(services.crm, base_url=urls["crm"], token=Credential(env=_CRM_ENV))
    pointed = replace(services, elevenlabs=elevenlabs, llm=llm, crm=crm)
    return replace(settings, mode="sandbox", services=pointed)


def sandbox_urls(url: str) -> dict[str, str]:
    """Return the base address of each service of a sandbox that was started with a port.

    `url` names that port, where elevenlabs answers; the other services follow on the next ones.
    Raises `UsageError` when it is not on this machine.
    """
    address = urlsplit(url)
    host = require_loopback("127.0.0.1" if address.hostname == "localhost" else address.hostname)
    if not address.port or address.port + len(SERVICES) > _PORT_MAX:
        message = f"the sandbox address at `{host}` names no port that {len(SERVICES)} can follow"
        raise UsageError(message, hint="write it as http://127.0.0.1:8123")
    shown = f"[{host}]" if ":" in host else host
    return {
        service: f"http://{shown}:{address.port + offset}"
        for offset, service in enumerate(SERVICES)
    }


def sandbox_roster(settings: Settings, *, dial_latency_s: float | None = None) -> Roster:
    """Return what the sandbox's twins are like; with `pace` 0 nothing takes any time.

    `dial_latency_s` holds every dial's answer back that long after its effect.
    """
    pace = settings.sandbox.pace
    usual: Draw = lognormal(_P50_S * pace, _P99_S * pace) if pace else constant(0.0)
    latencies = dict.fromkeys(SERVICES, usual)
    if dial_latency_s is not None:
        latencies["elevenlabs.dial"] = constant(dial_latency_s)
    return Roster(
        seed=settings.sandbox.seed,
        personality=sandbox_personality(pace, opts_out=settings.sandbox.opts_out),
        latencies=latencies,
        objects_path=settings.services.crm.objects_path,
        account_path=settings.services.crm.account_path,
        opt_out_field=settings.services.elevenlabs.opt_out_field,
    )


def ledger_file(state_dir: Path) -> Path:
    """Return where the sandbox of a state folder keeps its ledger."""
    return state_dir / DIRECTORY / LEDGER_FILE


def read_ledger(state_dir: Path) -> Ledger:
    """Return a copy of the sandbox's ledger, while the sandbox runs or after."""
    return read_ledger_file(ledger_file(state_dir))


class Sandbox:
    """The twins on loopback ports; an async context manager.

    With a `state_dir` the ledger is on disk and the calls of an earlier sandbox go on; without
    one everything ends with the process. Raises `UsageError` when a port cannot be had.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        *,
        state_dir: Path | None = None,
        port: int = 0,
        host: str = "127.0.0.1",
        dial_latency_s: float | None = None,
        faults: FaultHook | None = None,
    ) -> None:
        self._roster = sandbox_roster(settings, dial_latency_s=dial_latency_s)
        self._clock = clock
        self._state_dir = state_dir
        self._host = host
        self._port = port
        self._faults = faults
        self.ledger = Ledger()
        self.server = WireServer({}, clock.utc)

    @property
    def urls(self) -> dict[str, str]:
        """The base address of each service, by its name."""
        return self.server.urls

    async def __aenter__(self) -> Self:
        if self._state_dir is not None:
            self.ledger = DurableLedger(ledger_file(self._state_dir))
        twins = self._roster.twins(self.ledger)
        desks = {name: Desk(twin, self.ledger, self._faults) for name, twin in twins.items()}
        self.server = WireServer(desks, self._clock.utc, host=self._host, port=self._port)
        try:
            await self.server.__aenter__()
        except BaseException:
            self.ledger.close()
            raise
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self.server.close()
        self.ledger.close()
