"""The wire carrier without faults: keep-alive, ports, loopback, and what it logs."""

import asyncio
import contextlib
import errno
import logging
import os
import socket

import pytest
from twin_helpers import ANA, NOON
from wire_helpers import (
    DIAL,
    GET_LIVE_COUNT,
    WatchedLedger,
    connect,
    desks,
    hang_up,
    one_answer,
    read_to_the_end,
    wire,
)

from callagent_cli.errors import UsageError
from callagent_cli.simulation.carriers.action import PASS, WireAction
from callagent_cli.simulation.carriers.desk import Desk
from callagent_cli.simulation.twins.keys import ELEVENLABS_KEY
from callagent_cli.simulation.twins.ledger import Ledger
from callagent_cli.simulation.twins.twin import Facts, TwinAnswer, TwinRequest
from callagent_cli.simulation.wire.server import WireServer


def test_every_service_has_an_address_of_its_own() -> None:
    """Each service listens on its own port of loopback."""

    async def scenario() -> dict[str, str]:
        async with wire() as server:
            return server.urls

    urls = asyncio.run(scenario())
    assert set(urls) == {"elevenlabs", "llm", "crm", "llm_fallback"}
    assert len(set(urls.values())) == 4
    assert all(url.startswith("http://127.0.0.1:") for url in urls.values())


def test_a_connection_carries_many_requests_even_sent_at_once() -> None:
    """Keep-alive and pipelining: every request is answered in its order."""

    async def scenario() -> list[bytes]:
        async with wire() as server:
            reader, writer = await connect(server.urls["elevenlabs"])
            writer.write(GET_LIVE_COUNT * 5)
            bodies = [(await one_answer(reader))[1] for _ in range(5)]
            await hang_up(writer)
            return bodies

    assert asyncio.run(scenario()) == [b'{"count":0}'] * 5


def test_a_request_may_come_in_small_pieces() -> None:
    """A request is taken up only when its body is complete."""

    async def scenario() -> bytes:
        async with wire() as server:
            reader, writer = await connect(server.urls["elevenlabs"])
            for start in range(0, len(DIAL), 50):
                writer.write(DIAL[start : start + 50])
                await writer.drain()
                await asyncio.sleep(0)
            _, body = await one_answer(reader)
            await hang_up(writer)
            return body

    assert b'"success":true' in asyncio.run(scenario())


def test_a_client_that_asks_for_it_is_closed_after_its_answer() -> None:
    """`connection: close` is honored."""
    request = GET_LIVE_COUNT.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")

    async def scenario() -> bytes:
        async with wire() as server:
            return await read_to_the_end(server.urls["elevenlabs"], request)

    received = asyncio.run(scenario())
    assert received.startswith(b"HTTP/1.1 200 ")
    assert received.endswith(b'{"count":0}')


def test_nonsense_is_a_bad_request() -> None:
    """What is not HTTP is refused and the connection closed."""

    async def scenario() -> bytes:
        async with wire() as server:
            return await read_to_the_end(server.urls["elevenlabs"], b"hello there\r\n\r\n")

    assert asyncio.run(scenario()).startswith(b"HTTP/1.1 400 ")


def test_a_refused_service_keeps_its_port_and_comes_back_on_it() -> None:
    """Connecting fails at once for this service only; the address stays the same."""

    async def scenario() -> None:
        async with wire() as server:
            urls = server.urls
            server.refuse("elevenlabs")
            with pytest.raises(ConnectionRefusedError):
                await connect(urls["elevenlabs"])
            assert server.door("elevenlabs") == "refused"
            assert await read_to_the_end(urls["crm"], b"nonsense\r\n\r\n")

            await server.open("elevenlabs")
            assert server.urls == urls
            reader, writer = await connect(urls["elevenlabs"])
            writer.write(GET_LIVE_COUNT)
            assert (await one_answer(reader))[1] == b'{"count":0}'
            await hang_up(writer)

    asyncio.run(scenario())


def test_refusing_ends_idle_connections_and_lets_an_answer_out() -> None:
    """An idle connection is closed; one that waits for its answer gets it first."""

    async def scenario() -> None:
        ledger = WatchedLedger()
        async with wire(PASS, WireAction(delay_s=0.05), ledger=ledger) as server:
            idle_reader, idle_writer = await connect(server.urls["elevenlabs"])
            idle_writer.write(GET_LIVE_COUNT)
            await one_answer(idle_reader)
            reader, writer = await connect(server.urls["elevenlabs"])
            writer.write(GET_LIVE_COUNT)
            await ledger.until(2)

            server.refuse("elevenlabs")
            assert await idle_reader.read() == b""
            assert (await reader.read()).endswith(b'{"count":0}')
            await hang_up(idle_writer)
            await hang_up(writer)

    asyncio.run(scenario())


def test_a_black_hole_neither_connects_nor_refuses() -> None:
    """Connecting hangs until the client gives up; afterwards the port works again."""

    async def scenario() -> None:
        async with wire() as server:
            url = server.urls["elevenlabs"]
            server.swallow("elevenlabs")
            server.swallow("elevenlabs")
            assert server.door("elevenlabs") == "blackhole"
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(connect(url), 0.15)
            server.refuse("elevenlabs")
            with pytest.raises(ConnectionRefusedError):
                await connect(url)
            await server.open("elevenlabs")
            await server.open("elevenlabs")
            assert (await read_to_the_end(url, b"x\r\n\r\n")).startswith(b"HTTP/1.1 400")

    asyncio.run(scenario())


@pytest.mark.parametrize("host", ["::", "192.0.2.1", "", "0", "localhost", "127.0.0.2"])
def test_only_loopback_can_be_bound(host: str) -> None:
    """Any address but this machine's own is refused before a socket is made."""

    async def scenario() -> None:
        async with WireServer(desks(Ledger()), lambda: NOON, host=host):
            pass

    with pytest.raises(UsageError, match="loopback"):
        asyncio.run(scenario())


def test_loopback_of_the_newer_protocol_can_be_bound() -> None:
    """`::1` works where the machine has it."""
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")

    async def scenario() -> bytes:
        async with WireServer(desks(Ledger()), lambda: NOON, host="::1") as server:
            return await read_to_the_end(server.urls["elevenlabs"], b"x\r\n\r\n")

    assert asyncio.run(scenario()).startswith(b"HTTP/1.1 400")


def first_of_four_free_ports() -> int:
    """Return a port that, like the three after it, nobody uses and the kernel does not hand out."""
    start = 20_000 + os.getpid() % 1_000 * 8
    for port in range(start, start + 4_000, 4):
        with contextlib.ExitStack() as held:
            try:
                for each in range(port, port + 4):
                    held.enter_context(socket.socket()).bind(("127.0.0.1", each))
            except OSError:
                continue
        return port
    raise AssertionError("no four free ports")


@pytest.mark.parametrize("offset", range(4))
def test_a_taken_port_is_refused_with_a_hint(offset: int) -> None:
    """A taken port is a usage error; the ports before it are given back."""
    port = first_of_four_free_ports()

    async def scenario() -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", port + offset))
            other.listen()
            with pytest.raises(UsageError, match=str(port + offset)) as raised:
                await WireServer(desks(Ledger()), lambda: NOON, port=port).__aenter__()
            assert raised.value.hint
        async with WireServer(desks(Ledger()), lambda: NOON, port=port):
            pass

    asyncio.run(scenario())


def test_two_servers_never_share_a_port() -> None:
    """The second server on a port is refused instead of taking half of the requests."""
    port = first_of_four_free_ports()

    async def scenario() -> None:
        async with WireServer(desks(Ledger()), lambda: NOON, port=port):
            with pytest.raises(UsageError, match=str(port)):
                await WireServer(desks(Ledger()), lambda: NOON, port=port).__aenter__()

    asyncio.run(scenario())


def test_given_a_port_the_services_follow_on_the_next_ones() -> None:
    """The first service has the named port, the others those after it, again and again."""
    port = first_of_four_free_ports()

    async def scenario() -> list[int]:
        async with WireServer(desks(Ledger()), lambda: NOON, port=port) as server:
            return [int(url.rpartition(":")[2]) for url in server.urls.values()]

    assert asyncio.run(scenario()) == [port, port + 1, port + 2, port + 3]
    assert asyncio.run(scenario()) == [port, port + 1, port + 2, port + 3]


def test_logs_name_the_route_but_no_key_and_no_number(caplog: pytest.LogCaptureFixture) -> None:
    """With every logger at its most talkative, neither secret nor number nor id appears."""
    caplog.set_level(logging.DEBUG)

    async def scenario() -> str:
        async with wire() as server:
            reader, writer = await connect(server.urls["elevenlabs"])
            writer.write(DIAL)
            _, body = await one_answer(reader)
            conversation = body.split(b'"conversation_id":"')[1].split(b'"')[0].decode()
            path = f"/v1/convai/conversations/{conversation}"
            writer.write(GET_LIVE_COUNT.replace(b"/v1/convai/analytics/live-count", path.encode()))
            await one_answer(reader)
            await hang_up(writer)
            return conversation

    conversation = asyncio.run(scenario())
    assert "elevenlabs POST /v1/convai/twilio/outbound-call pass" in caplog.text
    assert "elevenlabs GET /v1/convai/conversations/{id} pass" in caplog.text
    for secret in (ELEVENLABS_KEY, ANA, ANA[1:], conversation, "call_1"):
        assert secret not in caplog.text


class _Broken:
    """A twin with a bug."""

    service = "elevenlabs"

    def describe(self, request: TwinRequest) -> Facts:
        """Fail."""
        raise ArithmeticError(request.path)

    def handle(self, request: TwinRequest, at: float, facts: Facts | None = None) -> TwinAnswer:
        """Fail."""
        raise ArithmeticError(request.path, at, facts)


def test_a_bug_in_a_twin_is_reported_and_drops_the_connection() -> None:
    """The loop's exception handler hears of it; the client is not left waiting."""
    reported: list[object] = []

    async def scenario() -> bytes:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: reported.append(context["exception"]))
        async with WireServer({"elevenlabs": Desk(_Broken(), Ledger())}, lambda: NOON) as server:
            return await read_to_the_end(server.urls["elevenlabs"])

    assert asyncio.run(scenario()) == b""
    assert [type(error) for error in reported] == [ArithmeticError]


class _FullDisk(Ledger):
    """A ledger that cannot write."""

    async def durable(self) -> None:
        """Fail as a full disk does."""
        raise OSError(errno.ENOSPC, "no space left on device")


def test_no_answer_leaves_before_its_effect_is_on_disk() -> None:
    """A ledger that cannot write keeps the answer back; the client is cut off instead."""
    reported: list[object] = []

    async def scenario() -> bytes:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: reported.append(context["exception"]))
        async with wire(ledger=_FullDisk()) as server:
            return await read_to_the_end(server.urls["elevenlabs"], DIAL)

    assert asyncio.run(scenario()) == b""
    assert [type(error) for error in reported] == [OSError]
