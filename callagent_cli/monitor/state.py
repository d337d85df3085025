"""The view state: every event folded into what an operator needs to see, in bounded memory.

It is shared by the screen, `callagent status` and the summary at the end of a run. All instants
are UTC seconds, because that is the one timeline that a living worker, a journal that is being
followed and a database that is being read have in common; every read that depends on time takes
`now_s` on it. What is not known reads as none or zero attempts, never as well.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from callagent_cli.events import (
    AlertDelivered,
    AlertRaised,
    AttemptFinished,
    BreakerChanged,
    CallChanged,
    CommandObeyed,
    ContactsImported,
    Event,
    GateClosed,
    HealthChecked,
    LanesChanged,
    ListenerFailed,
    RetryScheduled,
    RunDraining,
    RunEnded,
    RunPaused,
    RunResumed,
    RunStarted,
    RunWaiting,
    ServiceDegraded,
    SinkDropped,
    SlotsChanged,
    Stamped,
    StepDegraded,
    StepFinished,
    StepStarted,
)
from callagent_cli.monitor.snapshot import MuteSnapshot, RunSnapshot, Snapshot
from callagent_cli.monitor.stored import in_flight_of, retry_of, take_breaker
from callagent_cli.monitor.verdict import Verdict, decide
from callagent_cli.monitor.view.alerts import AlertFeed, Tail
from callagent_cli.monitor.view.calls import CallBook
from callagent_cli.monitor.view.scenario import ScenarioPlan, ScenarioView
from callagent_cli.monitor.view.services import ServiceView

SERVICES_LIMIT = 32
SINKS_LIMIT = 16
MUTES_LIMIT = 50
MUTE_S = 600.0

_TAIL_STATES: Final = frozenset(
    {"done", "failed", "review", "parked", "reconciling", "scheduled", "cancelled"}
)


@dataclass(frozen=True, slots=True)
class Hold:
    """Why and since when the run is held back, and when it is due to move again if known."""

    why: str
    since_utc_s: float
    due_utc_s: float | None = None


@dataclass(frozen=True, slots=True)
class End:
    """How a run ended."""

    reason: str
    exit_code: int
    at_utc_s: float


class ViewState:
    """A pure fold of events; `services` fixes the order in which services are shown.

    `successes_to_close` is how many good trials close a breaker, for the trial's count.
    """

    def __init__(self, services: Iterable[str] = (), *, successes_to_close: int = 2) -> None:
        self.services: dict[str, ServiceView] = {name: ServiceView(name) for name in services}
        self.calls = CallBook()
        self.alerts = AlertFeed()
        self.tail = Tail()
        self.scenario: ScenarioView | None = None
        self.successes_to_close = successes_to_close
        self.run = self.campaign = self.mode = self.contacts_file = self.version = ""
        self.worker = ""
        self.lanes: int | None = None
        self.started_utc_s: float | None = None
        self.ended: End | None = None
        self.paused: Hold | None = None
        self.draining: Hold | None = None
        self.waiting: Hold | None = None
        self.heartbeat_utc_s: float | None = None
        self.gone = False
        self.in_doubt = 0
        self.mutes: tuple[MuteSnapshot, ...] = ()
        self.trouble = ""
        self.progress_utc_s: float | None = None
        self.last_utc_s: float | None = None
        self.events = 0
        self.dropped: dict[str, int] = {}
        self._seeded = False
        self._folds: dict[type[Event], Callable[[Stamped, Any], None]] = self._table()

    def fold(self, stamped: Stamped) -> None:
        """Take in one event; an event of an unknown kind is counted and otherwise ignored."""
        self.events += 1
        self.last_utc_s = stamped.utc_s
        event = stamped.event
        apply = self._folds.get(type(event))
        if apply is not None:
            apply(stamped, event)

    def verdict(self, now_s: float) -> Verdict:
        """Return the verdict line's word, explanation and tone."""
        return decide(self, now_s)

    def service(self, name: str) -> ServiceView:
        """Return a service, added at the end when it is new; beyond the limit all share one."""
        known = self.services.get(name)
        if known is not None:
            return known
        if len(self.services) >= SERVICES_LIMIT:
            name = "others"
        return self.services.setdefault(name, ServiceView(name))

    def eta_s(self, now_s: float) -> float | None:
        """Return the seconds to the end at the current rate; none while held back or unknown."""
        held = self.paused or self.draining or self.waiting or self.ended
        return None if held else self.calls.eta_s(now_s)

    # What is told from outside the events

    def seed(self, totals: dict[str, int]) -> None:
        """Take over the totals of a campaign that was already begun, as the store counts them."""
        self.calls.seed(totals)
        self._seeded = True

    def heartbeat(self, utc_s: float) -> None:
        """Note a sign of life of a worker in another process; without any it is never lost."""
        self.heartbeat_utc_s = utc_s

    def follow(self, plan: ScenarioPlan, started_utc_s: float) -> None:
        """Show a rehearsal's plan beside what happens."""
        self.scenario = ScenarioView(plan, started_utc_s)

    @classmethod
    def from_snapshot(cls, snapshot: Snapshot, services: Iterable[str] = ()) -> "ViewState":
        """Rebuild the state from the store: everything but the last minute's traffic."""
        state = cls(services)
        state.take(snapshot)
        return state

    def take(self, snapshot: Snapshot) -> None:
        """Replace what the store knows better: the run, totals, breakers, alerts and lanes."""
        self.recount(snapshot)
        for breaker in snapshot.breakers:
            take_breaker(self.service(breaker.service), breaker)
        self.calls.replace_lanes(map(in_flight_of, snapshot.calls), map(retry_of, snapshot.calls))

    def recount(self, snapshot: Snapshot) -> None:
        """Replace the run, the counts and the alerts; of all else the events tell more."""
        if snapshot.run is not None:
            self._take_run(snapshot.run)
        self.calls.seed(snapshot.totals, snapshot.waiting)
        self._seeded = True
        self.calls.results = dict(snapshot.results)
        self.in_doubt = snapshot.in_doubt
        for alert in snapshot.alerts:
            self.alerts.add(alert)
        self._take_mutes(snapshot.mutes)

    def _take_mutes(self, mutes: tuple[MuteSnapshot, ...]) -> None:
        self.mutes = mutes
        for name, service in self.services.items():
            until = [mute.until_utc_s for mute in mutes if mute.covers(name)]
            service.muted_until_utc_s = max(until, default=None)

    def _take_run(self, run: RunSnapshot) -> None:
        self.run, self.campaign, self.mode = run.run, run.campaign, run.mode
        self.contacts_file, self.lanes = run.contacts or self.contacts_file, run.lanes
        self.worker = f"pid {run.pid} on {run.host}"
        self.started_utc_s = run.started_utc_s
        self.heartbeat_utc_s, self.gone = run.heartbeat_utc_s, run.gone
        self.ended = None
        if run.ended_utc_s is not None:
            self.ended = End(run.verdict, run.exit_code or 0, run.ended_utc_s)
        paused_utc_s = run.paused_utc_s or run.heartbeat_utc_s
        self.paused = Hold(run.paused_by, paused_utc_s) if run.paused_by else None
        self.draining = Hold(run.draining, run.heartbeat_utc_s) if run.draining else None
        self.waiting = None
        if run.waiting:
            self.waiting = Hold(run.waiting, run.heartbeat_utc_s, run.waiting_due_utc_s)

    # The folds, one for each kind of event

    def _table(self) -> dict[type[Event], Callable[[Stamped, Any], None]]:
        return {
            RunStarted: self._run_started,
            RunEnded: self._run_ended,
            RunWaiting: self._run_waiting,
            RunPaused: self._run_paused,
            RunResumed: self._run_resumed,
            RunDraining: self._run_draining,
            LanesChanged: self._lanes_changed,
            CommandObeyed: self._command_obeyed,
            ContactsImported: self._contacts_imported,
            CallChanged: self._call_changed,
            StepStarted: self._step_started,
            StepFinished: self._step_finished,
            AttemptFinished: self._attempt_finished,
            RetryScheduled: self._retry_scheduled,
            BreakerChanged: self._breaker_changed,
            HealthChecked: self._health_checked,
            ServiceDegraded: self._service_degraded,
            GateClosed: self._gate_closed,
            SlotsChanged: self._slots_changed,
            StepDegraded: self._step_degraded,
            AlertRaised: self._alert_raised,
            AlertDelivered: self._alert_delivered,
            SinkDropped: self._sink_dropped,
            ListenerFailed: self._noted,
        }

    def _noted(self, stamped: Stamped, _event: Event) -> None:
        self.tail.add(stamped)

    def _moved(self, stamped: Stamped) -> None:
        self.progress_utc_s = stamped.utc_s

    def _run_started(self, stamped: Stamped, event: RunStarted) -> None:
        self.run, self.campaign = stamped.run, stamped.campaign
        self.mode, self.contacts_file = event.mode, event.contacts
        self.lanes, self.version = event.lanes, event.version
        self.started_utc_s = stamped.utc_s
        self.ended = self.paused = self.draining = self.waiting = None
        self.gone = False
        self._moved(stamped)
        self.tail.add(stamped)

    def _run_ended(self, stamped: Stamped, event: RunEnded) -> None:
        self.ended = End(event.reason, event.exit_code, stamped.utc_s)
        if event.totals:
            self.seed(event.totals)
        self.tail.add(stamped)

    def _run_waiting(self, stamped: Stamped, event: RunWaiting) -> None:
        due_utc_s = None if event.due_in_s is None else stamped.utc_s + event.due_in_s
        self.waiting = Hold(event.reason, stamped.utc_s, due_utc_s)

    def _run_paused(self, stamped: Stamped, event: RunPaused) -> None:
        self.paused = Hold(event.by or "operator", stamped.utc_s)
        self.tail.add(stamped)

    def _run_resumed(self, stamped: Stamped, _event: RunResumed) -> None:
        self.paused = None
        self._moved(stamped)
        self.tail.add(stamped)

    def _run_draining(self, stamped: Stamped, event: RunDraining) -> None:
        self.draining = Hold(event.reason, stamped.utc_s)
        self.tail.add(stamped)

    def _lanes_changed(self, stamped: Stamped, event: LanesChanged) -> None:
        self.lanes = event.lanes
        self.tail.add(stamped)

    def _command_obeyed(self, stamped: Stamped, event: CommandObeyed) -> None:
        if event.command in {"ack", "acknowledge"}:
            self.alerts.acknowledge(event.argument or "all", event.by)
        elif event.command == "mute":
            self._muted(stamped.utc_s, event.argument, event.by)
        elif event.command == "unmute":
            self._take_mutes(tuple(mute for mute in self.mutes if mute.target != event.argument))
        self.tail.add(stamped)

    def _muted(self, at_s: float, argument: str, by: str) -> None:
        """Note a mute: of what, and until when unless that is unreadable."""
        target, _, until = argument.partition(" ")
        until_utc_s = float(until) if until.isdecimal() else at_s + MUTE_S
        kept = [mute for mute in self.mutes if mute.target != target and mute.until_utc_s > at_s]
        self._take_mutes((*kept[-MUTES_LIMIT:], MuteSnapshot(target, until_utc_s, by)))

    def _contacts_imported(self, stamped: Stamped, event: ContactsImported) -> None:
        if not self._seeded:
            self.calls.totals["pending"] += event.accepted
            self.calls.totals["excluded"] += event.people_excluded
        self.tail.add(stamped)

    def _call_changed(self, stamped: Stamped, event: CallChanged) -> None:
        self.calls.changed(stamped.utc_s, event)
        self._moved(stamped)
        if event.new == "active":
            self.waiting = None
        if event.new in _TAIL_STATES and event.new != event.old:
            self.tail.add(stamped)

    def _step_started(self, stamped: Stamped, event: StepStarted) -> None:
        self.waiting = None
        self.calls.step_started(stamped.utc_s, event)
        self._moved(stamped)

    def _step_finished(self, stamped: Stamped, _event: StepFinished) -> None:
        self._moved(stamped)

    def _attempt_finished(self, stamped: Stamped, event: AttemptFinished) -> None:
        self.service(event.service).attempt_finished(stamped.utc_s, event)
        if event.call:
            self.calls.attempt_finished(event)
        self._moved(stamped)

    def _retry_scheduled(self, stamped: Stamped, event: RetryScheduled) -> None:
        self.calls.retry_scheduled(stamped.utc_s, event)

    def _breaker_changed(self, stamped: Stamped, event: BreakerChanged) -> None:
        self.service(event.service).breaker_changed(stamped.utc_s, event)
        self.tail.add(stamped)

    def _health_checked(self, stamped: Stamped, event: HealthChecked) -> None:
        self.service(event.service).health_checked(stamped.utc_s, event)

    def _service_degraded(self, stamped: Stamped, event: ServiceDegraded) -> None:
        self.service(event.service).degraded_changed(stamped.utc_s, event)
        self.tail.add(stamped)

    def _gate_closed(self, stamped: Stamped, event: GateClosed) -> None:
        self.service(event.service).gate_closed(stamped.utc_s, event)

    def _slots_changed(self, stamped: Stamped, event: SlotsChanged) -> None:
        self.service(event.service).slots_changed(stamped.utc_s, event)

    def _step_degraded(self, stamped: Stamped, event: StepDegraded) -> None:
        self.service(event.service).step_degraded(stamped.utc_s, event)
        self.tail.add(stamped)

    def _alert_raised(self, stamped: Stamped, event: AlertRaised) -> None:
        self.alerts.raised(stamped.utc_s, event)

    def _alert_delivered(self, stamped: Stamped, event: AlertDelivered) -> None:
        if not event.delivered:
            self.tail.add(stamped)

    def _sink_dropped(self, stamped: Stamped, event: SinkDropped) -> None:
        if event.sink in self.dropped or len(self.dropped) < SINKS_LIMIT:
            self.dropped[event.sink] = event.dropped
        self.tail.add(stamped)
