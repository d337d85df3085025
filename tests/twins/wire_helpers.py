"""A server with faults of choice, a raw client, and a clock that stands still."""

import asyncio
from collections.abc import Iterator
from random import Random
from urllib.parse import urlsplit

import msgspec
from twin_helpers import NOON, dial_body

from callagent_cli.clock import Clock
from callagent_cli.simulation.carriers.action import PASS, WireAction
from callagent_cli.simulation.carriers.desk import Desk
from callagent_cli.simulation.twins.keys import ELEVENLABS_KEY
from callagent_cli.simulation.twins.ledger import Ledger, ReceivedRequest
from callagent_cli.simulation.twins.roster import Roster
from callagent_cli.simulation.twins.twin import Facts, TwinRequest
from callagent_cli.simulation.wire.server import WireServer

LIVE_COUNT = "/v1/convai/analytics/live-count"
GET_LIVE_COUNT = (
    f"GET {LIVE_COUNT} HTTP/1.1\r\nhost: twin\r\nxi-api-key: {ELEVENLABS_KEY}\r\n\r\n"
).encode()

DIAL_BODY = msgspec.json.encode(dial_body())
DIAL = (
    b"POST /v1/convai/twilio/outbound-call HTTP/1.1\r\nhost: twin\r\n"
    b"xi-api-key: sandbox-elevenlabs-key\r\n"
    b"content-length: %d\r\n\r\n%b" % (len(DIAL_BODY), DIAL_BODY)
)


class Scripted:
    """A fault hook that plays its actions one request after the other, then lets all pass."""

    def __init__(self, *actions: WireAction) -> None:
        self._actions: Iterator[WireAction] = iter(actions)
        self.targets: list[str] = []

    def decide(
        self,
        target: str,
        request: TwinRequest,  # noqa: ARG002 — the hook's signature.
        at: float,  # noqa: ARG002 — the hook's signature.
        *,
        facts: Facts,  # noqa: ARG002 — the hook's signature.
    ) -> WireAction:
        """Return the next action."""
        self.targets.append(target)
        return next(self._actions, PASS)


class WatchedLedger(Ledger):
    """A ledger that can be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self._noted = asyncio.Event()

    def record(self, request: ReceivedRequest) -> None:
        """Note a request and wake whoever waits."""
        super().record(request)
        self._noted.set()

    async def until(self, requests: int) -> None:
        """Return once so many requests were noted."""
        while self.next_sequence <= requests:
            self._noted.clear()
            await asyncio.wait_for(self._noted.wait(), 5)


def desks(
    ledger: Ledger, faults: Scripted | None = None, roster: Roster | None = None
) -> dict[str, Desk]:
    """Return the desks of all twins."""
    twins = (roster or Roster()).twins(ledger)
    return {service: Desk(twin, ledger, faults) for service, twin in twins.items()}


def wire(
    *actions: WireAction, ledger: Ledger | None = None, roster: Roster | None = None
) -> WireServer:
    """Return a server whose calendar stands still and that plays these faults."""
    made = desks(Ledger() if ledger is None else ledger, Scripted(*actions), roster)
    return WireServer(made, lambda: NOON)


def still_clock() -> Clock:
    """Return a clock whose calendar stands still."""
    return Clock(asyncio.get_running_loop().time, lambda: NOON, Random(7))


async def connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a raw connection."""
    address = urlsplit(url)
    return await asyncio.open_connection(address.hostname, address.port)


async def hang_up(writer: asyncio.StreamWriter) -> None:
    """Close a raw connection for good."""
    writer.close()
    try:
        await writer.wait_closed()
    except ConnectionError:
        return  # The other side was faster.


async def read_to_the_end(url: str, sent: bytes = GET_LIVE_COUNT) -> bytes:
    """Send bytes and return all that comes until the server closes; raises if it resets."""
    reader, writer = await connect(url)
    try:
        writer.write(sent)
        return await reader.read()
    finally:
        await hang_up(writer)


async def one_answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Return head and body of one whole answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    return head, await reader.readexactly(length)
