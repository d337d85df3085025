"""Sends an answer over a connection, or breaks it in the way that a fault asks for."""

import asyncio
import socket
from typing import Final

import h11

from callagent_cli.simulation.carriers.desk import Decided
from callagent_cli.simulation.twins.twin import TwinAnswer
from callagent_cli.simulation.wire.sockets import reset_on_close

_GARBAGE: Final = b"\x16\x03\x01 this is not HTTP\r\n\r\n"
_MID_BODY_PAUSE_S: Final = 0.02
"""A reset overtakes what the client has not read yet; this lets the head arrive before it."""
_FILLER: Final = b'{"detail": "cut off in the middle of this sente'


async def play(decided: Decided, http: h11.Connection, transport: asyncio.Transport) -> None:
    """Send what was decided; the connection can be used again only if `http` says so."""
    action = decided.action
    match action.kind:
        case "pass" | "answer":
            transport.write(_whole(decided.sent, http))
        case "drip":
            await _drip(decided, http, transport)
        case "hang":
            await asyncio.get_running_loop().create_future()
        case "truncate":
            transport.write(_cut(decided.sent, action.framing))
            transport.close()
        case "garbage":
            transport.write(_GARBAGE)
            transport.close()
        case "empty" | "stale_keepalive":
            transport.close()
        case _:
            if action.mid_body:
                transport.write(_cut(decided.sent, "length"))
                await asyncio.sleep(_MID_BODY_PAUSE_S)
            _reset(transport)


def _head(answer: TwinAnswer) -> h11.Response:
    headers = [(name, value) for name, value in answer.headers.items()]
    headers.append(("content-length", str(len(answer.body))))
    return h11.Response(status_code=answer.status, headers=headers)


def _whole(answer: TwinAnswer, http: h11.Connection) -> bytes:
    parts = [http.send(_head(answer))]
    if answer.body:
        parts.append(http.send(h11.Data(data=answer.body)))
    parts.append(http.send(h11.EndOfMessage()))
    return b"".join(part for part in parts if part)


async def _drip(decided: Decided, http: h11.Connection, transport: asyncio.Transport) -> None:
    action, answer = decided.action, decided.sent
    transport.write(http.send(_head(answer)) or b"")
    size = max(1, action.drip_bytes)
    for start in range(0, len(answer.body), size):
        await asyncio.sleep(action.drip_every_s)
        piece = answer.body[start : start + size]
        transport.write(http.send(h11.Data(data=piece)) or b"")
    transport.write(http.send(h11.EndOfMessage()) or b"")


def _cut(answer: TwinAnswer, framing: str) -> bytes:
    """Return a head and the first half of a body, whose framing promises more."""
    body = answer.body if len(answer.body) > 1 else _FILLER
    half = body[: len(body) // 2]
    head = f"HTTP/1.1 {answer.status} \r\ncontent-type: application/json\r\n".encode()
    if framing == "chunked":
        return head + b"transfer-encoding: chunked\r\n\r\n%x\r\n%b" % (len(body), half)
    return head + b"content-length: %d\r\n\r\n%b" % (len(body), half)


def _reset(transport: asyncio.Transport) -> None:
    connection: socket.socket | None = transport.get_extra_info("socket")
    if connection is not None:
        reset_on_close(connection)
    transport.abort()
