"""What a twin is: a request and an instant in, an answer and how long it takes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol
from urllib.parse import parse_qs

import msgspec

JsonObject = dict[str, Any]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_NO_QUERY: Mapping[str, list[str]] = {}


class TwinRequest(msgspec.Struct, frozen=True):
    """One request as a provider sees it; `path` has no query, header names are lower case."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes = b""

    @classmethod
    def parse(
        cls, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> "TwinRequest":
        """Split a request target such as `/v1/models?limit=3` into path and query."""
        path, mark, query = target.partition("?")
        pairs = _parameters(query) if mark else _NO_QUERY
        return cls(method, path, pairs, headers, body)

    def first(self, name: str, default: str = "") -> str:
        """Return the first value of a query parameter."""
        values = self.query.get(name)
        return values[0] if values else default

    def json_object(self) -> JsonObject | None:
        """Return the body as a JSON object, or nothing when it is not one."""
        try:
            body = _decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        return body if isinstance(body, dict) else None


@lru_cache(maxsize=64)
def _parameters(query: str) -> Mapping[str, list[str]]:
    """Return the parameters of a query; health checks send the same one again and again."""
    return parse_qs(query, keep_blank_values=True)


class TwinAnswer(msgspec.Struct, frozen=True):
    """What a provider answers, `after_s` seconds after the request came.

    `effect` says that something happened in the world: a phone rang, a record was written.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    after_s: float = 0.0
    effect: bool = False


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a request is about, known before it is handled.

    `operation` is callagent's word (`dial`, `look_up`, `follow`, `compose`, `record`, `health`,
    or empty for a route nobody serves); `route` is the path with ids replaced, so that it can be
    logged; the others are filled when the request names them.
    """

    operation: str = ""
    route: str = ""
    call_id: str = ""
    attempt_id: str = ""
    number: str = ""


class Twin(Protocol):
    """A pretended provider without sockets, clock or loop: a pure state machine."""

    service: str

    def describe(self, request: TwinRequest) -> Facts:
        """Say what a request is about, without doing anything."""

    def handle(self, request: TwinRequest, at: float, facts: Facts | None = None) -> TwinAnswer:
        """Carry the request out at the instant `at` (UTC seconds) and return the answer.

        `facts` is what `describe` has said of it, if it was asked already.
        """


@dataclass(slots=True)
class RequestIds:
    """Counts out request ids, so that two runs of one seed give the same ones."""

    prefix: str
    _count: int = field(default=0)

    def next(self) -> str:
        """Return an id nobody else has."""
        self._count += 1
        return f"{self.prefix}{self._count:08x}"


def json_answer(status: int, body: object, *, headers: Mapping[str, str] = {}) -> TwinAnswer:
    """Return an answer whose body is the object as JSON."""
    return TwinAnswer(status, {"content-type": "application/json", **headers}, _encode(body))
