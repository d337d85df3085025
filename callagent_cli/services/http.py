"""The one door to the network: a request, a response, and what can go wrong between them."""

from dataclasses import dataclass, field
from typing import Protocol

from callagent_cli.errors import CallAgentError


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request; `timeout_s` is the total time it may take, whatever happens on the way.

    `target` names the operation (`elevenlabs.dial`), so that faults and logs can be addressed by
    it; `path` begins with `/` and holds the query. Headers and body hold keys and phone numbers,
    so they stay out of its text.
    """

    target: str
    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Response:
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
