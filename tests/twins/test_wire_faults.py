"""Each fault of the wire carrier as a raw client sees it."""

import asyncio

import msgspec
import pytest
from twin_helpers import NOON, always
from wire_helpers import (
    DIAL,
    GET_LIVE_COUNT,
    WatchedLedger,
    connect,
    hang_up,
    one_answer,
    read_to_the_end,
    wire,
)

from callagent_cli.simulation.carriers.action import WireAction
from callagent_cli.simulation.twins.ledger import Ledger
from callagent_cli.simulation.twins.personality import Ending
from callagent_cli.simulation.twins.roster import Roster


def play(*actions: WireAction) -> bytes:
    """Return everything that a client reads after one request."""

    async def scenario() -> bytes:
        async with wire(*actions) as server:
            return await read_to_the_end(server.urls["elevenlabs"])

    return asyncio.run(scenario())


def test_an_answer_is_replaced_status_headers_and_body() -> None:
    """The client gets exactly what the fault says, and the connection lives on."""
    action = WireAction(
        kind="answer", status=503, headers={"retry-after": "7"}, body=b'{"detail": "down"}'
    )

    async def scenario() -> list[tuple[bytes, bytes]]:
        async with wire(action) as server:
            reader, writer = await connect(server.urls["elevenlabs"])
            answers = []
            for _ in range(2):
                writer.write(GET_LIVE_COUNT)
                answers.append(await one_answer(reader))
            await hang_up(writer)
            return answers

    (head, body), (next_head, next_body) = asyncio.run(scenario())
    assert head.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: 7\r\n" in head.lower()
    assert body == b'{"detail": "down"}'
    assert next_head.startswith(b"HTTP/1.1 200 ")
    assert next_body == b'{"count":0}'


def test_a_reset_before_the_answer_is_a_real_reset() -> None:
    """The client gets RST and not a byte."""
    with pytest.raises(ConnectionResetError):
        play(WireAction(kind="reset"))


def test_a_reset_in_the_body_comes_after_the_head() -> None:
    """The head and a part of the body arrive, then RST."""

    async def scenario() -> None:
        async with wire(WireAction(kind="reset", mid_body=True)) as server:
            reader, writer = await connect(server.urls["elevenlabs"])
            writer.write(GET_LIVE_COUNT)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
            with pytest.raises(ConnectionResetError):
                await reader.readexactly(100)
            await hang_up(writer)

    asyncio.run(scenario())


def test_a_body_is_cut_short_of_its_content_length() -> None:
    """The head promises more bytes than come before the farewell."""
    head, _, body = play(WireAction(kind="truncate")).partition(b"\r\n\r\n")

    promised = int(head.split(b"content-length: ")[1])
    assert 0 < len(body) < promised


def test_a_chunked_body_is_cut_inside_its_chunk() -> None:
    """The chunk is shorter than its size says, and no last chunk comes."""
    received = play(WireAction(kind="truncate", framing="chunked"))
    head, _, rest = received.partition(b"\r\n\r\n")
    size, _, chunk = rest.partition(b"\r\n")

    assert b"transfer-encoding: chunked" in head
    assert 0 < len(chunk) < int(size, 16)


def test_garbage_is_not_http() -> None:
    """What comes does not begin like an HTTP answer."""
    received = play(WireAction(kind="garbage"))

    assert received
    assert not received.startswith(b"HTTP")


def test_an_empty_reply_is_a_farewell_without_a_byte() -> None:
    """The connection is closed, not reset, before anything is said."""
    assert play(WireAction(kind="empty")) == b""


def test_a_stale_connection_dies_under_its_second_request() -> None:
    """A fresh connection is served; the next request on it meets a closed one."""
    stale = WireAction(kind="stale_keepalive")

    async def scenario() -> tuple[bytes, bytes]:
        async with wire(stale, stale) as server:
            reader, writer = await connect(server.urls["elevenlabs"])
            writer.write(GET_LIVE_COUNT)
            head, _ = await one_answer(reader)
            writer.write(GET_LIVE_COUNT)
            rest = await reader.read()
            await hang_up(writer)
            return head, rest

    head, rest = asyncio.run(scenario())
    assert head.startswith(b"HTTP/1.1 200 ")
    assert rest == b""


def test_a_dripped_body_comes_in_pieces() -> None:
    """Each piece has the size that was asked for, and together they are the whole answer."""

    async def scenario() -> list[bytes]:
        action = WireAction(kind="drip", drip_bytes=4, drip_every_s=0.03)
        async with wire(action) as server:
            reader, writer = await connect(server.urls["elevenlabs"])
            writer.write(GET_LIVE_COUNT)
            await reader.readuntil(b"\r\n\r\n")
            pieces = [await reader.read(100) for _ in range(3)]
            await hang_up(writer)
            return pieces

    assert asyncio.run(scenario()) == [b'{"co', b'unt"', b":0}"]


def test_a_hung_request_is_never_answered_and_ends_with_its_client() -> None:
    """Nothing comes while the client waits; once it leaves the server has forgotten it."""

    async def scenario() -> None:
        async with wire(WireAction(kind="hang")) as server:
            reader, writer = await connect(server.urls["elevenlabs"])
            writer.write(GET_LIVE_COUNT)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.read(1), 0.05)
            await hang_up(writer)

            port = server._ports["elevenlabs"]
            await asyncio.wait_for(port._is_empty.wait(), 5)

    asyncio.run(scenario())


def test_a_server_closes_under_a_hung_request() -> None:
    """Closing drops whoever still waits, without a warning."""

    async def scenario() -> bytes:
        async with wire(WireAction(kind="hang")) as server:
            reader, writer = await connect(server.urls["elevenlabs"])
            writer.write(GET_LIVE_COUNT)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.read(1), 0.05)
        rest = await reader.read()
        await hang_up(writer)
        return rest

    assert asyncio.run(scenario()) == b""


def test_a_delay_comes_before_the_answer() -> None:
    """The answer is whole, and not there before its delay is over."""

    async def scenario() -> float:
        async with wire(WireAction(delay_s=0.08)) as server:
            loop = asyncio.get_running_loop()
            reader, writer = await connect(server.urls["elevenlabs"])
            begun = loop.time()
            writer.write(GET_LIVE_COUNT)
            await one_answer(reader)
            await hang_up(writer)
            return loop.time() - begun

    assert asyncio.run(scenario()) >= 0.08


@pytest.mark.parametrize("kind", ["refuse", "dns", "blackhole"])
def test_a_request_that_was_read_cannot_be_unsent(kind: str) -> None:
    """On the wire, what should never have left is at least reset."""
    action = msgspec.convert({"kind": kind}, WireAction)

    with pytest.raises(ConnectionResetError):
        play(action)


@pytest.mark.parametrize("applied", [True, False])
@pytest.mark.parametrize("kind", ["answer", "reset", "empty", "truncate", "garbage"])
def test_a_phone_rings_behind_an_error_only_if_the_fault_says_so(kind: str, applied: bool) -> None:
    """`applied` decides whether the provider did the work; the ledger tells the truth."""
    action = msgspec.convert({"kind": kind, "applied": applied}, WireAction)
    ledger = Ledger()

    async def scenario() -> None:
        async with wire(action, ledger=ledger) as server:
            reader, writer = await connect(server.urls["elevenlabs"])
            writer.write(DIAL)
            try:
                await reader.read(10)
            except ConnectionResetError:
                assert kind == "reset"
            await hang_up(writer)

    asyncio.run(scenario())
    (request,) = ledger.requests()
    assert len(ledger.placed()) == applied
    assert (request.effect, request.fault) == (applied, kind)
    assert request.status == (503 if kind == "answer" else 0)
    assert (request.target, request.call_id) == ("elevenlabs.dial", "call_1")


def test_an_effect_happens_although_the_client_leaves_at_once() -> None:
    """A dial that was sent rings, even if nobody waits for its answer."""
    roster = Roster(personality=always(Ending.BUSY))

    async def scenario() -> Ledger:
        ledger = WatchedLedger()
        async with wire(ledger=ledger, roster=roster) as server:
            _, writer = await connect(server.urls["elevenlabs"])
            writer.write(DIAL)
            await hang_up(writer)
            port = server._ports["elevenlabs"]
            await ledger.until(1)
            await asyncio.wait_for(port._is_empty.wait(), 5)
            return ledger

    assert [placed.at for placed in asyncio.run(scenario()).placed()] == [NOON]
