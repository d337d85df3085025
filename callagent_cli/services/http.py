"""The one door to the network: a request, a response, and what can go wrong between them."""

from typing import Protocol

import msgspec

from callagent_cli.errors import CallAgentError


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request; `timeout_s` is the total time it may take, whatever happens on the way.

    `target` names the operation (`elevenlabs.dial`), so that faults and logs can be addressed by
    it; `path` begins with `/` and holds the query. Headers and body hold keys and phone numbers,
    so they stay out of its text. With `alone` the request has a connection to itself, where no
    answer can be left over from another exchange and nothing was closed in the meantime.
    """

    target: str
    method: str
    path: str
    headers: dict[str, str] = {}
    body: bytes = b""
    timeout_s: float
    alone: bool = False

    def __repr__(self) -> str:
        return (
            f"Request(target={self.target!r}, method={self.method!r}, path={self.path!r}, "
            f"timeout_s={self.timeout_s!r})"
        )


class Response(msgspec.Struct, frozen=True):
    """An answer whose body has been read to the end; header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class TransportError(CallAgentError):
    """Base of what can happen instead of an answer."""


class NotSent(TransportError):
    """The request never left: DNS, TLS, connection refused or not established in time."""


class NoAnswer(TransportError):
    """The request was sent and no answer came in time."""


class BrokenAnswer(TransportError):
    """The request was sent and the connection broke, or the answer is not HTTP."""


class Http(Protocol):
    """Sends requests to one service's base address; raises only `TransportError`s."""

    async def send(self, request: Request) -> Response:
        """Return the answer, whatever its status."""

    async def close(self) -> None:
        """Release the connections."""
