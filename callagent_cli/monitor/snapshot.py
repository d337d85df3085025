"""What the store knows, in the form the view state is rebuilt from; `cli/` fills it."""

from dataclasses import dataclass, field

from callagent_cli.events import BreakerState, Health
from callagent_cli.monitor.view.alerts import AlertView
from callagent_cli.monitor.view.calls import WaitingGroup


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSnapshot:
    """The last worker's life; `ended_utc_s` is none while it lives, and when it was killed.

    `gone` says that no process works on it any more although it never said its end.
    """

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
    gone: bool = False


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


@dataclass(frozen=True, slots=True)
class MuteSnapshot:
    """What a person wants to hear nothing of: a service, an incident, or `all`."""

    target: str
    until_utc_s: float
    by: str = ""

    def covers(self, service: str, incident: str = "") -> bool:
        """Return whether a service, or one of its incidents, is muted."""
        named = incident and (self.target == incident or self.target.startswith(f"{incident}-"))
        return self.target in {"all", service} or bool(named)


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

    `alerts` are ordered oldest first, `calls` only those that hold a lane; `in_doubt` of these have
    a dial of which nobody knows whether it rang. `mutes` are those in force.
    """

    run: RunSnapshot | None = None
    totals: dict[str, int] = field(default_factory=dict)
    waiting: tuple[WaitingGroup, ...] = ()
    results: dict[str, int] = field(default_factory=dict)
    breakers: tuple[BreakerSnapshot, ...] = ()
    alerts: tuple[AlertView, ...] = ()
    calls: tuple[CallSnapshot, ...] = ()
    in_doubt: int = 0
    mutes: tuple[MuteSnapshot, ...] = ()
