"""Outages: an incident begins when a breaker opens and ends once it has stayed closed."""

from typing import Any, Final

from callagent_cli.events import AttemptFinished, BreakerChanged, HealthChecked, StepDegraded
from callagent_cli.reporting.incidents import wording
from callagent_cli.reporting.incidents.counting import counted
from callagent_cli.reporting.incidents.failure_log import Failure
from callagent_cli.reporting.incidents.incident import Incident, Waste
from callagent_cli.reporting.incidents.open_incidents import (
    HEALTH_HOLD_S,
    REOPEN_S,
    UPDATE_S,
    calls_slot,
)
from callagent_cli.reporting.incidents.shared import Alerts, Shared
from callagent_cli.reporting.incidents.timers import NEVER, Now

_ISOLATING: Final = frozenset({"unauthorized", "quota", "misconfigured"})
_REFUSING: Final = frozenset({"open", "isolated"})


class BreakerRules:
    """Folds attempts, health checks and breakers; one outage is one incident, however it flaps."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._open = shared.open
        self._degraded: dict[str, dict[str, str]] = {}
        # A breaker that is closed from the start of a run says nothing that would close these.
        self._unconfirmed = {
            incident.service for incident in self._open.all() if incident.cause == "breaker"
        }

    # Attempts

    def attempt_finished(self, now: Now, event: AttemptFinished) -> Alerts:
        """Count a failed attempt; take a good one as a sign of health."""
        if event.breaker_state in _REFUSING and not event.trial:
            self._count_after_open(now, event)
        if event.outcome == "ok":
            self._shared.failing.succeeded(now.utc_s, event)
            return self._confirm(now, event)
        failure = self._shared.failing.failed(now.utc_s, event)
        if failure is not None and failure.counts and failure.service in self._open:
            self._count(failure)
        return []

    def health_checked(self, now: Now, event: HealthChecked) -> Alerts:
        """Take a healthy service as one that is well."""
        return self._confirm(now, event) if event.health == "healthy" else []

    def _count(self, failure: Failure) -> None:
        incident = self._open.get(failure.service)
        if incident is not None:
            # Saved in the turn that notes the call: a kill between the two would lose the count.
            self._open.replace(failure.service, self._met(incident, [failure]), save=True)

    def _met(self, incident: Incident, failures: list[Failure]) -> Incident:
        """Return the incident with these failures, and with the calls that met them."""
        affected = self._shared.affected
        fresh = 0
        for failure in failures:
            if affected.note(incident.id, failure.call, "met"):
                fresh += 1
                parked = affected.was(incident.id, failure.call, "parked")
                if parked or not affected.had_begun(incident.id, failure.call):
                    incident = _hurt_after_all(incident, parked=parked)
        incident = counted(incident, failures, self._shared.redact)
        return incident.evolve(calls_affected=incident.calls_affected + fresh)

    def _count_after_open(self, now: Now, event: AttemptFinished) -> None:
        """Count a request that was begun while the breaker refused; late answers are none."""
        slot = event.service
        incident = self._open.get(slot)
        if incident is None or incident.cause != "breaker":
            return
        if now.monotonic_s - event.duration_s > self._open.timers(slot).opened_s:
            self._open.waste(slot, after_open=1)

    def _confirm(self, now: Now, event: AttemptFinished | HealthChecked) -> Alerts:
        """Close what an earlier run left open, when the service turns out to be well."""
        if event.service not in self._unconfirmed or event.breaker_state != "closed":
            return []
        return self._closed(event.service, now)

    # Breakers

    def breaker_changed(self, now: Now, event: BreakerChanged) -> Alerts:
        """Open, go on with, or close the incident of a service."""
        slot = event.service
        self._unconfirmed.discard(slot)
        if event.new == "closed":
            self._tell_move(now, event)
            return self._closed(slot, now)
        by_a_person = event.new == "isolated" and event.owner not in _ISOLATING
        if event.new == "half_open" or by_a_person:
            self._tell_move(now, event)
            return []
        incident = self._open.get(slot)
        if incident is None:
            alerts = self._down(now, event)
        else:
            alerts = self._down_again(now, event, incident)
        if event.old == "closed":
            self._open.timers(slot).opened_s = now.monotonic_s
        self._tell_move(now, event)
        return alerts

    def _tell_move(self, now: Now, event: BreakerChanged) -> None:
        why = f": {event.reason}" if event.reason else ""
        self._shared.tell_move(event.service, now, f"breaker {event.old} → {event.new}{why}")

    def _down(self, now: Now, event: BreakerChanged) -> Alerts:
        slot = event.service
        recent = self._open.take_recent(slot, now, owner=self._cause(event)["owner"])
        if recent is not None:
            self._down_again(now, event, recent)
            return [self._open.tell_update(slot, now)]
        fields = {"cause": "breaker", **_named(event)}
        if not self._adopt(now, event, fields):
            self._begin(now, event, fields)
        degraded = dict(self._degraded.get(slot, {}))
        self._open.change(slot, save=False, degraded=degraded, mitigated_utc_s=now.utc_s)
        incident = self._sampled(slot)
        self._shared.affected.begun(incident.id, self._shared.in_lanes)
        self._open.remind(slot, now)
        return [self._open.alert(slot, "opened", wording.opened(incident, now.utc_s))]

    def _begin(self, now: Now, event: BreakerChanged, fields: dict[str, Any]) -> None:
        slot = event.service
        failures = self._shared.failing.beginning(slot, now.utc_s)
        first_s = min([now.utc_s, *(failure.at_utc_s for failure in failures)])
        fields = {**fields, "first_failure_utc_s": first_s, **self._cause(event)}
        self._shared.begin(slot, now, service=slot, **fields)
        incident = self._open.get(slot)
        if incident is not None:
            self._open.replace(slot, self._met(incident, failures), save=False)
            self._open.change(slot, save=False, **self._cause(event))

    def _adopt(self, now: Now, event: BreakerChanged, fields: dict[str, Any]) -> bool:
        """Make calls that just failed by the same cause the beginning of the outage."""
        calls = calls_slot(event.service, event.outcome)
        incident = self._open.get(calls)
        if incident is None or now.utc_s - (incident.failed_utc_s or 0.0) > REOPEN_S:
            return False
        incident, timers = self._open.release(calls)
        timers.update_s = NEVER
        failures = self._shared.failing.beginning(event.service, now.utc_s)
        first_s = min([incident.first_failure_utc_s, *(each.at_utc_s for each in failures)])
        # Its failures are among those of the outage: they are counted there, once.
        fresh = {"waste": Waste(), "samples": (), "errors": {}, "attempts_failed": 0}
        incident = incident.evolve(first_failure_utc_s=first_s, **fresh)
        incident = self._met(incident, failures)
        self._open.take_back(event.service, incident, timers)
        self._open.change(event.service, **fields, **self._cause(event))
        if incident.calls_failed > incident.told_failed:
            self._open.want_update(event.service, now)
        return True

    def _down_again(self, now: Now, event: BreakerChanged, incident: Incident) -> Alerts:
        slot, cause = event.service, self._cause(event)
        reopened = incident.closed_utc_s is not None
        other = cause["owner"] != incident.owner
        if other:
            cause |= _named(event)
        if incident.status == "resolved":
            # Until it was declared over, failures were counted as they came.
            over_s = incident.resolved_utc_s or 0.0
            failures = self._shared.failing.beginning(slot, now.utc_s)
            failures = [failure for failure in failures if failure.at_utc_s > over_s]
            self._open.replace(slot, self._met(incident, failures), save=False)
        self._open.change(
            slot,
            status="opened",
            closed_utc_s=None,
            resolved_utc_s=None,
            early=False,
            times_opened=incident.times_opened + reopened,
            **cause,
        )
        timers = self._open.timers(slot)
        timers.resolve_s = NEVER
        if timers.remind_s == NEVER or other:
            self._open.remind(slot, now)
        if other and cause["owner"]:
            # Nothing heals any more until somebody acts: that cannot wait for its turn.
            return [self._open.tell_update(slot, now)]
        if reopened or other:
            self._open.want_update(slot, now)
        return []

    def _cause(self, event: BreakerChanged) -> dict[str, Any]:
        isolated = event.new == "isolated"
        critical = isolated or event.service in self._shared.required
        redact = self._shared.redact
        return {
            "owner": event.owner if isolated else "",
            "severity": "critical" if critical else "warning",
            "reason": redact(event.reason),
            "last_error": redact(event.error_message or event.reason),
            "last_http_status": event.http_status,
        }

    def _sampled(self, slot: str) -> Incident:
        """Note how many people the open breaker keeps out of harm; only some services can."""
        pending = self._shared.run.pending() if slot in self._shared.required else 0
        incident = self._open.change(slot, save=False)
        protected = pending + incident.calls_spared
        return self._open.change(
            slot,
            calls_held=max(incident.calls_held, pending),
            calls_protected=max(incident.calls_protected, protected),
        )

    def _closed(self, slot: str, now: Now) -> Alerts:
        self._unconfirmed.discard(slot)
        self._shared.failing.closed(slot, now.utc_s)
        incident = self._open.get(slot)
        if incident is None or incident.closed_utc_s is not None:
            return []
        timers = self._open.timers(slot)
        self._open.change(slot, save=False, closed_utc_s=now.utc_s)
        self._sampled(slot)
        timers.resolve_s = now.monotonic_s + HEALTH_HOLD_S
        timers.remind_s = NEVER
        if now.monotonic_s - timers.updated_s < UPDATE_S:
            self._open.want_update(slot, now)
            return []
        return [self._open.tell_update(slot, now)]

    def step_degraded(self, now: Now, event: StepDegraded) -> Alerts:
        """Remember what stands in for a service, and tell it as an update."""
        slot = event.service
        steps = self._degraded.setdefault(slot, {})
        if not event.active:
            if steps.pop(event.step, None) is not None:
                self._shared.tell_move(slot, now, f"{event.step} has {slot} again")
            return []
        steps[event.step] = self._shared.redact(event.instead)
        incident = self._open.get(slot)
        if incident is not None and event.step not in incident.degraded:
            self._open.change(slot, degraded={**incident.degraded, event.step: steps[event.step]})
            self._open.want_update(slot, now)
            self._shared.tell_move(slot, now, f"{event.step} goes on with {event.instead}")
        return []


def _named(event: BreakerChanged) -> dict[str, str]:
    error_class = event.error_class or event.outcome or "slow"
    return {"key": f"{event.service}:{error_class}", "error_class": error_class}


def _hurt_after_all(incident: Incident, *, parked: bool) -> Incident:
    """Take a person who was held back, and met it later, from the protected ones."""
    return incident.evolve(
        calls_spared=incident.calls_spared - parked,
        calls_protected=max(0, incident.calls_protected - 1),
    )
