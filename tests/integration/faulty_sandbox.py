"""A sandbox in this process whose services can be broken, and a run beside it as a process."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from command_line import PROGRAM, environment, journal

from callagent_cli.clock import system_clock
from callagent_cli.settings_file import load_settings
from callagent_cli.simulation.carriers.action import PASS, WireAction
from callagent_cli.simulation.sandbox.process import Address, address_file
from callagent_cli.simulation.sandbox.sandbox import Sandbox
from callagent_cli.simulation.twins.twin import Facts, TwinRequest

UNAVAILABLE = WireAction(
    kind="answer", status=503, body=b'{"detail":{"status":"system_busy","message":"busy"}}'
)


@dataclass(slots=True)
class Outage:
    """Answers every request to the services in `down` with 503."""

    down: set[str] = field(default_factory=set)

    def decide(self, target: str, _request: TwinRequest, _at: float, *, facts: Facts) -> WireAction:
        """Return what happens to a request."""
        del facts
        return UNAVAILABLE if target.partition(".")[0] in self.down else PASS


@dataclass(slots=True)
class Ended:
    """What a run printed, and what it ended with."""

    code: int
    out: str
    err: str


class Running:
    """A run in progress."""

    def __init__(self, folder: Path, process: asyncio.subprocess.Process) -> None:
        self.folder = folder
        self.process = process
        self._reading = asyncio.create_task(process.communicate())

    async def until(self, happened: Callable[[list[dict[str, object]]], bool]) -> None:
        """Wait until the run's log shows something; fails when the run ends before."""
        while not happened(self.events()):
            assert not self._reading.done(), await self.ended()
            await asyncio.sleep(0.02)

    def events(self) -> list[dict[str, object]]:
        """Return what the log has so far."""
        return journal(self.folder) if (self.folder / "logs").is_dir() else []

    async def ended(self) -> Ended:
        """Wait for the end."""
        out, err = await self._reading
        return Ended(self.process.returncode or 0, out.decode(), err.decode())

    async def close(self) -> None:
        """End what is left of it."""
        if self.process.returncode is None:
            self.process.kill()
        await self._reading


@asynccontextmanager
async def faulty_sandbox(folder: Path, outage: Outage) -> AsyncIterator[Sandbox]:
    """Serve the sandbox of a folder's settings; `callagent run` there finds it."""
    settings = load_settings(folder / "callagent.yaml", {})
    state_dir = folder / settings.state_dir
    async with Sandbox(settings, system_clock(), state_dir=state_dir, faults=outage) as sandbox:
        address = Address(pid=os.getpid(), urls=sandbox.urls)
        address_file(state_dir).write_bytes(msgspec.json.encode(address))
        yield sandbox


@asynccontextmanager
async def running(folder: Path, *arguments: str) -> AsyncIterator[Running]:
    """Start `callagent run contacts.csv` beside the sandbox."""
    process = await asyncio.create_subprocess_exec(
        *PROGRAM,
        "run",
        "contacts.csv",
        *arguments,
        cwd=folder,
        env=environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    run = Running(folder, process)
    try:
        yield run
    finally:
        await run.close()


def of(events: list[dict[str, object]], name: str, **fields: object) -> list[dict[str, object]]:
    """Return the events of one name whose fields have these values."""
    return [
        event
        for event in events
        if event["event"] == name
        and all(event.get(field) == value for field, value in fields.items())
    ]
