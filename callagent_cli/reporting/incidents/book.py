"""Folds events into incidents and decides which alerts they deserve; does nothing by itself."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from callagent_cli.calls.model import mask
from callagent_cli.events import (
    AlertRaised,
    AttemptFinished,
    BreakerChanged,
    CallChanged,
    Event,
    HealthChecked,
    Stamped,
    StepDegraded,
)
from callagent_cli.reporting.incidents import wording
from callagent_cli.reporting.incidents.failures import Failing, Failure
from callagent_cli.reporting.incidents.incident import Documents, Incident
from callagent_cli.reporting.incidents.open_incidents import (
    HEALTH_HOLD_S,
    NEVER,
    REOPEN_S,
    UPDATE_S,
    Now,
    OpenIncidents,
    Timers,
    calls_slot,
    slot_of,
)
from callagent_cli.reporting.redaction import Redactor

SAVE_S: Final = 1.0
"""Counts that grow with each attempt are stored this often at most."""

_ISOLATING: Final = frozenset({"unauthorized", "quota", "misconfigured"})
_NOT_REACHED: Final = frozenset({"no_answer", "busy", "voicemail", "declined"})

Alerts = list[AlertRaised]


class IncidentBook:
    """One outage is one incident: one `opened` alert, one `resolved`, updates in between.

    An incident is opened when a breaker leaves closed, unless a person moved it, and resolved once
    it has been closed for two minutes. A call that fails for good is told of at once when it is
    the first of its incident, and else as a count in an update; one that fails while no service is
    down makes an incident `call:<outcome>`, which ends with its run. The incidents are kept in
    `documents`, so that a restart neither repeats nor forgets one. An outage of a service in
    `required` is critical; `label` stands before each title (SANDBOX).
    """

    def __init__(
        self,
        documents: Documents,
        *,
        redactor: Redactor,
        now: Now,
        label: str = "",
        required: Iterable[str] = ("elevenlabs", "llm"),
    ) -> None:
        self._redact = redactor.text
        self._required = frozenset(required)
        self._open = OpenIncidents(documents, label=label, now=now)
        self._failing = Failing()
        self._degraded: dict[str, dict[str, str]] = {}
        self._seen: dict[str, set[str]] = {}
        # A breaker that is closed from the start of a run says nothing that would close these.
        self._unconfirmed = {
            incident.service for incident in self._open.all() if incident.cause == "breaker"
        }
        self._handlers: dict[type[Event], Callable[[Now, Any], Alerts]] = {
            AttemptFinished: self._attempt_finished,
            BreakerChanged: self._breaker_changed,
            HealthChecked: self._health_checked,
            CallChanged: self._call_changed,
            StepDegraded: self._step_degraded,
        }

    # What others ask

    @property
    def due_s(self) -> float:
        """The monotonic time at which `tick` has something to say; infinity when never."""
        return self._open.due_s

    def observe(self, stamped: Stamped) -> Alerts:
        """Take in one event; return the alerts to raise because of it."""
        handler = self._handlers.get(type(stamped.event))
        if handler is None:
            return []
        return handler(Now(stamped.utc_s, stamped.monotonic_s), stamped.event)

    def tick(self, now: Now) -> Alerts:
        """Return the alerts whose time has come."""
        return self._open.tick(now)

    def end_of_run(self, now: Now) -> Alerts:
        """Return what must be said before the run ends: held resolves, marked early, and counts.

        An incident of failed calls ends with its run, without an alert of its own.
        """
        return self._open.end_of_run(now)

    def incidents(self) -> list[Incident]:
        """Return the open incidents, the one that has been open longest first."""
        return self._open.all()

    def incident_of(self, service: str) -> str:
        """Return the id of a service's open incident, or an empty string."""
        incident = self._open.get(service)
        return incident.id if incident else ""

    def acknowledge(self, incident_id: str, now: Now) -> bool:
        """Note that a person knows of an incident: reminders become rare. False if unknown."""
        for incident in self._open.all():
            if incident.id == incident_id:
                slot = slot_of(incident)
                self._open.change(slot, acknowledged_utc_s=now.utc_s)
                if self._open.timers(slot).remind_s != NEVER:
                    self._open.remind(slot, now)
                return True
        return False

    def channel_broken(self, channel: str, error: str, now: Now) -> Alerts:
        """Open the incident of a channel that does not deliver; once until it works again."""
        slot = f"alerts.{channel}"
        if slot in self._open:
            return []
        self._open.open(
            slot,
            now,
            key=f"{slot}:undelivered",
            cause="channel",
            service=slot,
            error_class="undelivered",
            severity="warning",
            last_error=self._redact(error),
        )
        incident = self._open.change(slot)
        return [self._open.alert(slot, "opened", wording.channel_broken(incident, now.utc_s))]

    def channel_works(self, channel: str, now: Now) -> Alerts:
        """Resolve the incident of a channel that delivers again."""
        slot = f"alerts.{channel}"
        return [self._open.resolve(slot, now)] if slot in self._open else []

    # Attempts

    def _attempt_finished(self, now: Now, event: AttemptFinished) -> Alerts:
        if event.outcome == "ok":
            self._failing.succeeded(event.service, event.operation, event.call)
            return self._confirm(now, event)
        failure = self._failing.failed(now.utc_s, event)
        if failure is not None and failure.counts and failure.service in self._open:
            self._count_attempt(now, failure)
        return []

    def _count_attempt(self, now: Now, failure: Failure) -> None:
        slot = failure.service
        incident, timers = self._open.get(slot), self._open.timers(slot)
        if incident is None:
            return
        save = now.monotonic_s - timers.saved_s >= SAVE_S
        if save:
            timers.saved_s = now.monotonic_s
        self._open.change(
            slot,
            save=save,
            attempts_failed=incident.attempts_failed + 1,
            calls_affected=incident.calls_affected + self._is_new(slot, failure.call),
            last_error=self._redact(failure.error_message),
            last_http_status=failure.http_status,
            last_request_id=failure.request_id,
        )

    def _is_new(self, slot: str, call: str) -> bool:
        seen = self._seen.setdefault(slot, set())
        if not call or call in seen:
            return False
        seen.add(call)
        return True

    def _health_checked(self, now: Now, event: HealthChecked) -> Alerts:
        return self._confirm(now, event) if event.health == "healthy" else []

    def _confirm(self, now: Now, event: AttemptFinished | HealthChecked) -> Alerts:
        """Close what an earlier run left open, when the service turns out to be well."""
        if event.service not in self._unconfirmed or event.breaker_state != "closed":
            return []
        return self._closed(event.service, now)

    # Breakers

    def _breaker_changed(self, now: Now, event: BreakerChanged) -> Alerts:
        slot = event.service
        self._unconfirmed.discard(slot)
        if event.new == "closed":
            return self._closed(slot, now)
        by_a_person = event.new == "isolated" and event.owner not in _ISOLATING
        if event.new == "half_open" or by_a_person:
            return []
        incident = self._open.get(slot)
        if incident is None:
            return self._down(now, event)
        return self._down_again(now, event, incident)

    def _down(self, now: Now, event: BreakerChanged) -> Alerts:
        slot = event.service
        recent = self._open.recent.pop(slot, None)
        if recent is not None and now.utc_s - (recent.closed_utc_s or 0.0) <= REOPEN_S:
            self._open.take_back(slot, recent, Timers())
            self._down_again(now, event, recent)
            return [self._open.tell_update(slot, now)]
        self._seen.pop(slot, None)
        self._seen.pop(f"parked {slot}", None)
        error_class = event.error_class or event.outcome or "slow"
        fields = {"key": f"{slot}:{error_class}", "cause": "breaker", "error_class": error_class}
        if not self._adopt(now, event, fields):
            streak = self._failing.streak(slot)
            self._open.open(
                slot,
                now,
                service=slot,
                first_failure_utc_s=min(streak.first_failure_utc_s, now.utc_s),
                attempts_failed=streak.failures,
                calls_affected=sum(self._is_new(slot, call) for call in sorted(streak.calls)),
                **fields,
                **self._cause(event),
            )
        incident = self._open.change(slot, degraded=dict(self._degraded.get(slot, {})))
        self._open.remind(slot, now)
        return [self._open.alert(slot, "opened", wording.opened(incident, now.utc_s))]

    def _adopt(self, now: Now, event: BreakerChanged, fields: dict[str, Any]) -> bool:
        """Make calls that just failed by the same cause the beginning of the outage."""
        calls = calls_slot(event.service, event.outcome)
        incident = self._open.get(calls)
        if incident is None or now.utc_s - (incident.failed_utc_s or 0.0) > REOPEN_S:
            return False
        incident, timers = self._open.release(calls)
        timers.update_s = NEVER
        self._open.take_back(event.service, incident, timers)
        self._open.change(event.service, **fields, **self._cause(event))
        if incident.calls_failed > incident.told_failed:
            self._open.want_update(event.service, now)
        return True

    def _down_again(self, now: Now, event: BreakerChanged, incident: Incident) -> Alerts:
        slot, cause = event.service, self._cause(event)
        reopened = incident.closed_utc_s is not None
        worse = cause["owner"] != incident.owner and not reopened
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
        if reopened or worse:
            self._open.want_update(slot, now)
        if timers.remind_s == NEVER or worse:
            self._open.remind(slot, now)
        return []

    def _cause(self, event: BreakerChanged) -> dict[str, Any]:
        isolated = event.new == "isolated"
        critical = isolated or event.service in self._required
        return {
            "owner": event.owner if isolated else "",
            "severity": "critical" if critical else "warning",
            "reason": self._redact(event.reason),
            "last_error": self._redact(event.error_message or event.reason),
            "last_http_status": event.http_status,
            "last_request_id": event.request_id,
        }

    def _closed(self, slot: str, now: Now) -> Alerts:
        self._unconfirmed.discard(slot)
        self._failing.closed(slot)
        incident = self._open.get(slot)
        if incident is None or incident.closed_utc_s is not None:
            return []
        timers = self._open.timers(slot)
        self._open.change(slot, closed_utc_s=now.utc_s)
        timers.resolve_s = now.monotonic_s + HEALTH_HOLD_S
        timers.remind_s = NEVER
        if now.monotonic_s - timers.closed_told_s < UPDATE_S:
            self._open.want_update(slot, now)
            return []
        timers.closed_told_s = now.monotonic_s
        return [self._open.tell_update(slot, now)]

    def _step_degraded(self, now: Now, event: StepDegraded) -> Alerts:
        slot = event.service
        steps = self._degraded.setdefault(slot, {})
        if not event.active:
            steps.pop(event.step, None)
            return []
        steps[event.step] = self._redact(event.instead)
        incident = self._open.get(slot)
        if incident is not None and event.step not in incident.degraded:
            self._open.change(slot, degraded={**incident.degraded, event.step: steps[event.step]})
            self._open.want_update(slot, now)
        return []

    # Calls

    def _call_changed(self, now: Now, event: CallChanged) -> Alerts:
        if event.new == "parked":
            self._call_parked(event)
        elif event.new in {"failed", "review"} and event.result not in _NOT_REACHED:
            return self._call_failed(now, event)
        elif event.new in {"done", "cancelled"}:
            self._failing.finished(event.call)
        return []

    def _call_parked(self, event: CallChanged) -> None:
        incident = self._open.get(event.waits_for)
        if incident is not None and self._is_new(f"parked {event.waits_for}", event.call):
            self._open.change(event.waits_for, save=False, calls_parked=incident.calls_parked + 1)

    def _call_failed(self, now: Now, event: CallChanged) -> Alerts:
        failure = self._failing.finished(event.call)
        slot = self._slot_of_failed(now, event, failure)
        incident = self._open.get(slot)
        if incident is None:
            return []
        first = incident.calls_failed == 0
        incident = self._open.change(
            slot,
            calls_failed=incident.calls_failed + 1,
            told_failed=1 if first else incident.told_failed,
            failed_utc_s=now.utc_s,
        )
        if not first:
            self._open.want_update(slot, now)
            return []
        tell = wording.call_to_review if event.new == "review" else wording.call_failed
        who = mask(event.number) or event.call
        text = tell(incident, who, self._redact(event.reason), now.utc_s)
        return [self._open.alert(slot, "call_failed", text, severity="warning", call=event.call)]

    def _slot_of_failed(self, now: Now, event: CallChanged, failure: Failure | None) -> str:
        """Return the slot of the incident a failed call belongs to, opened when there is none."""
        service = failure.service if failure else event.waits_for
        if event.new == "review":
            return self._calls_incident(now, "", "review", event.reason)
        if service in self._open and (failure is None or failure.counts):
            return service
        outcome = failure.outcome if failure else "other"
        reason = failure.error_message if failure else event.reason
        return self._calls_incident(now, service, outcome, reason)

    def _calls_incident(self, now: Now, service: str, outcome: str, reason: str) -> str:
        slot = calls_slot(service, outcome)
        if slot not in self._open:
            self._open.open(
                slot,
                now,
                key=f"call:{outcome}",
                cause="calls",
                service=service,
                error_class=outcome,
                severity="warning",
                reason=self._redact(reason),
                last_error=self._redact(reason),
            )
        return slot
