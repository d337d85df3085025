"""What the store knows, in the form the view state is rebuilt from; `cli/` fills it."""

from dataclasses import dataclass, field
from typing import Protocol

from callagent_cli.events import BreakerState, Health
from callagent_cli.monitor.view.alerts import AlertView
from callagent_cli.monitor.view.calls import WaitingGroup


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSnapshot:
    """The last worker's life; `ended_utc_s` is none while it lives, and when it was killed."""

    run: str
    campaign: str
    mode: str
    pid: int
    host: str
    lanes: int
    started_utc_s: float
    heartbeat_utc_s: float
    contacts: str = ""
    ended_utc_s: float | None = None
    exit_code: int | None = None
    verdict: str = ""
    paused_by: str = ""
    paused_utc_s: float | None = None
    draining: str = ""
    waiting: str = ""
    waiting_due_utc_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerSnapshot:
    """A service's breaker as it was last stored; `state` is none when nothing is known of it."""

    service: str
    state: BreakerState | None = None
    since_utc_s: float | None = None
    reason: str = ""
    owner: str = ""
    open_until_utc_s: float | None = None
    next_check_utc_s: float | None = None
    health: Health | None = None
    health_utc_s: float | None = None
    degraded: bool = False
    degraded_reason: str = ""
    fallback: dict[str, str] = field(default_factory=dict)
    muted_until_utc_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSnapshot:
    """A call that holds a lane; `due_utc_s` is set while it waits for its next attempt."""

    call: str
    state: str
    step: str
    since_utc_s: float
    name: str = ""
    number: str = ""
    attempt: int = 0
    of: int = 0
    due_utc_s: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One look at the store; `totals` counts the calls by state and adds up to the contacts.

    `alerts` are ordered oldest first, `calls` only those that hold a lane.
    """

    run: RunSnapshot | None = None
    totals: dict[str, int] = field(default_factory=dict)
    waiting: tuple[WaitingGroup, ...] = ()
    results: dict[str, int] = field(default_factory=dict)
    breakers: tuple[BreakerSnapshot, ...] = ()
    alerts: tuple[AlertView, ...] = ()
    calls: tuple[CallSnapshot, ...] = ()


class SnapshotSource(Protocol):
    """Whoever can read the store."""

    def snapshot(self) -> Snapshot:
        """Return one look at the store; raises `StoreError` when it cannot be read."""
