"""The open incidents with their timers: raises their alerts, resolves them, and keeps them."""

from typing import Any, Final

from msgspec import structs

from callagent_cli.events import AlertKind, AlertRaised, Severity
from callagent_cli.reporting.incidents import incident as kept
from callagent_cli.reporting.incidents import wording
from callagent_cli.reporting.incidents.incident import Documents, Incident
from callagent_cli.reporting.incidents.mutes import Mute, Mutes
from callagent_cli.reporting.incidents.text import Text
from callagent_cli.reporting.incidents.timers import NEVER, Now, Timers

HEALTH_HOLD_S: Final = 120.0
"""How long a service must stay well before its incident is declared over."""

REOPEN_S: Final = 600.0
"""What breaks again within this time of its end continues the same incident."""

GROUP_S: Final = 30.0
"""Changes are gathered this long before they are told together."""

UPDATE_S: Final = 300.0
"""The least time between two updates of an incident (Alertmanager's group interval)."""

REMIND_S: Final = 4 * 3600.0
REMIND_CRITICAL_S: Final = 1800.0


def slot_of(incident: Incident) -> str:
    """Return which slot an incident takes; a slot has one open incident at most."""
    return (
        calls_slot(incident.service, incident.error_class)
        if incident.cause == "calls"
        else incident.service
    )


def calls_slot(service: str, outcome: str) -> str:
    """Return the slot of calls that fail by one outcome of one service."""
    return f"call:{outcome}@{service}"


class OpenIncidents:
    """A slot's open incident: a service that is down, a cause of failing calls, a dead channel.

    `label` stands before each title (SANDBOX). `recent` holds, by slot, what was resolved last.
    """

    def __init__(self, documents: Documents, *, label: str, now: Now) -> None:
        self._documents = documents
        self._label = f"{label}: " if label else ""
        self._open: dict[str, Incident] = {}
        self._timers: dict[str, Timers] = {}
        self._count = 0
        self._mutes = Mutes(documents)
        self.recent: dict[str, Incident] = {}
        for incident in kept.load(documents):
            self._take_up(incident, now)

    def _take_up(self, incident: Incident, now: Now) -> None:
        self._count = max(self._count, int(incident.id.removeprefix("INC-")))
        slot = slot_of(incident)
        if incident.status == "resolved":
            self.recent[slot] = incident
            return
        self._open[slot], timers = incident, Timers(opened_s=now.monotonic_s)
        self._timers[slot] = timers
        if incident.closed_utc_s is not None:
            held_s = min(max(0.0, now.utc_s - incident.closed_utc_s), HEALTH_HOLD_S)
            timers.resolve_s = now.monotonic_s + HEALTH_HOLD_S - held_s
        elif incident.cause in {"breaker", "channel"}:
            told_s = max(incident.opened_utc_s, incident.updated_utc_s or 0.0)
            self.remind(slot, now, ago_s=max(0.0, now.utc_s - told_s))
        if incident.updated_utc_s is not None:
            ago_s = min(max(0.0, now.utc_s - incident.updated_utc_s), UPDATE_S)
            timers.updated_s = now.monotonic_s - ago_s
        if incident.calls_failed > incident.told_failed:
            self.want_update(slot, now)
        self._await_unmute(slot, now)

    def __contains__(self, slot: object) -> bool:
        return slot in self._open

    def get(self, slot: str) -> Incident | None:
        """Return the open incident of a slot."""
        return self._open.get(slot)

    def timers(self, slot: str) -> Timers:
        """Return the timers of a slot's open incident."""
        return self._timers[slot]

    def all(self) -> list[Incident]:
        """Return the open incidents, the one that has been open longest first."""
        return list(self._open.values())

    @property
    def due_s(self) -> float:
        """The monotonic time of the next thing to tell; infinity when there is none."""
        due_s = NEVER
        # It is read after each event: one comparison a timer, and nothing is made for it.
        for timers in self._timers.values():
            for at_s in (timers.update_s, timers.resolve_s, timers.remind_s, timers.unmute_s):
                if at_s < due_s:  # noqa: PLR1730 — `min` is a call, and costs three comparisons.
                    due_s = at_s
        return due_s

    # Changes

    def open(self, slot: str, now: Now, **fields: Any) -> None:  # noqa: ANN401 — the fields of Incident.
        """Begin an incident under the next free id; nothing is told of it yet."""
        fields.setdefault("first_failure_utc_s", now.utc_s)
        self._open[slot] = Incident(id=self._next_id(), opened_utc_s=now.utc_s, **fields)
        self._timers[slot] = Timers()
        self._await_unmute(slot, now)

    def _next_id(self) -> str:
        """Return an id that nobody has: a process that watches opens incidents too."""
        self._count += 1
        while self._documents.get(kept.KIND, f"INC-{self._count:04d}") is not None:
            self._count += 1
        return f"INC-{self._count:04d}"

    def take_back(self, slot: str, incident: Incident, timers: Timers) -> None:
        """Open a slot with an incident that has its id already."""
        self._open[slot], self._timers[slot] = incident, timers

    def release(self, slot: str) -> tuple[Incident, Timers]:
        """Free a slot; its incident goes on elsewhere."""
        return self._open.pop(slot), self._timers.pop(slot)

    def change(self, slot: str, *, save: bool = True, **fields: Any) -> Incident:  # noqa: ANN401 — as above.
        """Change some fields of an open incident; `save` false leaves the store behind."""
        changed = self._open[slot] = self._open[slot].evolve(**fields)
        if save:
            kept.save(self._documents, changed)
        return changed

    def replace(self, slot: str, incident: Incident, *, save: bool) -> None:
        """Put a changed value of an open incident in its place."""
        self._open[slot] = incident
        if save:
            kept.save(self._documents, incident)

    def waste(self, slot: str, *, after_open: int) -> None:
        """Count requests that should not have been sent."""
        waste = self._open[slot].waste
        waste = structs.replace(waste, after_open=waste.after_open + after_open)
        self.change(slot, waste=waste)

    def take_recent(self, slot: str, now: Now, *, owner: str = "") -> Incident | None:
        """Take back an incident that ended a short while ago: it goes on, under its id.

        One that waited for another act of a person, or for none, is another matter.
        """
        recent = self.recent.get(slot)
        if recent is None or recent.owner != owner:
            return None
        if now.utc_s - (recent.closed_utc_s or 0.0) > REOPEN_S:
            return None
        del self.recent[slot]
        self.take_back(slot, recent, Timers(opened_s=now.monotonic_s))
        self._await_unmute(slot, now)
        return recent

    def reopen(self, slot: str, **fields: Any) -> Incident:  # noqa: ANN401 — as above.
        """Go on with an incident that was well again: it is its next time."""
        self._timers[slot].resolve_s = NEVER
        return self.change(
            slot,
            status="opened",
            closed_utc_s=None,
            resolved_utc_s=None,
            early=False,
            times_opened=self._open[slot].times_opened + 1,
            **fields,
        )

    def close(self, slot: str, now: Now, **fields: Any) -> None:  # noqa: ANN401 — as above.
        """Note that it is well again: the incident is over when it has been so for a while."""
        self.change(slot, closed_utc_s=now.utc_s, **fields)
        timers = self._timers[slot]
        timers.resolve_s = now.monotonic_s + HEALTH_HOLD_S
        timers.update_s = timers.remind_s = NEVER

    def save_all(self) -> None:
        """Bring the store up to date."""
        for incident in self._open.values():
            kept.save(self._documents, incident)

    def want_update(self, slot: str, now: Now) -> None:
        """Tell of a change soon: grouped with what follows, and not too often."""
        timers = self._timers[slot]
        soon_s = max(now.monotonic_s + GROUP_S, timers.updated_s + UPDATE_S)
        timers.update_s = min(timers.update_s, soon_s)

    def remind(self, slot: str, now: Now, *, ago_s: float = 0.0) -> None:
        """Set when to remind of an incident; `ago_s` is how long ago it was told of."""
        incident = self._open[slot]
        urgent = incident.severity == "critical" and incident.acknowledged_utc_s is None
        every_s = REMIND_CRITICAL_S if urgent else REMIND_S
        self._timers[slot].remind_s = now.monotonic_s + every_s - ago_s % every_s

    # Mutes

    def mute(self, mute: Mute, now: Now) -> None:
        """Take up a mute; how its incidents stand is told as soon as it is over."""
        self._mutes.set(mute)
        for slot in self._open:
            self._await_unmute(slot, now)

    def unmute(self, target: str, now: Now) -> None:
        """End a mute; how the incidents stand that it covered last is told at once."""
        silent = [slot for slot in self._open if self._is_muted(slot, now)]
        self._mutes.lift(target)
        for slot in silent:
            self._await_unmute(slot, now)
            if not self._is_muted(slot, now):
                self._timers[slot].unmute_s = now.monotonic_s

    def _is_muted(self, slot: str, now: Now) -> bool:
        incident = self._open[slot]
        return self._mutes.covering(incident.id, incident.service, now.utc_s) is not None

    def _await_unmute(self, slot: str, now: Now) -> None:
        """Set when to tell how an incident stands: at the end of a mute that keeps it silent."""
        incident = self._open[slot]
        told_s = max(incident.opened_utc_s, incident.updated_utc_s or 0.0)
        end_s = self._mutes.end_utc_s(incident.id, incident.service)
        wait_s = max(0.0, end_s - now.utc_s) if end_s > told_s else NEVER
        self._timers[slot].unmute_s = now.monotonic_s + wait_s

    # Alerts

    def alert(
        self,
        slot: str,
        kind: AlertKind,
        text: Text,
        *,
        severity: Severity | None = None,
        call: str = "",
    ) -> AlertRaised:
        """Return an alert of a slot's incident under an id of its own, and keep the incident."""
        incident = self.change(slot, alerts=self._open[slot].alerts + 1)
        return AlertRaised(
            alert=f"{incident.id}-{incident.alerts:02d}",
            incident=incident.id,
            kind=kind,
            severity=severity or incident.severity,
            service=incident.service,
            title=self._label + text.title,
            body=text.body,
            call=call,
        )

    def tell_update(self, slot: str, now: Now) -> AlertRaised:
        """Return the update that an incident is due."""
        timers, incident = self._timers[slot], self._open[slot]
        timers.update_s, timers.updated_s = NEVER, now.monotonic_s
        if timers.remind_s != NEVER:
            self.remind(slot, now)
        text = wording.changed(incident, now.utc_s)
        self.change(slot, save=False, told_failed=incident.calls_failed, updated_utc_s=now.utc_s)
        self._await_unmute(slot, now)
        well = incident.closed_utc_s is not None and incident.cause != "worker"
        return self.alert(slot, "update", text, severity="info" if well else None)

    def resolve(self, slot: str, now: Now, *, early: bool = False) -> AlertRaised:
        """Declare an incident over; return the alert that says so.

        An incident that was resolved before and came back soon after ends in an update: it has one
        opened and one resolved alert in all.
        """
        kind: AlertKind = "update" if self._open[slot].told_resolved else "resolved"
        incident = self.change(
            slot,
            save=False,
            status="resolved",
            told_resolved=True,
            resolved_utc_s=now.utc_s,
            early=early,
            told_failed=self._open[slot].calls_failed,
        )
        text = wording.over(incident, now.utc_s)
        alert = self.alert(slot, kind, text, severity="info")
        self._forget(slot)
        return alert

    def end_quietly(self, slot: str, now: Now) -> None:
        """Declare an incident over of which nothing is left to tell."""
        self.change(slot, status="resolved", resolved_utc_s=now.utc_s)
        self._forget(slot)

    def _forget(self, slot: str) -> None:
        self.recent[slot], _ = self.release(slot)

    def tick(self, now: Now) -> list[AlertRaised]:
        """Return the alerts whose time has come; `due_s` says when to ask again."""
        alerts: list[AlertRaised] = []
        for slot, timers in list(self._timers.items()):
            if timers.resolve_s <= now.monotonic_s:
                alerts.append(self.resolve(slot, now))
            elif min(timers.update_s, timers.unmute_s) <= now.monotonic_s:
                alerts.append(self.tell_update(slot, now))
            elif timers.remind_s <= now.monotonic_s:
                self.remind(slot, now)
                text = wording.reminder(self._open[slot], now.utc_s)
                alerts.append(self.alert(slot, "update", text))
        return alerts

    def end_of_run(self, now: Now) -> list[AlertRaised]:
        """Return what must be said before the run ends, and bring the store up to date."""
        alerts: list[AlertRaised] = []
        for slot, incident in list(self._open.items()):
            if incident.closed_utc_s is not None:
                early = now.monotonic_s < self._timers[slot].resolve_s
                alerts.append(self.resolve(slot, now, early=early))
                continue
            if incident.calls_failed > incident.told_failed:
                alerts.append(self.tell_update(slot, now))
            if incident.cause == "calls":
                self.end_quietly(slot, now)
            elif incident.cause == "stall":
                alerts.append(self.resolve(slot, now, early=True))
        self.save_all()
        return alerts
