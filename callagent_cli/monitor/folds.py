"""What each kind of event changes in the view state."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

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
from callagent_cli.monitor.snapshot import MuteSnapshot
from callagent_cli.monitor.view.run import End, Hold

if TYPE_CHECKING:
    from callagent_cli.monitor.state import ViewState

SINKS_LIMIT: Final = 16
MUTES_LIMIT: Final = 50
MUTE_S: Final = 600.0

_TAIL_STATES: Final = frozenset(
    {"done", "failed", "review", "parked", "reconciling", "scheduled", "cancelled"}
)


def _noted(state: "ViewState", stamped: Stamped, _event: Event) -> None:
    state.tail.add(stamped)


def _moved(state: "ViewState", stamped: Stamped) -> None:
    state.progress_utc_s = stamped.utc_s


def _run_started(state: "ViewState", stamped: Stamped, event: RunStarted) -> None:
    state.run, state.campaign = stamped.run, stamped.campaign
    state.mode, state.contacts_file = event.mode, event.contacts
    state.lanes, state.version = event.lanes, event.version
    state.started_utc_s = stamped.utc_s
    state.ended = state.paused = state.draining = state.waiting = None
    state.gone = False
    _moved(state, stamped)
    state.tail.add(stamped)


def _run_ended(state: "ViewState", stamped: Stamped, event: RunEnded) -> None:
    state.ended = End(event.reason, event.exit_code, stamped.utc_s)
    if event.totals:
        state.seed(event.totals)
    state.tail.add(stamped)


def _run_waiting(state: "ViewState", stamped: Stamped, event: RunWaiting) -> None:
    due_utc_s = None if event.due_in_s is None else stamped.utc_s + event.due_in_s
    state.waiting = Hold(event.reason, stamped.utc_s, due_utc_s)


def _run_paused(state: "ViewState", stamped: Stamped, event: RunPaused) -> None:
    state.paused = Hold(event.by or "operator", stamped.utc_s)
    state.tail.add(stamped)


def _run_resumed(state: "ViewState", stamped: Stamped, _event: RunResumed) -> None:
    state.paused = None
    _moved(state, stamped)
    state.tail.add(stamped)


def _run_draining(state: "ViewState", stamped: Stamped, event: RunDraining) -> None:
    state.draining = Hold(event.reason, stamped.utc_s)
    state.tail.add(stamped)


def _lanes_changed(state: "ViewState", stamped: Stamped, event: LanesChanged) -> None:
    state.lanes = event.lanes
    state.tail.add(stamped)


def _command_obeyed(state: "ViewState", stamped: Stamped, event: CommandObeyed) -> None:
    if event.command in {"ack", "acknowledge"}:
        state.alerts.acknowledge(event.argument or "all", event.by)
    elif event.command == "mute":
        _muted(state, stamped.utc_s, event.argument, event.by)
    elif event.command == "unmute":
        state.take_mutes(tuple(mute for mute in state.mutes if mute.target != event.argument))
    state.tail.add(stamped)


def _muted(state: "ViewState", at_s: float, argument: str, by: str) -> None:
    """Note a mute: of what, and until when unless that is unreadable."""
    target, _, until = argument.partition(" ")
    until_utc_s = float(until) if until.isdecimal() else at_s + MUTE_S
    kept = [mute for mute in state.mutes if mute.target != target and mute.until_utc_s > at_s]
    state.take_mutes((*kept[-MUTES_LIMIT:], MuteSnapshot(target, until_utc_s, by)))


def _contacts_imported(state: "ViewState", stamped: Stamped, event: ContactsImported) -> None:
    if not state.seeded:
        state.calls.totals["pending"] += event.accepted
        state.calls.totals["excluded"] += event.people_excluded
    state.tail.add(stamped)


def _call_changed(state: "ViewState", stamped: Stamped, event: CallChanged) -> None:
    state.calls.changed(stamped.utc_s, event)
    _moved(state, stamped)
    if event.new == "active":
        state.waiting = None
    if event.new in _TAIL_STATES and event.new != event.old:
        state.tail.add(stamped)


def _step_started(state: "ViewState", stamped: Stamped, event: StepStarted) -> None:
    state.waiting = None
    state.calls.step_started(stamped.utc_s, event)
    _moved(state, stamped)


def _step_finished(state: "ViewState", stamped: Stamped, _event: StepFinished) -> None:
    _moved(state, stamped)


def _attempt_finished(state: "ViewState", stamped: Stamped, event: AttemptFinished) -> None:
    state.service(event.service).attempt_finished(stamped.utc_s, event)
    if event.call:
        state.calls.attempt_finished(event)
    _moved(state, stamped)


def _retry_scheduled(state: "ViewState", stamped: Stamped, event: RetryScheduled) -> None:
    state.calls.retry_scheduled(stamped.utc_s, event)


def _breaker_changed(state: "ViewState", stamped: Stamped, event: BreakerChanged) -> None:
    state.service(event.service).breaker_changed(stamped.utc_s, event)
    state.tail.add(stamped)


def _health_checked(state: "ViewState", stamped: Stamped, event: HealthChecked) -> None:
    state.service(event.service).health_checked(stamped.utc_s, event)


def _service_degraded(state: "ViewState", stamped: Stamped, event: ServiceDegraded) -> None:
    state.service(event.service).degraded_changed(stamped.utc_s, event)
    state.tail.add(stamped)


def _gate_closed(state: "ViewState", stamped: Stamped, event: GateClosed) -> None:
    state.service(event.service).gate_closed(stamped.utc_s, event)


def _slots_changed(state: "ViewState", stamped: Stamped, event: SlotsChanged) -> None:
    state.service(event.service).slots_changed(stamped.utc_s, event)


def _step_degraded(state: "ViewState", stamped: Stamped, event: StepDegraded) -> None:
    state.service(event.service).step_degraded(stamped.utc_s, event)
    state.tail.add(stamped)


def _alert_raised(state: "ViewState", stamped: Stamped, event: AlertRaised) -> None:
    state.alerts.raised(stamped.utc_s, event)


def _alert_delivered(state: "ViewState", stamped: Stamped, event: AlertDelivered) -> None:
    if not event.delivered:
        state.tail.add(stamped)


def _sink_dropped(state: "ViewState", stamped: Stamped, event: SinkDropped) -> None:
    if event.sink in state.dropped or len(state.dropped) < SINKS_LIMIT:
        state.dropped[event.sink] = event.dropped
    state.tail.add(stamped)


FOLDS: Final[dict[type[Event], Callable[["ViewState", Stamped, Any], None]]] = {
    RunStarted: _run_started,
    RunEnded: _run_ended,
    RunWaiting: _run_waiting,
    RunPaused: _run_paused,
    RunResumed: _run_resumed,
    RunDraining: _run_draining,
    LanesChanged: _lanes_changed,
    CommandObeyed: _command_obeyed,
    ContactsImported: _contacts_imported,
    CallChanged: _call_changed,
    StepStarted: _step_started,
    StepFinished: _step_finished,
    AttemptFinished: _attempt_finished,
    RetryScheduled: _retry_scheduled,
    BreakerChanged: _breaker_changed,
    HealthChecked: _health_checked,
    ServiceDegraded: _service_degraded,
    GateClosed: _gate_closed,
    SlotsChanged: _slots_changed,
    StepDegraded: _step_degraded,
    AlertRaised: _alert_raised,
    AlertDelivered: _alert_delivered,
    SinkDropped: _sink_dropped,
    ListenerFailed: _noted,
}
"""One function for each kind of event that changes something."""
