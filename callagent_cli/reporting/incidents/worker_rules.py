"""The incident of a worker that was lost: told by whoever notices first, ended by the next one."""

from typing import Final

from callagent_cli.reporting.incidents import wording
from callagent_cli.reporting.incidents.incident import Incident
from callagent_cli.reporting.incidents.lost_worker import LostWorker
from callagent_cli.reporting.incidents.open_incidents import REMIND_CRITICAL_S, REMIND_S
from callagent_cli.reporting.incidents.shared import Alerts, Shared
from callagent_cli.reporting.incidents.timers import Now

LOST_SLOT: Final = "worker.heartbeat"
"""The service under which a lost worker is told of."""


class WorkerRules:
    """Tells that a run ended without a word.

    A process that only watches notices it at once, and the incident stays open until a worker
    lives again. Otherwise the next start notices it, and it is over with two minutes of health.
    """

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._open = shared.open

    def lost(self, worker: LostWorker, now: Now) -> Alerts:
        """Tell, as the worker that comes after it, that one was lost; it is back by that."""
        incident = self._open.get(LOST_SLOT)
        if incident is not None and incident.closed_utc_s is None:
            return self.back(now)
        again = self._go_on(now)
        if not again:
            self._begin(worker, now)
        self._open.change(LOST_SLOT, save=False, severity="warning", last_error=worker.what)
        self.back(now)
        if again:
            self._open.want_update(LOST_SLOT, now)
            return []
        incident = self._open.change(LOST_SLOT)
        silent_s = now.utc_s - worker.heartbeat_utc_s
        text = wording.worker_lost(incident, silent_s, now.utc_s)
        return [self._open.alert(LOST_SLOT, "opened", text)]

    def gone(self, worker: LostWorker, now: Now) -> Alerts:
        """Tell, as one who only watches, that nobody dials any more; remind when it lasts."""
        incident = self._open.get(LOST_SLOT)
        if incident is not None and incident.closed_utc_s is None:
            return self._reminded(incident, now)
        again = self._go_on(now)
        if not again:
            self._begin(worker, now)
        affected = self._shared.affected
        met = self._open.change(LOST_SLOT, save=False)
        fresh = sum(affected.note(met.id, call, "met") for call in worker.in_flight)
        incident = self._open.change(
            LOST_SLOT,
            severity="critical",
            closed_utc_s=None,
            updated_utc_s=now.utc_s,
            last_error=worker.what,
            command=worker.command,
            calls_affected=met.calls_affected + fresh,
            calls_held=worker.pending,
        )
        self._shared.tell_move(LOST_SLOT, now, worker.what)
        text = wording.worker_gone(incident, now.utc_s)
        return [self._open.alert(LOST_SLOT, "update" if again else "opened", text)]

    def back(self, now: Now) -> Alerts:
        """Note that a worker lives; the incident is over when it has done so for a while."""
        incident = self._open.get(LOST_SLOT)
        if incident is not None and incident.closed_utc_s is None:
            self._open.close(LOST_SLOT, now, mitigated_utc_s=now.utc_s)
            self._shared.tell_move(LOST_SLOT, now, "a worker lives again")
        return []

    def healthy(self, now: Now) -> Alerts:
        """Tell, as one who only watches, that the worker has lived for long enough."""
        self.back(now)
        if LOST_SLOT in self._open and self._open.timers(LOST_SLOT).resolve_s <= now.monotonic_s:
            return [self._open.resolve(LOST_SLOT, now)]
        return []

    def _begin(self, worker: LostWorker, now: Now) -> None:
        self._shared.begin(
            LOST_SLOT,
            now,
            key="worker:heartbeat_lost",
            cause="worker",
            service=LOST_SLOT,
            error_class="heartbeat_lost",
            severity="critical",
            first_failure_utc_s=min(worker.heartbeat_utc_s, now.utc_s),
        )

    def _go_on(self, now: Now) -> bool:
        """Take up the incident of a worker that was lost a short while ago, if there is one."""
        if LOST_SLOT not in self._open and self._open.take_recent(LOST_SLOT, now) is None:
            return False
        self._open.reopen(LOST_SLOT)
        return True

    def _reminded(self, incident: Incident, now: Now) -> Alerts:
        """Remind by the stored times: each look of a watcher may be another process."""
        every_s = REMIND_CRITICAL_S if incident.acknowledged_utc_s is None else REMIND_S
        if now.utc_s - (incident.updated_utc_s or incident.opened_utc_s) < every_s:
            return []
        incident = self._open.change(LOST_SLOT, updated_utc_s=now.utc_s)
        text = wording.reminder(incident, now.utc_s)
        return [self._open.alert(LOST_SLOT, "update", text)]
