"""Folds events into incidents and decides which alerts they deserve; does nothing by itself."""

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import structs

from callagent_cli.events import (
    AttemptFinished,
    BreakerChanged,
    CallChanged,
    CommandObeyed,
    DialSettled,
    Event,
    HealthChecked,
    Stamped,
    StepDegraded,
)
from callagent_cli.reporting.incidents.affected import Affected
from callagent_cli.reporting.incidents.breaker_rules import BreakerRules
from callagent_cli.reporting.incidents.call_rules import CallRules
from callagent_cli.reporting.incidents.failure_log import FailureLog
from callagent_cli.reporting.incidents.failures import Failing
from callagent_cli.reporting.incidents.incident import Documents, Incident, named_by
from callagent_cli.reporting.incidents.moves import Moves
from callagent_cli.reporting.incidents.mutes import mute_of
from callagent_cli.reporting.incidents.open_incidents import OpenIncidents, slot_of
from callagent_cli.reporting.incidents.other_rules import ChannelRules, StallRules
from callagent_cli.reporting.incidents.shared import Alerts, NoRun, Shared, Situation
from callagent_cli.reporting.incidents.timers import NEVER, Now
from callagent_cli.reporting.incidents.worker_rules import WorkerRules
from callagent_cli.reporting.redaction import Redactor


def _no_settings(_service: str) -> dict[str, str]:
    return {}


class IncidentBook:
    """One outage is one incident: one `opened` alert, one `resolved`, updates in between.

    An incident is opened when a breaker leaves closed, unless a person moved it, and resolved once
    it has been closed for two minutes. A call that fails for good is told of at once when it is
    the first of its incident, and else as a count in an update; one that fails while no service is
    down makes an incident `call:<outcome>`, which ends with its run. A run that stands still for
    five minutes although it may dial, and a worker that was lost, are incidents too. They are kept
    in `documents`, so that a restart neither repeats nor forgets one. An outage of a service in
    `required` is critical; `label` stands before each title (SANDBOX); `in_force` returns the
    settings of a service, which an incident keeps together with `version`.
    """

    def __init__(
        self,
        documents: Documents,
        *,
        redactor: Redactor,
        now: Now,
        label: str = "",
        required: Iterable[str] = ("elevenlabs", "llm"),
        in_force: Callable[[str], dict[str, str]] = _no_settings,
        version: str = "",
    ) -> None:
        self._open = OpenIncidents(documents, label=label, now=now)
        self._shared = Shared(
            open=self._open,
            failing=Failing(FailureLog(documents, redactor.text), now.utc_s),
            affected=Affected(documents),
            moves=Moves(documents),
            redact=redactor.text,
            required=frozenset(required),
            in_force=in_force,
            version=version,
            run=NoRun(),
        )
        self._channels = ChannelRules(self._shared)
        self._stalls = StallRules(self._shared)
        self.workers = WorkerRules(self._shared)
        breakers, calls = BreakerRules(self._shared), CallRules(self._shared)
        self._handlers: dict[type[Event], Callable[[Now, Any], Alerts]] = {
            AttemptFinished: breakers.attempt_finished,
            BreakerChanged: breakers.breaker_changed,
            HealthChecked: breakers.health_checked,
            StepDegraded: breakers.step_degraded,
            CallChanged: calls.call_changed,
            DialSettled: calls.dial_settled,
            CommandObeyed: self._command_obeyed,
        }

    def watch(self, run: Situation) -> None:
        """Ask this run from now on how many calls an outage holds up."""
        self._shared.run = run

    @property
    def hears(self) -> frozenset[type[Event]]:
        """The events that can change anything here: the others need not be told."""
        return self._stalls.hears | self._handlers.keys()

    @property
    def due_s(self) -> float:
        """The monotonic time at which `tick` has something to say; infinity when never."""
        return min(self._open.due_s, self._stalls.due_s)

    def observe(self, stamped: Stamped) -> Alerts:
        """Take in one event; return the alerts to raise because of it."""
        event = stamped.event
        now = Now(stamped.utc_s, stamped.monotonic_s)
        self._stalls.observe(now, event)
        handler = self._handlers.get(type(event))
        return [] if handler is None else handler(now, event)

    def tick(self, now: Now) -> Alerts:
        """Return the alerts whose time has come."""
        return [*self._stalls.tick(now), *self._open.tick(now)]

    def end_of_run(self, now: Now) -> Alerts:
        """Return what must be said before the run ends: held resolves, marked early, and counts.

        An incident of failed calls ends with its run, without an alert of its own.
        """
        return self._open.end_of_run(now)

    def incidents(self) -> list[Incident]:
        """Return the open incidents, the one that has been open longest first."""
        return self._open.all()

    # What people and the surroundings say

    def channel_broken(self, channel: str, error: str, now: Now) -> Alerts:
        """Open the incident of a channel that does not deliver; once until it works again."""
        return self._channels.broken(channel, error, now)

    def channel_works(self, channel: str, now: Now) -> Alerts:
        """Note that a channel delivers again; `tick` resolves its incident if it stays so."""
        self._channels.works(channel, now)
        return []

    def channels_set(self, services: frozenset[str], now: Now) -> Alerts:
        """Resolve the incidents of channels that the settings name no more.

        `services` are those that they name, as alerts call them: `alerts.slack`, `sheet` …
        """
        return self._channels.only(services, now)

    def acknowledge(self, incident_id: str, now: Now, *, by: str = "") -> bool:
        """Note that a person knows of an incident: reminders become rare. False if unknown."""
        for incident in self._open.all():
            if incident.id == incident_id:
                slot = slot_of(incident)
                self._open.change(slot, acknowledged_utc_s=now.utc_s, acknowledged_by=by)
                if self._open.timers(slot).remind_s != NEVER:
                    self._open.remind(slot, now)
                return True
        return False

    def _command_obeyed(self, now: Now, event: CommandObeyed) -> Alerts:
        """Put a person's command into the timelines; obey those about alerts."""
        if event.command == "ack":
            everything = event.argument in {"", "all"}
            for incident in self._open.all():
                if everything or named_by(incident.id, event.argument):
                    self.acknowledge(incident.id, now, by=event.by)
        elif event.command == "mute":
            mute = mute_of(event.argument)
            if mute is not None:
                self._open.mute(structs.replace(mute, by=event.by), now)
        elif event.command == "unmute":
            self._open.unmute(event.argument, now)
        text = f"{event.by or 'operator'}: {event.command} {event.argument}".rstrip()
        for incident in self._open.all():
            self._shared.tell_move(slot_of(incident), now, text)
        return []
