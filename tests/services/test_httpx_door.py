"""The real client against a real server on loopback: what it sends, and how failures read."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable

import pytest
from loopback_server import (
    OK,
    Behavior,
    LoopbackServer,
    a_request,
    exchange,
    hangs,
    keeps_alive,
    reset_on_close,
    sends,
    serving,
)

from callagent_cli.services.http import (
    BrokenAnswer,
    NoAnswer,
    NotSent,
    Request,
    Response,
    TransportError,
)
from callagent_cli.services.httpx_client import ANSWER_BYTES_MAX, HttpxClient

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def met(
    behave: Callable[[LoopbackServer], Behavior], request: Request | None = None
) -> tuple[Response | TransportError, LoopbackServer]:
    """Run one exchange with a server that behaves like this."""

    async def scene() -> tuple[Response | TransportError, LoopbackServer]:
        async with serving(behave) as server:
            return await exchange(server.url, request or a_request()), server

    return asyncio.run(scene())


def test_an_answer_is_read_to_its_end() -> None:
    """Status, lower-case headers and the whole body come back."""
    result, server = met(sends(OK), a_request("/a?b=c", body=b"hello"))

    assert isinstance(result, Response)
    assert (result.status, result.body) == (200, b"{}")
    assert result.headers["content-type"] == "application/json"
    assert server.heads[0].startswith(b"POST /a?b=c HTTP/1.1\r\n")
    assert server.heads[0].endswith(b"\r\n\r\nhello")


def test_headers_of_client_and_request_are_sent() -> None:
    """What holds for the service and what holds for the request both arrive."""

    async def scene() -> bytes:
        async with serving(keeps_alive()) as server:
            client = HttpxClient(base_url=server.url, headers={"user-agent": "callagent"})
            request = Request(
                target="t", method="GET", path="/", headers={"xi-api-key": "k"}, timeout_s=5
            )
            await client.send(request)
            await client.close()
            return server.heads[0].lower()

    head = asyncio.run(scene())

    assert b"user-agent: callagent" in head
    assert b"xi-api-key: k" in head


def test_a_path_in_the_base_address_is_kept() -> None:
    """A model behind `http://host/openai` is asked under that path."""

    async def scene() -> bytes:
        async with serving(keeps_alive()) as server:
            await exchange(f"{server.url}/openai", a_request("/v1/models"))
            return server.heads[0]

    assert asyncio.run(scene()).startswith(b"POST /openai/v1/models HTTP/1.1")


@pytest.mark.parametrize("status", [301, 307, 404, 429, 500, 503])
def test_every_status_is_an_answer_and_comes_after_one_request(status: int) -> None:
    """No redirect is followed and nothing is retried behind the Guard's back."""
    head = f"HTTP/1.1 {status} X\r\nLocation: /y\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"
    result, server = met(keeps_alive(head.encode()))

    assert isinstance(result, Response)
    assert result.status == status
    assert len(server.heads) == 1


def test_a_connection_is_used_again() -> None:
    """Two requests, one connection."""

    async def scene() -> LoopbackServer:
        async with serving(keeps_alive()) as server:
            client = HttpxClient(base_url=server.url)
            await client.send(a_request())
            await client.send(a_request())
            await client.close()
            return server

    server = asyncio.run(scene())

    assert (server.connections, len(server.heads)) == (1, 2)


def test_a_refused_port_is_not_sent() -> None:
    """Nobody listens: the request never left."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        result = asyncio.run(exchange(f"http://127.0.0.1:{taken.getsockname()[1]}", a_request()))

    assert isinstance(result, NotSent)


def test_an_unknown_name_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS has no such name: the request never left."""

    # In place of the resolver, which would ask beyond loopback.
    def nowhere(*_question: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    result = asyncio.run(exchange("http://provider.invalid", a_request()))

    assert isinstance(result, NotSent)


@pytest.mark.parametrize("base_url", ["http://" + "x" * 64 + ".invalid", "ftp://127.0.0.1", ""])
def test_an_impossible_address_is_not_sent(base_url: str) -> None:
    """What cannot even be looked up did not leave either."""
    assert isinstance(asyncio.run(exchange(base_url, a_request())), NotSent)


def test_a_key_that_no_header_can_hold_is_not_sent_and_not_shown() -> None:
    """A key with a line break is refused before anything is sent, and not quoted."""
    request = Request(target="t", method="GET", path="/", headers={"x": "se\ncret"}, timeout_s=5)
    result, server = met(keeps_alive(), request)

    assert isinstance(result, NotSent)
    assert "cret" not in result.message
    assert server.heads == []


@pytest.mark.parametrize("answer", [b"garbage\r\n\r\n", OK])
def test_tls_that_fails_is_not_sent(answer: bytes) -> None:
    """A server that speaks no TLS never sees the request."""

    def plain(_server: LoopbackServer) -> Behavior:
        async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            writer.write(answer)
            await writer.drain()

        return behave

    async def scene() -> Response | TransportError:
        async with serving(plain) as server:
            return await exchange(f"https://127.0.0.1:{server.port}", a_request())

    assert isinstance(asyncio.run(scene()), NotSent)


def test_time_over_before_the_connection_stood_is_not_sent() -> None:
    """The handshake hangs: not a byte of the request was written, and no socket is left behind."""

    async def scene() -> tuple[Response | TransportError, bytes]:
        ended: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        def handshake(_server: LoopbackServer) -> Behavior:
            async def behave(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
                ended.set_result(await reader.read())

            return behave

        async with serving(handshake) as server:
            address = f"https://127.0.0.1:{server.port}"
            result = await exchange(address, a_request(timeout_s=0.2))
            return result, await ended

    result, seen = asyncio.run(scene())

    assert isinstance(result, NotSent)
    assert b"POST" not in seen


def test_time_over_after_sending_is_no_answer() -> None:
    """The server has the request and says nothing."""
    result, server = met(hangs, a_request(timeout_s=0.2))

    assert isinstance(result, NoAnswer)
    assert server.arrived.is_set()


def test_time_over_while_the_body_is_written_is_no_answer() -> None:
    """A server that stops reading may have seen enough to act."""

    def deaf(server: LoopbackServer) -> Behavior:
        async def behave(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.Event().wait()

        return behave

    result, _ = met(deaf, a_request(timeout_s=1.0, body=b"x" * 30_000_000))

    assert isinstance(result, NoAnswer)


def test_a_drip_does_not_outlast_the_total_time() -> None:
    """A byte now and then keeps no request alive: its time is counted from its start."""

    def drips(server: LoopbackServer) -> Behavior:
        async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await server.request(reader)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.01)

        return behave

    result, _ = met(drips, a_request(timeout_s=0.3))

    assert isinstance(result, NoAnswer)


BROKEN = {
    "closed before a word": sends(),
    "reset before a word": sends(reset=True),
    "not HTTP": sends(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "binary": sends(bytes(range(256)) * 8),
    "half a status line": sends(b"HTTP/1.1 20"),
    "closed within the headers": sends(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "truncated body": sends(HEAD + b"abc"),
    "reset within the body": sends(HEAD, b"abc", reset=True),
    "truncated chunks": sends(CHUNKED + b"5\r\nab"),
    "no last chunk": sends(CHUNKED + b"2\r\nab\r\n"),
    "bad chunk size": sends(CHUNKED + b"zz\r\nab\r\n"),
    "two lengths": sends(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
    "not gzip": sends(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd"
    ),
    "endless headers": sends(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 50_000),
    "too long": sends(
        b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n", b"x" * (ANSWER_BYTES_MAX + 1)
    ),
}


@pytest.mark.parametrize("behave", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_answer_is_broken_and_asked_for_once(
    behave: Callable[[LoopbackServer], Behavior],
) -> None:
    """The request was there, its answer is not: nothing is concluded and nothing sent again."""
    result, server = met(behave)

    assert isinstance(result, BrokenAnswer)
    assert len(server.heads) == 1


def test_the_longest_answer_is_still_read() -> None:
    """The limit is a limit, not one byte less."""
    length = f"HTTP/1.1 200 OK\r\nContent-Length: {ANSWER_BYTES_MAX}\r\n\r\n".encode()
    result, _ = met(sends(length, b"x" * ANSWER_BYTES_MAX))

    assert isinstance(result, Response)
    assert len(result.body) == ANSWER_BYTES_MAX


def test_a_kept_connection_that_dies_is_a_broken_answer() -> None:
    """A reset instead of a second answer may come after the work: no silent second request."""

    def once(server: LoopbackServer) -> Behavior:
        async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await server.request(reader)
            writer.write(OK)
            await writer.drain()
            await server.request(reader)
            reset_on_close(writer)

        return behave

    async def scene() -> LoopbackServer:
        async with serving(once) as server:
            client = HttpxClient(base_url=server.url)
            await client.send(a_request())
            with pytest.raises(BrokenAnswer):
                await client.send(a_request())
            await client.close()
            return server

    server = asyncio.run(scene())

    assert (server.connections, len(server.heads)) == (1, 2)


def test_a_cancelled_request_stays_cancelled() -> None:
    """Cancelling is the worker's act, not the transport's failure; the client works on."""

    async def scene() -> Response:
        async with serving(hangs) as silent, serving(keeps_alive()) as server:
            client = HttpxClient(base_url=silent.url)
            task = asyncio.create_task(client.send(a_request()))
            await silent.arrived.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await client.close()
            other = HttpxClient(base_url=server.url)
            response = await other.send(a_request())
            await other.close()
            return response

    assert asyncio.run(scene()).status == 200


def test_a_closed_client_sends_nothing() -> None:
    """After the end there is no way out."""

    async def scene() -> None:
        client = HttpxClient(base_url="http://127.0.0.1:1")
        await client.close()
        with pytest.raises(NotSent):
            await client.send(a_request())

    asyncio.run(scene())


def test_loopback_is_reached_past_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A company's proxy does not stand between the worker and its own sandbox."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    result, _ = met(keeps_alive())

    assert isinstance(result, Response)


def test_many_requests_at_once_each_get_their_own_answer() -> None:
    """No hidden limit makes a slot wait for another one."""

    async def scene() -> tuple[int, int]:
        async with serving(keeps_alive()) as server:
            client = HttpxClient(base_url=server.url)
            work: list[Awaitable[Response]] = [client.send(a_request()) for _ in range(120)]
            responses = await asyncio.gather(*work)
            await client.close()
            return len(responses), len(server.heads)

    assert asyncio.run(scene()) == (120, 120)


def test_importing_the_client_is_cheap() -> None:
    """`callagent --help` does not pay for httpx2."""
    code = "import sys, callagent_cli.services.httpx_client; print('httpx2' in sys.modules)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    assert printed.stdout.strip() == b"False"


def test_a_request_shows_neither_key_nor_number() -> None:
    """A crash report that prints a request prints no secret of it."""
    request = Request(
        target="t", method="POST", path="/", headers={"k": "secret"}, body=b"+1212", timeout_s=1
    )

    assert "secret" not in repr(request)
    assert "1212" not in repr(request)
