"""Incidents of callagent itself: a dead channel, and a run that stands still."""

from typing import Final

from callagent_cli.events import Event
from callagent_cli.reporting.incidents import channel_wording, wording
from callagent_cli.reporting.incidents.shared import Alerts, Shared
from callagent_cli.reporting.incidents.stall import Stall
from callagent_cli.reporting.incidents.timers import Now

STALL_SLOT: Final = "worker"


class ChannelRules:
    """Tells on the other channels that one of them does not deliver."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._open = shared.open

    def broken(self, channel: str, error: str, now: Now) -> Alerts:
        """Open the incident of a channel that does not deliver; once until it works again.

        One that worked for less than ten minutes goes on with the incident it had.
        """
        slot, error = _slot(channel), self._shared.redact(error)
        held = self._open.get(slot)
        if held is not None and held.closed_utc_s is None:
            return []
        if held is not None or self._open.take_recent(slot, now) is not None:
            return self._again(slot, error, now)
        self._shared.begin(
            slot,
            now,
            key=f"{slot}:undelivered",
            cause="channel",
            service=slot,
            error_class="undelivered",
            severity="warning",
            last_error=error,
        )
        incident = self._open.change(slot)
        self._open.remind(slot, now)
        return [
            self._open.alert(slot, "opened", channel_wording.channel_broken(incident, now.utc_s))
        ]

    def _again(self, slot: str, error: str, now: Now) -> Alerts:
        """Go on with an incident; that it was over is taken back at once."""
        over = self._open.reopen(slot, last_error=error).told_resolved
        self._open.remind(slot, now)
        if over:
            return [self._open.tell_update(slot, now)]
        self._open.want_update(slot, now)
        return []

    def works(self, channel: str, now: Now) -> None:
        """Note that a channel delivers again; its incident is over when it stays so."""
        slot = _slot(channel)
        incident = self._open.get(slot)
        if incident is not None and incident.closed_utc_s is None:
            self._open.close(slot, now)
            self._shared.tell_move(slot, now, "it works again")

    def only(self, services: frozenset[str], now: Now) -> Alerts:
        """Resolve the incidents of channels that are none of these: they are not set any more."""
        alerts = []
        for incident in self._open.all():
            service = incident.service.removesuffix(channel_wording.RECIPIENTS)
            if incident.cause == "channel" and service not in services:
                self._open.change(incident.service, save=False, last_error=channel_wording.NOT_SET)
                alerts.append(self._open.resolve(incident.service, now))
        return alerts


def _slot(channel: str) -> str:
    return channel if channel == channel_wording.SHEET else f"alerts.{channel}"


class StallRules:
    """Tells when nothing moves although it could."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._open = shared.open
        self._stall = Stall(shared.required)
        self._stall.told = STALL_SLOT in self._open

    @property
    def hears(self) -> frozenset[type[Event]]:
        """The events that say whether the run moves."""
        return self._stall.hears

    @property
    def due_s(self) -> float:
        """The monotonic time at which there is something to tell."""
        return self._stall.due_s

    def observe(self, now: Now, event: Event) -> None:
        """Take in one event; what moves again ends the incident, after some health."""
        if not self._stall.observe(now.monotonic_s, event) or not self._stall.told:
            return
        self._stall.told = False
        incident = self._open.get(STALL_SLOT)
        if incident is not None and incident.closed_utc_s is None:
            self._open.close(STALL_SLOT, now)
            self._shared.tell_move(STALL_SLOT, now, "calls move again")

    def tick(self, now: Now) -> Alerts:
        """Return the alert that the run stands still, when it does."""
        if self._stall.due_s > now.monotonic_s:
            return []
        self._stall.told = True
        slot = STALL_SLOT
        recent = self._open.take_recent(slot, now)
        if recent is not None:
            self._open.reopen(slot)
            self._open.remind(slot, now)
            return [self._open.tell_update(slot, now)]
        self._shared.begin(
            slot,
            now,
            key="worker:no_progress",
            cause="stall",
            service=slot,
            error_class="no_progress",
            severity="critical",
            first_failure_utc_s=now.utc_s - (now.monotonic_s - self._stall.moved_s),
            last_error="no step of any call ended, although dialing is allowed",
        )
        incident = self._open.change(slot, calls_held=self._shared.run.pending())
        self._open.remind(slot, now)
        return [self._open.alert(slot, "opened", wording.stalled(incident, now.utc_s))]
