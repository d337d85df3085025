"""One connection of the wire carrier: HTTP/1.1 in, answers or played faults out."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

import h11

from callagent_cli.errors import StoreError
from callagent_cli.simulation.carriers.desk import Decided, Desk
from callagent_cli.simulation.twins.twin import TwinRequest
from callagent_cli.simulation.wire.playing import play

_logger = logging.getLogger("callagent.sandbox")
_HEAD_BYTES_MAX: Final = 64 * 1024


class Connection(asyncio.Protocol):
    """Reads requests one after the other and lets the desk decide what becomes of each.

    `utc` gives the instant of a request; `forget` is called once the connection is gone.
    """

    transport: asyncio.Transport

    def __init__(
        self, desk: Desk, utc: Callable[[], float], forget: Callable[["Connection"], None]
    ) -> None:
        self.http = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEAD_BYTES_MAX)
        self._desk = desk
        self._utc = utc
        self._forget = forget
        self._head: h11.Request | None = None
        self._body = bytearray()
        self._served = 0
        self._exchange: asyncio.Task[None] | None = None
        self._closes_when_idle = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the transport."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 — tells mypy what TCP gives.
        self.transport = transport

    def connection_lost(self, _exc: Exception | None) -> None:
        """Stop answering whoever has left."""
        if self._exchange is not None:
            self._exchange.cancel()
        self._forget(self)

    def data_received(self, data: bytes) -> None:
        """Take bytes in."""
        self.http.receive_data(data)
        self._advance()

    def close_when_idle(self) -> None:
        """Close at once, or as soon as the answer under way is out."""
        self._closes_when_idle = True
        if self._exchange is None:
            self.transport.close()

    def abort(self) -> None:
        """Drop the connection and whatever is under way."""
        self.transport.abort()

    def _advance(self) -> None:
        while self._exchange is None and not self.transport.is_closing():
            try:
                event = self.http.next_event()
            except h11.RemoteProtocolError:
                self._refuse_nonsense()
                return
            if event is h11.NEED_DATA or event is h11.PAUSED:
                return
            if isinstance(event, h11.Request):
                self._head = event
                self._body.clear()
            elif isinstance(event, h11.Data):
                self._body += event.data
            elif isinstance(event, h11.EndOfMessage):
                self._begin()

    def _refuse_nonsense(self) -> None:
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
        self.transport.close()

    def _begin(self) -> None:
        head = self._head
        assert head is not None  # noqa: S101 — h11 gives the head before the end.
        headers = {name.decode("ascii"): value.decode("latin-1") for name, value in head.headers}
        request = TwinRequest.parse(
            head.method.decode("ascii"), head.target.decode("ascii"), headers, bytes(self._body)
        )
        # The effect happens here and now, even if the client is gone a moment later.
        decided = self._desk.receive(request, self._utc(), is_reused=self._served > 0)
        self._served += 1
        # No path, header or body here: they hold keys and phone numbers.
        _logger.debug(
            "%s %s %s %s",
            self._desk.service,
            request.method,
            decided.facts.route,
            decided.action.kind,
        )
        loop = asyncio.get_running_loop()
        self._exchange = loop.create_task(self._answer(decided))
        self._exchange.add_done_callback(self._ended)

    async def _answer(self, decided: Decided) -> None:
        await self._desk.ledger.durable()
        if decided.after_s > 0:
            await asyncio.sleep(decided.after_s)
        await play(decided, self.http, self.transport)

    def _ended(self, exchange: asyncio.Task[None]) -> None:
        self._exchange = None
        if exchange.cancelled():
            return
        error = exchange.exception()
        if isinstance(error, StoreError):
            # What cannot be kept is not answered; whoever closes the ledger is told why.
            self.transport.abort()
        elif error is not None:
            self.transport.abort()
            context = {"message": f"the {self._desk.service} twin failed", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)
        elif self._closes_when_idle or self.http.our_state is not h11.DONE:
            self.transport.close()
        else:
            self.http.start_next_cycle()
            self._advance()
