"""Failures that may begin an outage, kept in the store: a kill before it opens loses none."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import msgspec

from callagent_cli.reporting.incidents.incident import Documents

ENTRIES_MAX: Final = 1_000
"""Entries that are kept of a service; a new one takes the place of the oldest."""

KEPT_S: Final = 600.0
"""What failed longer before a start than this explains no outage that comes after it."""

_KIND: Final = "failure"


class Failure(NamedTuple):
    """A failed attempt; `counts` when it speaks against the service itself."""

    at_utc_s: float
    service: str
    operation: str
    call: str
    attempt: int
    trial: bool
    outcome: str
    error_message: str
    http_status: int | None
    request_id: str
    counts: bool


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """A failure, or without one the success that ended the streak of an operation.

    Without an operation either, the breaker of the service closed.
    """

    number: int
    at_utc_s: float
    service: str
    operation: str = ""
    failure: Failure | None = None


class FailureLog:
    """Writes what happened to each service in turn; `redact` keeps secrets out of the store."""

    def __init__(self, documents: Documents, redact: Callable[[str], str]) -> None:
        self._documents = documents
        self._redact = redact
        self._numbers: Counter[str] = Counter()

    def failed(self, failure: Failure) -> None:
        """Keep a failed attempt."""
        safe = failure._replace(error_message=self._redact(failure.error_message))
        self._add(failure.at_utc_s, failure.service, failure.operation, safe)

    def succeeded(self, service: str, operation: str, utc_s: float) -> None:
        """Keep that an operation works again."""
        self._add(utc_s, service, operation)

    def closed(self, service: str, utc_s: float) -> None:
        """Keep that nothing counts any more that failed before."""
        self._add(utc_s, service)

    def entries(self, now_utc_s: float) -> Iterator[Entry]:
        """Yield what happened a short while ago, the oldest of each service first."""
        rows = self._documents.documents(_KIND)
        found = [msgspec.json.decode(body, type=Entry) for _, body in rows]
        for entry in sorted(found, key=lambda entry: entry.number):
            self._numbers[entry.service] = entry.number + 1
            if entry.at_utc_s >= now_utc_s - KEPT_S:
                yield entry

    def _add(
        self, utc_s: float, service: str, operation: str = "", failure: Failure | None = None
    ) -> None:
        number = self._numbers[service]
        self._numbers[service] = number + 1
        body = msgspec.json.encode(Entry(number, utc_s, service, operation, failure))
        key = f"{service}:{number % ENTRIES_MAX:04d}"
        self._documents.put(_KIND, key, body, open_=False)
