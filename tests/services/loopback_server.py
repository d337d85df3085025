"""A server on loopback that does to its connections what a test tells it to."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from callagent_cli.services.http import Request, Response, TransportError
from callagent_cli.services.httpx_client import HttpxClient

Behavior = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class LoopbackServer:
    """Where it listens, and what came: one entry a connection and one a request."""

    def __init__(self) -> None:
        self.port = 0
        self.connections = 0
        self.heads: list[bytes] = []
        self.arrived = asyncio.Event()

    @property
    def url(self) -> str:
        """The base address."""
        return f"http://127.0.0.1:{self.port}"

    async def request(self, reader: asyncio.StreamReader) -> bytes:
        """Read one request's head and body; raises `IncompleteReadError` at the end."""
        head = await reader.readuntil(b"\r\n\r\n")
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                head += await reader.readexactly(int(value))
        self.heads.append(head)
        self.arrived.set()
        return head


@asynccontextmanager
async def serving(
    behave: Callable[[LoopbackServer], Behavior],
) -> AsyncIterator[LoopbackServer]:
    """Serve every connection with a behavior until the block ends."""
    server = LoopbackServer()
    behavior = behave(server)
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        try:
            await behavior(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # The client hung up, which ends this connection and nothing else.
        finally:
            writer.close()

    def start(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(connected(reader, writer)))

    listener = await asyncio.start_server(start, "127.0.0.1", 0, backlog=512)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await listener.wait_closed()


def sends(*chunks: bytes, reset: bool = False) -> Callable[[LoopbackServer], Behavior]:
    """Answer the first request with these bytes, then close the connection, or reset it."""

    def of(server: LoopbackServer) -> Behavior:
        async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await server.request(reader)
            for chunk in chunks:
                writer.write(chunk)
                await writer.drain()
            if reset:
                reset_on_close(writer)

        return behave

    return of


def keeps_alive(answer: bytes = OK) -> Callable[[LoopbackServer], Behavior]:
    """Answer every request of a connection."""

    def of(server: LoopbackServer) -> Behavior:
        async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                await server.request(reader)
                writer.write(answer)
                await writer.drain()

        return behave

    return of


def hangs(server: LoopbackServer) -> Behavior:
    """Read everything and never say a word."""

    async def behave(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            server.arrived.set()

    return behave


def reset_on_close(writer: asyncio.StreamWriter) -> None:
    """Make the next close send a reset instead of an orderly end."""
    raw: socket.socket = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def a_request(path: str = "/x", *, timeout_s: float = 5.0, body: bytes = b"") -> Request:
    """Return a request like those of the adapters."""
    return Request(
        target="elevenlabs.dial", method="POST", path=path, body=body, timeout_s=timeout_s
    )


async def exchange(base_url: str, request: Request) -> Response | TransportError:
    """Send one request with a client of its own; return the answer or what came instead."""
    client = HttpxClient(base_url=base_url)
    try:
        return await client.send(request)
    except TransportError as error:
        return error
    finally:
        await client.close()
