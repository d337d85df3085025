"""The last word before the network: while a breaker is open, only health checks go out.

An attempt may make several requests, one after the other; the breaker may open between two of
them, after the Guard has admitted the attempt.
"""

from collections.abc import Callable
from typing import Final

from callagent_cli.resilience.breaker import Breaker
from callagent_cli.services.http import Http, Request, Response

_SILENT: Final = frozenset({"open", "isolated"})
_HEALTH: Final = ".health"


class SilentDoor:
    """An `Http` that sends nothing to a service whose breaker has opened meanwhile."""

    def __init__(self, door: Http, breaker: Breaker, now_s: Callable[[], float]) -> None:
        self._door = door
        self._breaker = breaker
        self._now_s = now_s

    async def send(self, request: Request) -> Response:
        """Return the answer; raises `CircuitOpen` for traffic while the breaker is open."""
        breaker = self._breaker
        if breaker.state in _SILENT and not request.target.endswith(_HEALTH):
            raise breaker.rejection(self._now_s())
        return await self._door.send(request)

    async def close(self) -> None:
        """Release the connections."""
        await self._door.close()
