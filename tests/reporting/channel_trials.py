"""Real channels, opened by the real doors and tried against a server on loopback."""

import asyncio
from collections.abc import Callable, Mapping

from loopback_servers import Answer, HttpServer
from reporting_doubles import ALERT

from callagent_cli.clock import Clock, system_clock
from callagent_cli.errors import ServiceError
from callagent_cli.reporting.alert import Alert, Channel
from callagent_cli.reporting.real_doors import RealDoors
from callagent_cli.services.httpx_client import HttpxClient
from callagent_cli.settings import Alerts


def channel_of(
    alerts: Alerts, environ: Mapping[str, str], *, clock: Clock | None = None
) -> Channel:
    """Return the first channel that is set; raises `SettingsError`."""
    doors = RealDoors(http_for=lambda base_url: HttpxClient(base_url=base_url), environ=environ)
    return doors.channels(alerts, clock or system_clock())[0]


def tried(
    make: Callable[[str], Channel], answers: list[Answer], *alerts: Alert
) -> tuple[ServiceError | None, HttpServer]:
    """Deliver alerts to a server that gives these answers; return what went wrong, and it."""

    async def deliver() -> tuple[ServiceError | None, HttpServer]:
        async with HttpServer(answers) as server:
            channel = make(server.base_url)
            try:
                for alert in alerts or (ALERT,):
                    await channel.deliver(alert)
            except ServiceError as error:
                return error, server
            finally:
                await channel.close()
            return None, server

    return asyncio.run(deliver())
