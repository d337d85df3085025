"""The sandbox as a process of its own, which outlives the workers that dial through it."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from callagent_cli.clock import system_clock
from callagent_cli.errors import UsageError
from callagent_cli.settings import Settings
from callagent_cli.simulation.sandbox.sandbox import DIRECTORY, Sandbox
from callagent_cli.simulation.wire.sockets import require_loopback
from callagent_cli.store.failures import file_error

_ADDRESS_FILE: Final = "address.json"
_ANSWER_WITHIN_S: Final = 0.5


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where a sandbox listens: the base address of each service."""

    pid: int
    urls: dict[str, str]


def address_file(state_dir: Path) -> Path:
    """Return where the sandbox of a state folder says that it listens."""
    return state_dir / DIRECTORY / _ADDRESS_FILE


async def serve_sandbox(
    state_dir: Path,
    *,
    settings: Settings,
    port: int = 0,
    dial_latency_s: float | None = None,
    stop: asyncio.Event | None = None,
    ready: Callable[[dict[str, str]], object] | None = None,
) -> None:
    """Serve the twins until SIGTERM, SIGINT or `stop`.

    When they answer, the address file is there and `ready` is told the base addresses; a given
    `port` makes them follow each other from there. `dial_latency_s` holds every dial's answer back
    that long after its effect. Raises `UsageError` when a sandbox of this folder is running
    already, or a port cannot be had.
    """
    if find_sandbox(state_dir) is not None:
        message = f"a sandbox is already running for `{state_dir}`"
        raise UsageError(message, hint="stop it, or use another state folder")
    stop = stop or asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stop.set)
    sandbox = Sandbox(
        settings, system_clock(), state_dir=state_dir, port=port, dial_latency_s=dial_latency_s
    )
    file = address_file(state_dir)
    try:
        async with sandbox:
            _publish(file, Address(pid=os.getpid(), urls=sandbox.urls))
            if ready is not None:
                ready(sandbox.urls)
            await stop.wait()
            file.unlink(missing_ok=True)
    finally:
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(signal_number)


def find_sandbox(state_dir: Path) -> dict[str, str] | None:
    """Return where a running sandbox of this folder listens, or nothing when none answers."""
    try:
        body = address_file(state_dir).read_bytes()
        address = msgspec.json.decode(body, type=Address)
    except (OSError, msgspec.DecodeError):
        return None
    if not address.urls or not _is_alive(address.pid):
        return None
    return address.urls if all(map(_answers, address.urls.values())) else None


def _publish(file: Path, address: Address) -> None:
    """Write the file whole or not at all, so that nobody reads half an address."""
    draft = file.with_suffix(".draft")
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        draft.write_bytes(msgspec.json.encode(address))
        draft.replace(file)
    except OSError as error:
        raise file_error(error, file) from error


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _answers(url: str) -> bool:
    address = urlsplit(url)
    try:
        place = require_loopback(address.hostname), address.port or 0
        with socket.create_connection(place, timeout=_ANSWER_WITHIN_S):
            return True
    except (OSError, UsageError):
        return False
