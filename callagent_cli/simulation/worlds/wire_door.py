"""Where a request leaves the worker of a wire world, and what strikes it is decided.

It is decided here as it is in virtual time: when the request is sent, by the first phase of the
file that strikes. Who may leave carries a ticket of what the twin's desk shall play.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from callagent_cli.services.http import Http, NotSent, Request, Response
from callagent_cli.simulation.carriers.action import PASS, WireAction
from callagent_cli.simulation.faults.engine import FaultEngine
from callagent_cli.simulation.twins.twin import Facts, TwinRequest

NOWHERE: Final = {"refuse": "refuses", "dns": "refuses", "blackhole": "swallows"}
"""Kinds of faults under which no request leaves, and what its dead end does to whoever connects."""

_TICKET: Final = "x-simulation-ticket"


class Tickets:
    """What was decided for requests that are on their way; the fault hook of the desks.

    A request without a ticket passes.
    """

    def __init__(self, faults: FaultEngine) -> None:
        self._faults = faults
        self._decided: dict[str, tuple[WireAction, tuple[str, str]]] = {}
        self._issued = 0

    def strike(self, target: str, at_s: float) -> WireAction | None:
        """Return what strikes a request that is sent at `at_s` seconds of the world."""
        return self._faults.strike(target, at_s)

    def issue(self, action: WireAction) -> str:
        """Return a ticket for what was decided last."""
        self._issued += 1
        ticket = str(self._issued)
        self._decided[ticket] = (action, self._faults.last_hit)
        return ticket

    def decide(self, target: str, request: TwinRequest, at: float, *, facts: Facts) -> WireAction:
        """Return what was decided when the request was sent."""
        del target, at, facts
        decided = self._decided.pop(request.headers.get(_TICKET, ""), None)
        if decided is None:
            return PASS
        action, self._faults.last_hit = decided
        return action

    def take_back(self) -> None:
        """Count the strike that was decided upon last no longer."""
        self._faults.take_back()


class WireDoor:
    """Sends a request over the wire, or to a dead end: then no twin hears of it.

    `now_s` is the time of the world; `nowhere` holds clients whose requests never arrive.
    """

    def __init__(
        self,
        door: Http,
        tickets: Tickets,
        now_s: Callable[[], float],
        *,
        nowhere: Mapping[str, Http],
    ) -> None:
        self._door = door
        self._tickets = tickets
        self._now_s = now_s
        self._nowhere = nowhere

    async def send(self, request: Request) -> Response:
        """Return the answer, whatever its status."""
        action = self._tickets.strike(request.target, self._now_s())
        if action is None:
            return await self._door.send(request)
        if action.never_leaves:
            return await self._lose(request, action)
        headers = {**request.headers, _TICKET: self._tickets.issue(action)}
        return await self._door.send(msgspec.structs.replace(request, headers=headers))

    async def close(self) -> None:
        """Release the connections."""
        await self._door.close()

    async def _lose(self, request: Request, action: WireAction) -> Response:
        timeout_s = request.timeout_s
        await asyncio.sleep(min(action.delay_s, timeout_s))
        if action.delay_s >= timeout_s:
            raise NotSent(f"not connected within {timeout_s:g} s")
        left = msgspec.structs.replace(request, timeout_s=timeout_s - action.delay_s)
        return await self._nowhere[NOWHERE[action.kind]].send(left)
