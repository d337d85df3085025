"""Calls that an outage holds up, and calls that fail for good or need a decision."""

from typing import Final

from callagent_cli.events import CallChanged, DialSettled
from callagent_cli.masking import mask
from callagent_cli.reporting.incidents import wording
from callagent_cli.reporting.incidents.counting import counted
from callagent_cli.reporting.incidents.failure_log import Failure
from callagent_cli.reporting.incidents.failures import CALLS_MAX
from callagent_cli.reporting.incidents.incident import Incident
from callagent_cli.reporting.incidents.open_incidents import calls_slot
from callagent_cli.reporting.incidents.shared import Alerts, Shared
from callagent_cli.reporting.incidents.timers import Now

REDIAL_REFUSED: Final = "redial_refused"
"""The error class of calls that are not dialed again because nobody knows whether they rang."""

_IN_LANE: Final = frozenset({"active", "backoff"})
_NOT_REACHED: Final = frozenset({"no_answer", "busy", "voicemail", "declined"})


class CallRules:
    """Folds the calls' moves; the first failed call of an incident is told, the rest counted."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._open = shared.open
        self._unknown: dict[str, None] = {}

    def dial_settled(self, _now: Now, event: DialSettled) -> Alerts:
        """Remember the calls whose last dial may have rung a phone."""
        self._unknown.pop(event.call, None)
        if event.status == "unknown":
            if len(self._unknown) >= CALLS_MAX:
                del self._unknown[next(iter(self._unknown))]
            self._unknown[event.call] = None
        return []

    def call_changed(self, now: Now, event: CallChanged) -> Alerts:
        """Take in one move of a call."""
        if event.new in _IN_LANE:
            self._shared.in_lanes.add(event.call)
        else:
            self._shared.in_lanes.discard(event.call)
        if event.new == "parked":
            self._parked(event)
        elif event.new in {"failed", "review"} and event.result not in _NOT_REACHED:
            return self._failed(now, event)
        elif event.new in {"done", "cancelled"}:
            self._shared.failing.finished(event.call)
            self._unknown.pop(event.call, None)
        return []

    def _parked(self, event: CallChanged) -> None:
        slot = event.waits_for
        incident = self._open.get(slot)
        affected = self._shared.affected
        if incident is not None and affected.note(incident.id, event.call, "parked"):
            unhurt = not affected.was(incident.id, event.call, "met")
            self._open.change(
                slot,
                calls_parked=incident.calls_parked + 1,
                calls_spared=incident.calls_spared + unhurt,
            )

    def _failed(self, now: Now, event: CallChanged) -> Alerts:
        failure = self._shared.failing.finished(event.call)
        slot = self._slot_of(now, event, failure)
        incident = self._open.get(slot)
        if incident is None:
            return []
        first = incident.calls_failed == 0
        self._touched(slot, incident, event, failure=failure)
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
        text = tell(incident, who, self._shared.redact(event.reason), now.utc_s)
        self._shared.tell_move(slot, now, f"call {event.call} {event.new}: {event.reason}")
        return [self._open.alert(slot, "call_failed", text, severity="warning", call=event.call)]

    def _touched(
        self, slot: str, incident: Incident, event: CallChanged, *, failure: Failure | None
    ) -> None:
        """Keep which call it was, and the failure that was its last word as an example."""
        affected = self._shared.affected
        affected.note(incident.id, event.call, "review" if event.new == "review" else "failed")
        if incident.cause == "calls" and failure is not None:
            fresh = affected.note(incident.id, event.call, "met")
            incident = counted(incident, [failure], self._shared.redact)
            changed = incident.evolve(calls_affected=incident.calls_affected + fresh)
            self._open.replace(slot, changed, save=False)

    def _slot_of(self, now: Now, event: CallChanged, failure: Failure | None) -> str:
        """Return the slot of the incident a failed call belongs to, opened when there is none."""
        service = failure.service if failure else event.waits_for
        if event.new == "review":
            unknown = event.call in self._unknown
            self._unknown.pop(event.call, None)
            error_class = REDIAL_REFUSED if unknown else "review"
            return self._begun(now, "", error_class, event.reason)
        if service in self._open and (failure is None or failure.counts):
            return service
        outcome = failure.outcome if failure else "other"
        reason = failure.error_message if failure else event.reason
        return self._begun(now, service, outcome, reason)

    def _begun(self, now: Now, service: str, outcome: str, reason: str) -> str:
        slot = calls_slot(service, outcome)
        if slot not in self._open:
            self._shared.begin(
                slot,
                now,
                key=f"call:{outcome}",
                cause="calls",
                service=service,
                error_class=outcome,
                severity="warning",
                reason=self._shared.redact(reason),
                last_error=self._shared.redact(reason),
            )
        return slot
