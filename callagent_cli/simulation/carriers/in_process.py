"""The carrier without a wire: `Http` straight onto a twin, on any event loop, virtual or real."""

import asyncio
from collections.abc import Mapping
from typing import Final, NoReturn

from callagent_cli.clock import Clock
from callagent_cli.services.http import BrokenAnswer, NoAnswer, NotSent, Request, Response
from callagent_cli.simulation.carriers.action import WireAction
from callagent_cli.simulation.carriers.desk import Decided, Desk
from callagent_cli.simulation.twins.twin import TwinRequest

_BROKEN: Final[dict[str, str]] = {
    "reset": "connection reset by peer",
    "truncate": "the answer ended before its body was complete",
    "garbage": "the answer is not HTTP",
    "empty": "the connection was closed without an answer",
    "stale_keepalive": "the connection was closed without an answer",
}


class InProcessHttp:
    """Hands requests to a twin's desk and plays what it decides in the loop's own time.

    What takes longer than the request's timeout ends exactly then. `headers` go with every
    request. Raises what the real client would: `NotSent`, `NoAnswer`, `BrokenAnswer`.
    """

    def __init__(
        self, desk: Desk, clock: Clock, *, headers: Mapping[str, str] | None = None
    ) -> None:
        self._desk = desk
        self._clock = clock
        self._headers = {name.lower(): value for name, value in (headers or {}).items()}
        self._last_headers: Mapping[str, str] = {}
        self._lowered = self._headers
        self._is_connected = False
        self._is_closed = False

    async def send(self, request: Request) -> Response:
        """Return the answer, whatever its status."""
        if self._is_closed:
            raise NotSent("the client is closed")
        if request.headers is not self._last_headers:  # Most requests of a service have the same.
            self._last_headers = request.headers
            self._lowered = {
                **self._headers,
                **{name.lower(): value for name, value in request.headers.items()},
            }
        decided = self._desk.receive(
            TwinRequest.parse(request.method, request.path, self._lowered, request.body),
            self._clock.utc(),
            target=request.target,
            is_reused=self._is_connected and not request.alone,
        )
        answered = False
        try:
            response = await _played(decided, request.timeout_s)
            answered = True
        finally:
            # A request that is alone has a connection to itself, and leaves the others as they are.
            if not request.alone:
                self._is_connected = answered
        return response

    async def close(self) -> None:
        """Let no further request through."""
        self._is_closed = True


async def _played(decided: Decided, timeout_s: float) -> Response:
    action = decided.action
    if action.never_leaves:
        await _fail_to_connect(action, timeout_s)
    after_s = decided.after_s + _drip_s(decided)
    if action.kind == "hang" or after_s >= timeout_s:
        await asyncio.sleep(timeout_s)
        raise NoAnswer(f"no answer within {timeout_s:g} s")
    await asyncio.sleep(after_s)
    broken = _BROKEN.get(action.kind)
    if broken is not None:
        raise BrokenAnswer(broken)
    sent = decided.sent
    return Response(sent.status, sent.headers, sent.body)


async def _fail_to_connect(action: WireAction, timeout_s: float) -> NoReturn:
    if action.kind == "blackhole" or action.delay_s >= timeout_s:
        await asyncio.sleep(timeout_s)
        raise NotSent(f"not connected within {timeout_s:g} s")
    await asyncio.sleep(action.delay_s)
    if action.kind == "dns":
        raise NotSent("could not connect: name or service not known")
    raise NotSent("could not connect: connection refused")


def _drip_s(decided: Decided) -> float:
    action = decided.action
    if action.kind != "drip":
        return 0.0
    pieces = -(-len(decided.sent.body) // max(1, action.drip_bytes))
    return pieces * action.drip_every_s
