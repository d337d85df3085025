"""Everything that happened in a world, in order, so that it can be played again."""

from collections.abc import Iterator
from functools import reduce
from operator import or_
from struct import Struct
from types import GenericAlias
from typing import Any, Final

import msgspec

from callagent_cli.events import Event, ServiceEvent, Stamped
from callagent_cli.simulation.recording.spool import Spool
from callagent_cli.simulation.twins.ledger import PlacedCall, ReceivedRequest

_FRAME: Final = Struct("<cI")
_EVENT: Final = b"e"
_REQUEST: Final = b"r"
_PLACED: Final = b"p"

Happening = Stamped | ReceivedRequest | PlacedCall


def event_kinds(base: type[Event] = Event) -> dict[str, type[Event]]:
    """Return the classes of all events by their names in the log."""
    kinds = {} if base in {Event, ServiceEvent} else {str(base.__struct_config__.tag): base}
    for derived in base.__subclasses__():
        kinds |= event_kinds(derived)
    return kinds


def _stamped_shape() -> Any:  # noqa: ANN401 — a type that is made here.
    """Return `Stamped` with an event of any kind, as its decoder must know it."""
    event = reduce(or_, event_kinds().values())
    return GenericAlias(tuple, (float, float, int, str, str, event))


class Recording:
    """Takes what happens, and yields it again as often as it is asked to, until it is closed."""

    def __init__(self) -> None:
        self._spool = Spool()
        self._encode = msgspec.msgpack.Encoder().encode

    def hear(self, stamped: Stamped) -> None:
        """Take an event."""
        self._add(_EVENT, self._encode(stamped))

    def receive(self, request: ReceivedRequest) -> None:
        """Take a request that reached a twin."""
        self._add(_REQUEST, self._encode(request))

    def place(self, call: PlacedCall) -> None:
        """Take a phone that rings."""
        self._add(_PLACED, self._encode(call))

    def happenings(self) -> Iterator[Happening]:
        """Yield everything in the order in which it happened."""
        stamped = msgspec.msgpack.Decoder(_stamped_shape())
        request = msgspec.msgpack.Decoder(ReceivedRequest)
        placed = msgspec.msgpack.Decoder(PlacedCall)
        for kind, body in self._frames():
            if kind == _EVENT:
                yield Stamped(*stamped.decode(body))
            else:
                yield request.decode(body) if kind == _REQUEST else placed.decode(body)

    def events(self) -> Iterator[Stamped]:
        """Yield the events."""
        return (each for each in self.happenings() if isinstance(each, Stamped))

    def requests(self) -> Iterator[ReceivedRequest]:
        """Yield the requests that reached a twin."""
        return (each for each in self.happenings() if isinstance(each, ReceivedRequest))

    def close(self) -> None:
        """Forget everything."""
        self._spool.close()

    def _add(self, kind: bytes, body: bytes) -> None:
        self._spool.write(_FRAME.pack(kind, len(body)) + body)

    def _frames(self) -> Iterator[tuple[bytes, bytes]]:
        rest = b""
        for piece in self._spool.pieces():
            rest += piece
            start = 0
            while len(rest) - start >= _FRAME.size:
                kind, length = _FRAME.unpack_from(rest, start)
                end = start + _FRAME.size + length
                if end > len(rest):
                    break
                yield kind, rest[start + _FRAME.size : end]
                start = end
            rest = rest[start:]
