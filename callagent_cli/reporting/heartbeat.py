"""A dead-man's switch: an address outside is asked for each minute while a worker lives."""

import asyncio
from collections.abc import Callable
from typing import Final

from callagent_cli.clock import Clock
from callagent_cli.errors import PermanentError, ServiceError
from callagent_cli.services.exchange import Exchange, is_ok, verdict_of_status
from callagent_cli.services.http import Request

EVERY_S: Final = 60.0
TIMEOUT_S: Final = 10.0

BROKEN_AFTER: Final = 3
"""Pings in a row that fail before the alerts say so: one may be lost on the way."""


class Ping:
    """One request that says "the worker lives"; the service outside alarms when none comes."""

    def __init__(self, exchange: Exchange, *, path: str) -> None:
        self._exchange = exchange
        self._path = path

    async def send(self) -> None:
        """Ask for the address; raises `ServiceError` when it does not answer with success."""
        response = await self._exchange.send(
            Request(target="heartbeat.ping", method="GET", path=self._path, timeout_s=TIMEOUT_S)
        )
        if not is_ok(response):
            raise self._exchange.refusal(response).error(verdict_of_status(response.status))

    async def close(self) -> None:
        """Release the connections."""
        await self._exchange.http.close()


class Heartbeat:
    """Pings each minute, whatever came back, and tells when the switch cannot be reached.

    A ping is never made up for, and nothing may keep one back: the next one says the same, and a
    gap is an alarm outside. `on_broken(name, error)` is called once, at the third failure in a row
    or when only a person can help; `on_works(name)` when it is reached again. `broken` says that a
    run before this one told of it.
    """

    name: Final = "heartbeat"

    def __init__(
        self,
        ping: Ping,
        clock: Clock,
        *,
        on_broken: Callable[[str, str], None],
        on_works: Callable[[str], None],
        broken: bool = False,
    ) -> None:
        self._ping = ping
        self._clock = clock
        self._on_broken = on_broken
        self._on_works = on_works
        self._told_broken = broken
        self._failures = 0

    async def run(self) -> None:
        """Ping until cancelled."""
        while True:
            next_s = self._clock.monotonic() + EVERY_S
            await self._once()
            await asyncio.sleep(next_s - self._clock.monotonic())

    async def _once(self) -> None:
        try:
            await self._ping.send()
        except ServiceError as error:
            self._failures += 1
            permanent = isinstance(error, PermanentError)
            if (permanent or self._failures >= BROKEN_AFTER) and not self._told_broken:
                self._told_broken = True
                self._on_broken(self.name, error.message)
            return
        self._failures = 0
        if self._told_broken:
            self._told_broken = False
            self._on_works(self.name)

    async def close(self) -> None:
        """Release what the pings hold."""
        await self._ping.close()
