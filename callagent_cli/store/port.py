"""What the worker asks of its storage; `SqliteStore` is the first implementation.

Writes are visible to this process at once and durable together at the end of the loop's turn
(group commit); whoever must know that they are on disk awaits `durable()`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import msgspec

from callagent_cli.calls.model import Call, CallState, Dial, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """One contact list being worked; `source_sha256` recognizes the same file again."""

    name: str
    source: str
    source_sha256: str
    created_utc_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One worker's life: `ended_utc_s` stays empty when it was killed."""

    id: str
    campaign: str
    mode: str
    pid: int
    host: str
    lanes: int
    started_utc_s: float
    heartbeat_utc_s: float
    ended_utc_s: float | None = None
    exit_code: int | None = None
    verdict: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A person's command for the worker: pause, resume, drain, trip, reset or lanes."""

    id: int
    name: str
    argument: str
    by: str
    asked_utc_s: float


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """Which waiting call is wanted next: the longest waiting one of `state` that is due.

    `waits_for` must match exactly; `steps` narrows to calls standing at one of these steps;
    `due_utc_s` is now.
    """

    campaign: str
    state: CallState
    due_utc_s: float
    waits_for: str = ""
    steps: frozenset[Step] = frozenset()


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """How many calls wait in one state for one service or reason, and when the first is due."""

    state: CallState
    waits_for: str
    reason: str
    calls: int
    due_utc_s: float | None


class Store(Protocol):
    """Everything that must survive a kill."""

    async def durable(self) -> None:
        """Return once everything written so far is on disk; raises `StoreError` if it cannot be."""

    def mark(self) -> tuple[int, int]:
        """Return what differs once anything was written, by this process or another."""

    def flush(self) -> None:
        """Commit now, outside a turn of the loop (at start and end)."""

    def close(self) -> None:
        """Commit and release the file."""

    def save_campaign(self, campaign: Campaign) -> None:
        """Insert or replace a campaign."""

    def campaign(self, name: str) -> Campaign | None:
        """Return a campaign by name."""

    def campaigns(self) -> list[Campaign]:
        """Return all campaigns, the latest first."""

    def add_calls(self, calls: Iterable[Call]) -> int:
        """Insert calls whose (campaign, number, extension) is new; return how many were."""

    def renew_contacts(self, calls: Iterable[Call]) -> int:
        """Give known calls that wait and were never dialed the contacts here; return how many.

        Others that are not over get the time zones.
        """

    def fill_zones(self, campaign: str, zones_of: Callable[[str], str]) -> None:
        """Give calls without a time zone, unless they are over, those of their numbers."""

    def save_call(self, call: Call) -> None:
        """Write the changed state of a known call."""

    def save_progress(self, call: Call) -> None:
        """Write no more of a known call than its step, attempts, dials, conversation and results.

        Cheaper than `save_call`, where nothing else has changed.
        """

    def call(self, call_id: str) -> Call | None:
        """Return a call by its id."""

    def calls_of_number(self, number: str) -> list[Call]:
        """Return all calls to one phone number, whatever their campaigns and extensions."""

    def first_call(self, claim: Claim) -> Call | None:
        """Return the call that a claim describes, without changing it."""

    def calls(self, campaign: str, states: frozenset[CallState] = frozenset()) -> Iterator[Call]:
        """Yield a campaign's calls in the order of their lines; all states when none is named."""

    def next_due(self, campaign: str, *, after_utc_s: float = 0.0) -> float | None:
        """Return the earliest instant after `after_utc_s` at which a waiting call becomes due."""

    def totals(self, campaign: str) -> dict[CallState, int]:
        """Count a campaign's calls by state."""

    def parked_for(self, campaign: str) -> frozenset[str]:
        """Return the services that parked calls wait for, empty for who waits for time only."""

    def waiting(self, campaign: str) -> list[Waiting]:
        """Count the waiting calls by state, service and reason."""

    def results(self, campaign: str) -> dict[str, int]:
        """Count the conversations' results (answered, no_answer …) of the calls that have one."""

    def save_dial(self, dial: Dial) -> None:
        """Insert or update a dial in the ledger."""

    def dials(self, call_id: str) -> list[Dial]:
        """Return a call's dials, the oldest first."""

    def calls_with_open_dials(self, campaign: str) -> list[str]:
        """Return the ids of calls that have a dial which may have rung and is not settled."""

    def put(self, kind: str, key: str, body: bytes, *, open_: bool = True) -> None:
        """Insert or replace a document: a breaker, an incident, an alert or a sheet row."""

    def get(self, kind: str, key: str) -> bytes | None:
        """Return a document."""

    def documents(self, kind: str, *, open_only: bool = False) -> list[tuple[str, bytes]]:
        """Return the documents of a kind in the order they were first put."""

    def add_command(self, name: str, argument: str, by: str, asked_utc_s: float) -> int:
        """Leave a command for the worker; return its id."""

    def take_commands(self) -> list[Command]:
        """Return the commands not yet taken, oldest first, and mark them taken."""

    def save_run(self, run: RunRow) -> None:
        """Insert or update a run; the heartbeat is a run saved again."""

    def last_run(self) -> RunRow | None:
        """Return the run that started last."""
