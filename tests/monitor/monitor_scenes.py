"""Situations an operator may face, as view states at one instant, and doubles for the ports."""

from collections.abc import Callable, Iterator
from typing import Final

from callagent_cli.events import (
    AlertRaised,
    AttemptFinished,
    BreakerChanged,
    CallChanged,
    CommandObeyed,
    ContactsImported,
    Event,
    HealthChecked,
    RetryScheduled,
    RunDraining,
    RunPaused,
    RunStarted,
    ServiceDegraded,
    Stamped,
    StepDegraded,
    StepStarted,
)
from callagent_cli.monitor.state import ViewState
from callagent_cli.monitor.view.scenario import Check, Phase, ScenarioPlan

NOW: Final = 1767605400.0
"""2026-01-05 09:30:00 UTC."""

SERVICES: Final = ("elevenlabs", "llm", "crm")
NAMES: Final = ("Ana Ruiz", "Jo Park", "Li Wei", "Marta Nowak", "Olu Osei", "Sam Iyer")


class Teller:
    """Folds events into a state, each at a given number of seconds before `NOW`."""

    def __init__(self, state: ViewState) -> None:
        self.state = state
        self.sequence = 0

    def tell(self, ago_s: float, event: Event) -> None:
        """Fold an event that happened `ago_s` seconds ago."""
        self.sequence += 1
        at_s = NOW - ago_s
        stamped = Stamped(at_s, at_s - NOW + 5000.0, self.sequence, "run_1", "spring", event)
        self.state.fold(stamped)

    def move(self, ago_s: float, call: str, old: str, new: str, **more: str) -> None:
        """Fold a call's move."""
        step = more.pop("step", "dial")
        reason = more.pop("reason", "")
        number = int(call.removeprefix("call_") or 0)
        event = CallChanged(
            call=call,
            old=old,
            new=new,
            step=step,
            reason=reason,
            name=NAMES[number % len(NAMES)] if number < 6 else "",
            number=f"+12125550{100 + number % 100}",
            waits_for=more.pop("waits_for", ""),
            result=more.pop("result", ""),
        )
        self.tell(ago_s, event)

    def attempt(self, ago_s: float, service: str, outcome: str = "ok", **more: object) -> None:
        """Fold an attempt of a service's main operation."""
        operation = {"elevenlabs": "dial", "llm": "compose", "crm": "record"}[service]
        failed = outcome != "ok"
        event = AttemptFinished(
            service=service,
            operation=f"{service}.{operation}",
            outcome=outcome,
            duration_s=float(str(more.get("duration_s", 0.31))),
            call=str(more.get("call", "")),
            attempt=1,
            of=4,
            http_status=503 if outcome == "unavailable" else None,
            error_class="ServiceUnavailable" if failed else "",
            error_message="Service Unavailable" if failed else "",
            request_id="req_77f1" if failed else "",
        )
        self.tell(ago_s, event)


def new_state() -> tuple[ViewState, Teller]:
    """Return a state that knows nothing, and who tells it."""
    state = ViewState(SERVICES)
    return state, Teller(state)


def breaker_moved(new: str, old: str = "closed", **more: object) -> BreakerChanged:
    """Return what is told when the voice platform's breaker moves."""
    fields = {"service": "elevenlabs", "old": old, "new": new, "reason": "503", **more}
    return BreakerChanged(**fields)  # type: ignore[arg-type]


def empty() -> ViewState:
    """Return the state before anything has ever run."""
    return ViewState(SERVICES)


def _begun() -> Teller:
    state = ViewState(SERVICES)
    teller = Teller(state)
    teller.tell(
        1300,
        ContactsImported(
            file="contacts.csv",
            accepted=100,
            known=0,
            duplicate=1,
            rejected=2,
            excluded=3,
            people_excluded=3,
            blank=0,
        ),
    )
    started = RunStarted(mode="sandbox", contacts="contacts.csv", lanes=8, version="1.0")
    teller.tell(1280, started)
    for number in range(10, 50):
        ago_s = 1270 - number * 24
        teller.move(ago_s, f"call_{number}", "pending", "active", step="look_up")
        result = ("answered", "answered", "voicemail", "no_answer")[number % 4]
        teller.move(ago_s - 40, f"call_{number}", "active", "done", step="record", result=result)
    for number, step in ((1, "follow"), (2, "dial"), (3, "compose")):
        teller.move(60 - number * 15, f"call_{number}", "pending", "active", step="look_up")
        teller.tell(50 - number * 15, StepStarted(call=f"call_{number}", step=step))
    for index in range(30):
        for service, duration_s in (("elevenlabs", 0.31), ("llm", 1.12), ("crm", 0.08)):
            teller.attempt(58 - index * 1.9, service, duration_s=duration_s + index * 0.01)
    for service in SERVICES:
        healthy = HealthChecked(
            service=service, health="healthy", duration_s=0.1, next_check_s=10.0, outcome="ok"
        )
        teller.tell(4, healthy)
    return teller


def healthy() -> ViewState:
    """Return a run in which nothing is wrong."""
    return _begun().state


def _incident() -> Teller:
    teller = _begun()
    for index in range(31):
        teller.attempt(46 - index * 1.2, "elevenlabs", "unavailable", duration_s=4.8)
    opened = BreakerChanged(
        service="elevenlabs",
        old="closed",
        new="open",
        reason="4 failures since the last success (503)",
        open_s=30.0,
        breaker_state="open",
    )
    teller.tell(11, opened)
    for number in (4, 5):
        teller.move(30, f"call_{number}", "pending", "active")
        retry = RetryScheduled(
            service="elevenlabs",
            operation="elevenlabs.dial",
            call=f"call_{number}",
            attempt=number - 1,
            of=4,
            delay_s=10.0 + number * 4,
            reason="backoff",
            outcome="unavailable",
            http_status=503,
        )
        teller.move(8, f"call_{number}", "active", "backoff")
        teller.tell(8, retry)
    for number in range(60, 83):
        teller.move(25, f"call_{number}", "pending", "active")
        teller.move(
            9, f"call_{number}", "active", "parked", waits_for="elevenlabs", reason="breaker open"
        )
    for number in range(83, 86):
        teller.move(20, f"call_{number}", "pending", "scheduled", reason="window opens at 08:00")
    teller.move(40, "call_90", "pending", "active")
    teller.move(9, "call_90", "active", "failed", reason="503 after 4 attempts")
    _alerts(teller)
    unhealthy = HealthChecked(
        service="elevenlabs",
        health="unhealthy",
        duration_s=0.2,
        next_check_s=10.0,
        outcome="unavailable",
        http_status=503,
        error_message="Service Unavailable",
        breaker_state="open",
    )
    teller.tell(3, unhealthy)
    degraded = ServiceDegraded(service="crm", degraded=True, reason="health check timed out")
    teller.tell(2, degraded)
    teller.tell(
        2, StepDegraded(service="crm", step="look_up", active=True, instead="without the CRM")
    )
    return teller


def _alerts(teller: Teller) -> None:
    alerts = (
        (300, "alert_1", "inc_1", "opened", "warning", "llm", "llm is slow: p95 9.1 s"),
        (200, "alert_2", "inc_1", "resolved", "info", "llm", "llm is well again after 1m 40s"),
        (11, "alert_3", "inc_2", "opened", "critical", "elevenlabs", "elevenlabs is down (503)"),
        (9, "alert_4", "inc_2", "call_failed", "warning", "elevenlabs", "1 call failed for good"),
    )
    for ago_s, alert, incident, kind, severity, service, title in alerts:
        event = AlertRaised(
            alert=alert,
            incident=incident,
            kind=kind,  # type: ignore[arg-type]
            severity=severity,  # type: ignore[arg-type]
            service=service,
            title=title,
            body="Calls wait and go on by themselves once the service is back.",
        )
        teller.tell(ago_s, event)
    teller.tell(100, CommandObeyed(command="acknowledge", argument="alert_1", by="anna"))


def incident() -> ViewState:
    """Return a run whose voice platform answers 503: its breaker is open, calls wait."""
    return _incident().state


def paused() -> ViewState:
    """Return a run that somebody paused a while ago."""
    teller = _begun()
    teller.tell(840, RunPaused(by="anna"))
    return teller.state


def draining() -> ViewState:
    """Return a run that begins no call and lets those in flight finish."""
    teller = _begun()
    teller.tell(5, RunDraining(reason="by anna"))
    return teller.state


def lost() -> ViewState:
    """Return an incident in the middle of which the worker's heartbeat stopped."""
    state = incident()
    state.worker = "pid 4711 on host-a"
    state.heartbeat(NOW - 42)
    return state


def simulation() -> ViewState:
    """Return a rehearsal of the incident."""
    state = incident()
    plan = ScenarioPlan(
        name="elevenlabs-503",
        seed=7,
        duration_s=120.0,
        phases=(Phase(name="outage", service="elevenlabs", fault="503", from_s=20.0, to_s=70.0),),
        checks=(
            Check(label="breaker opened", at_s=40.0),
            Check(label="breaker closed", at_s=90.0),
        ),
    )
    state.follow(plan, NOW - 50)
    if state.scenario is not None:
        state.scenario.decided([("breaker opened", True)])
    return state


SCENES: Final[dict[str, Callable[[], ViewState]]] = {
    "empty": empty,
    "healthy": healthy,
    "incident": incident,
    "paused": paused,
    "draining": draining,
    "lost": lost,
    "simulation": simulation,
}


def raised(
    number: int, incident_id: str, kind: str = "opened", severity: str = "critical"
) -> Event:
    """Return an alert of an incident."""
    return AlertRaised(
        alert=f"alert_{number}",
        incident=incident_id,
        kind=kind,  # type: ignore[arg-type]
        severity=severity,  # type: ignore[arg-type]
        service="llm",
        title=f"title {number}",
        body="",
    )


def attempts(count: int) -> Iterator[Stamped]:
    """Yield a lively run's events: attempts, moves and retries of ever new calls."""
    for index in range(count):
        at_s = NOW - count / 1000 + index / 1000
        call, kind = f"call_{index // 4}", index % 4
        event: Event
        if kind == 0:
            event = CallChanged(
                call=call, old="pending", new="active", step="dial", reason="", name=f"N {index}"
            )
        elif kind == 1:
            event = AttemptFinished(
                service="elevenlabs",
                operation="elevenlabs.dial",
                call=call,
                attempt=1,
                of=4,
                outcome="unavailable" if index % 3 else "ok",
                error_message=f"error {index}",
                duration_s=0.2,
            )
        elif kind == 2:
            event = RetryScheduled(
                service="elevenlabs", call=call, attempt=2, of=4, delay_s=5.0, reason="backoff"
            )
        else:
            new = "done" if index % 8 == 3 else "parked"
            event = CallChanged(
                call=call, old="active", new=new, step="dial", reason=f"reason {index % 200}"
            )
        yield Stamped(at_s, at_s, index, "run_1", "spring", event)
