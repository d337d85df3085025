"""The twins' ledger: what they received, and which calls they really placed.

The judge believes this and not the worker. It lives in memory; `DurableLedger` also writes it to
disk before an answer is sent.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec

from callagent_cli.simulation.twins.archive import Archive


class ReceivedRequest(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One request that reached a twin, or the fault that stands before it.

    `status` is what was answered, 0 when nothing was; `effect` says whether the provider did
    something in the world (rang a phone, wrote a record), whatever it answered; `fault` is the
    kind of fault that was played. The answer was due `after_s` seconds after the request, and
    asked to be left alone for `retry_after_s` then; these two are not kept on disk.
    """

    sequence: int
    at: float
    service: str
    target: str
    method: str
    route: str
    status: int
    effect: bool = False
    call_id: str = ""
    attempt_id: str = ""
    number: str = ""
    fault: str = ""
    after_s: float = 0.0
    retry_after_s: float | None = None


class PlacedCall(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A phone that rang, at the instant `at`."""

    conversation: str
    number: str
    call_id: str
    attempt_id: str
    at: float


class Ledger:
    """The ledger in memory."""

    def __init__(self) -> None:
        self._requests: list[ReceivedRequest] = []
        self._placed: list[PlacedCall] | Archive[PlacedCall] = []
        self._rung: dict[str, int] = {}
        self._documents: dict[str, dict[str, bytes]] = {}

    @property
    def next_sequence(self) -> int:
        """The number that the next request gets."""
        return len(self._requests) + 1

    def record(self, request: ReceivedRequest) -> None:
        """Note a request."""
        self._requests.append(request)

    def place(self, call: PlacedCall) -> None:
        """Note a phone that rings."""
        self._placed.append(call)
        self._rung[call.number] = self._rung.get(call.number, 0) + 1

    def keep(self, kind: str, key: str, document: bytes) -> None:
        """Insert or replace something a twin must still know after a restart."""
        self._documents.setdefault(kind, {})[key] = document

    def kept(self, kind: str) -> list[tuple[str, bytes]]:
        """Return what was kept, in the order it was first kept."""
        return list(self._documents.get(kind, {}).items())

    async def durable(self) -> None:
        """Return once everything noted so far survives the end of this process."""

    def close(self) -> None:
        """Write what is not written yet, and release the file."""

    def requests(
        self,
        service: str = "",
        route: str = "",
        *,
        since: float | None = None,
        until: float | None = None,
    ) -> Iterator[ReceivedRequest]:
        """Yield the requests in the order they came; `since` is included, `until` is not."""
        for request in self._requests:
            if (
                (not service or request.service == service)
                and (not route or request.route == route)
                and (since is None or request.at >= since)
                and (until is None or request.at < until)
            ):
                yield request

    def placed(self) -> Sequence[PlacedCall]:
        """Return the calls in the order they were placed."""
        return list(self._placed)

    def times_rung(self, number: str) -> int:
        """Return how often a number was called."""
        return self._rung.get(number, 0)

    def totals(self) -> dict[str, int]:
        """Count the requests by service, and the calls placed under `placed`."""
        totals = {"placed": len(self._placed)}
        for request in self._requests:
            totals[request.service] = totals.get(request.service, 0) + 1
        return totals


class Onlooker(Protocol):
    """Whoever is told what a twin received, at once."""

    def receive(self, request: ReceivedRequest) -> None:
        """Look at a request."""

    def place(self, call: PlacedCall) -> None:
        """Look at a phone that rings."""


class CountingLedger(Ledger):
    """A ledger of one world: it tells its onlookers of each request and then only counts it.

    What a twin wants to keep for another life is not kept either: the twins of a world live as
    long as it does.
    """

    def __init__(self) -> None:
        super().__init__()
        self._placed = Archive(PlacedCall)
        self._counts: dict[str, int] = {}
        self._sequence = 0
        self._onlookers: list[Onlooker] = []

    def tell(self, onlooker: Onlooker) -> None:
        """Tell someone of everything from now on."""
        self._onlookers.append(onlooker)

    @property
    def next_sequence(self) -> int:
        """The number that the next request gets."""
        return self._sequence + 1

    def record(self, request: ReceivedRequest) -> None:
        """Count a request."""
        self._sequence += 1
        service = request.service
        self._counts[service] = self._counts.get(service, 0) + 1
        for onlooker in self._onlookers:
            onlooker.receive(request)

    def place(self, call: PlacedCall) -> None:
        """Note a phone that rings."""
        super().place(call)
        for onlooker in self._onlookers:
            onlooker.place(call)

    def placed(self) -> Sequence[PlacedCall]:
        """Return the calls in the order they were placed, those to come too."""
        return self._placed

    def keep(self, kind: str, key: str, document: bytes) -> None:
        """Keep nothing."""

    def totals(self) -> dict[str, int]:
        """Count the requests by service, and the calls placed under `placed`."""
        return {"placed": len(self._placed), **self._counts}
