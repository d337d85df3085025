"""A door to nowhere: answers what a test wrote down, and remembers what it was asked."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import msgspec

from callagent_cli.errors import ServiceError
from callagent_cli.services.http import Request, Response, TransportError

NOW_UTC_S = 1_800_000_000.0
KEY = "sk-very-secret-0123456789"
NUMBER = "+12125550142"

Result = TypeVar("Result")


class ScriptedHttp:
    """Gives its answers one after the other; the last one is given for ever."""

    def __init__(self, *answers: Response | TransportError) -> None:
        self._answers = list(answers)
        self.requests: list[Request] = []

    async def send(self, request: Request) -> Response:
        """Return or raise the next answer."""
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, TransportError):
            raise answer
        return answer

    async def close(self) -> None:
        """Do nothing."""

    @property
    def body(self) -> Any:  # noqa: ANN401 — JSON.
        """The last request's body."""
        return msgspec.json.decode(self.requests[-1].body)

    def query(self, index: int = -1) -> dict[str, list[str]]:
        """Return a request's query."""
        return parse_qs(urlsplit(self.requests[index].path).query)


def answer(status: int, body: object = None, **headers: str) -> Response:
    """Return an answer with a JSON body, or with these very bytes."""
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return Response(status, {name.replace("_", "-"): text for name, text in headers.items()}, raw)


def now() -> float:
    """Return the instant at which all of these tests happen."""
    return NOW_UTC_S


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run one operation of an adapter."""
    return asyncio.run(work)


def failure(work: Coroutine[Any, Any, object]) -> ServiceError:
    """Run an operation that must fail, and return its error."""
    try:
        result = asyncio.run(work)
    except ServiceError as error:
        return error
    raise AssertionError(f"no error, but {result!r}")
