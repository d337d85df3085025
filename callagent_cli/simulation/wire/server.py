"""Serves the twins over HTTP/1.1 on loopback, one port a service."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Literal, Self

from callagent_cli.simulation.carriers.desk import Desk
from callagent_cli.simulation.wire.connection import Connection
from callagent_cli.simulation.wire.sockets import BACKLOG, BlackHole, bound_socket, require_free

Door = Literal["open", "refused", "blackhole"]


class Port:
    """One service's port; it is kept while nobody listens on it."""

    def __init__(self, desk: Desk, utc: Callable[[], float], *, host: str, port: int) -> None:
        self._desk = desk
        self._utc = utc
        self._host = host
        require_free(host, port)
        self._guard = bound_socket(host, port)
        self.number: int = self._guard.getsockname()[1]
        self._server: asyncio.Server | None = None
        self._black_hole: BlackHole | None = None
        self._connections: set[Connection] = set()
        self._is_empty = asyncio.Event()
        self.door: Door = "refused"

    @property
    def url(self) -> str:
        """The base address of the service."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self.number}"

    async def open(self) -> None:
        """Listen."""
        if self._server is None:
            self._close_black_hole()
            listener = bound_socket(self._host, self.number)
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(self._connect, sock=listener, backlog=BACKLOG)
            self.door = "open"

    def refuse(self) -> None:
        """Refuse connections; the present ones end with the answer under way."""
        self._stop_listening()
        self._close_black_hole()
        self.door = "refused"

    def swallow(self) -> None:
        """Let connecting hang; the present connections end with the answer under way."""
        self._stop_listening()
        if self._black_hole is None:
            self._black_hole = BlackHole(self._host, self.number)
        self.door = "blackhole"

    async def close(self) -> None:
        """Drop every connection and give the port back."""
        server = self._server
        self._stop_listening()
        self._close_black_hole()
        for connection in tuple(self._connections):
            connection.abort()
        if self._connections:
            # An aborted transport reports that it is gone in the next turn of the loop.
            await self._is_empty.wait()
        if server is not None:
            await server.wait_closed()
        self._guard.close()

    def _connect(self) -> Connection:
        connection = Connection(self._desk, self._utc, self._forget)
        self._connections.add(connection)
        self._is_empty.clear()
        return connection

    def _forget(self, connection: Connection) -> None:
        self._connections.discard(connection)
        if not self._connections:
            self._is_empty.set()

    def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in tuple(self._connections):
            connection.close_when_idle()

    def _close_black_hole(self) -> None:
        if self._black_hole is not None:
            self._black_hole.close()
            self._black_hole = None


class WireServer:
    """All services on loopback; an async context manager.

    `port` 0 takes any free ports, another one that and those after it. Binding anything but
    loopback raises `UsageError`, and so does a port that is taken.
    """

    def __init__(
        self,
        desks: Mapping[str, Desk],
        utc: Callable[[], float],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._desks = dict(desks)
        self._utc = utc
        self._host = host
        self._port = port
        self._ports: dict[str, Port] = {}

    @property
    def urls(self) -> dict[str, str]:
        """The base address of each service."""
        return {service: port.url for service, port in self._ports.items()}

    async def __aenter__(self) -> Self:
        try:
            for offset, (service, desk) in enumerate(self._desks.items()):
                number = self._port + offset if self._port else 0
                port = Port(desk, self._utc, host=self._host, port=number)
                self._ports[service] = port
                await port.open()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Drop every connection and give the ports back."""
        ports, self._ports = tuple(self._ports.values()), {}
        for port in ports:
            await port.close()

    def door(self, service: str) -> Door:
        """Return whether a service's port is open, refused or a black hole."""
        return self._ports[service].door

    async def open(self, service: str) -> None:
        """Let connections to a service in again."""
        await self._ports[service].open()

    def refuse(self, service: str) -> None:
        """Refuse connections to a service; its port is kept."""
        self._ports[service].refuse()

    def swallow(self, service: str) -> None:
        """Let connections to a service hang until the client gives up."""
        self._ports[service].swallow()
