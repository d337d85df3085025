"""What the judge is given: the events of all runs of a world, and what the twins know."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol, TypeVar

from callagent_cli.events import Event, Stamped
from callagent_cli.settings import Settings
from callagent_cli.simulation.scenario.format import Phase, Scenario
from callagent_cli.simulation.twins.ledger import PlacedCall, ReceivedRequest

E = TypeVar("E", bound=Event)

TOLERANCE_S = 1e-3
"""Instants closer than this are the same: UTC seconds as floats are exact to some 0.2 µs only."""


class LedgerView(Protocol):
    """The part of the twins' ledger that the judge reads; instants are UTC seconds."""

    def placed(self) -> list[PlacedCall]:
        """Return the phones that rang, in order."""

    def requests(self) -> Iterator[ReceivedRequest]:
        """Yield the requests that reached a twin, in order."""


@dataclass(frozen=True)
class Evidence:
    """A finished world.

    `events` are those of all runs in order; line n of the log is `events[n - 1]`. `totals` counts
    the calls by state in the store at the end; `hits` the strikes of each phase by target;
    `offsets_s` says for each run at which second of the world its loop began; `stuck` names the
    calls that hang, and on what; `secrets` are texts that no log may show. `fidelity_s` is how
    late a loop on the real clock ran at worst, in seconds of the world.
    """

    scenario: Scenario
    settings: Settings
    events: Sequence[Stamped]
    ledger: LedgerView
    totals: Mapping[str, int]
    finished: bool
    ended_at_s: float
    start_utc_s: float
    hits: Mapping[tuple[str, str], int] = field(default_factory=dict)
    offsets_s: Mapping[str, float] = field(default_factory=dict)
    stuck: Sequence[str] = ()
    log: bytes = b""
    secrets: Sequence[str] = ()
    fidelity_s: float = 0.0

    def at_s(self, stamped: Stamped) -> float:
        """Return the second of the world at which an event happened, whatever the calendar says."""
        return stamped.monotonic_s + self.offsets_s.get(stamped.run, 0.0)

    def wire_at_s(self, utc_s: float) -> float:
        """Return the second of the world of an instant in the ledger."""
        return utc_s - self.start_utc_s

    def of(self, kind: type[E]) -> Iterator[tuple[int, Stamped, E]]:
        """Yield the events of a kind with their line in the log."""
        for line, stamped in enumerate(self.events, 1):
            if isinstance(stamped.event, kind):
                yield line, stamped, stamped.event

    @cached_property
    def requests(self) -> list[ReceivedRequest]:
        """The requests that reached a twin."""
        return list(self.ledger.requests())

    @cached_property
    def placed(self) -> list[PlacedCall]:
        """The phones that rang."""
        return list(self.ledger.placed())

    @property
    def slack_s(self) -> float:
        """Within how many seconds two instants count as the same."""
        return TOLERANCE_S + self.fidelity_s

    def phase(self, name: str) -> Phase:
        """Return a phase of the timeline."""
        return next(phase for phase in self.scenario.timeline if phase.name == name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """Why something does not hold, and the first line of the log that shows it (0 for none)."""

    text: str
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One judged expectation: `kind` is always, outcome, log, never, wire or reached."""

    kind: str
    title: str
    held: bool
    text: str = ""
    line: int = 0

    def __str__(self) -> str:
        mark = "✓" if self.held else "✗"
        place = f" (line {self.line})" if self.line else ""
        return f"{mark} {self.title}{f': {self.text}' if self.text else ''}{place}"


Invariant = Callable[[Evidence], Broken | None]
"""Returns why an invariant is broken, or nothing."""


def finding(kind: str, title: str, broken: Broken | None) -> Finding:
    """Return a finding: held when nothing is broken."""
    if broken is None:
        return Finding(kind=kind, title=title, held=True)
    return Finding(kind=kind, title=title, held=False, text=broken.text, line=broken.line)


def sha256(log: bytes) -> str:
    """Return the fingerprint by which two runs of one seed are compared, byte for byte."""
    return hashlib.sha256(log).hexdigest()
