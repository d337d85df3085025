"""What `callagent alerts` does."""

import os
import time
from pathlib import Path
from typing import Literal

from callagent_cli.cli.place.living_worker import ask, not_yet
from callagent_cli.cli.place.operator import operator_name
from callagent_cli.cli.place.snapshot import open_alerts
from callagent_cli.cli.place.workplace import Workplace, workplace
from callagent_cli.cli.text.output import standard_output
from callagent_cli.cli.text.suggestions import hint_for
from callagent_cli.clock import utc_text
from callagent_cli.errors import ExitCode, UsageError
from callagent_cli.monitor.view.alerts import AlertView
from callagent_cli.reporting.acknowledgement import acknowledgement
from callagent_cli.reporting.acknowledgement import keep as keep_acknowledgement
from callagent_cli.reporting.incidents.incident import load, named_by, save
from callagent_cli.store.lock import WorkerLock
from callagent_cli.store.sqlite_store import SqliteStore


def act_on_alerts(action: Literal["list", "ack"], wanted: str, config: Path | None) -> int:
    """List or acknowledge open alerts; raises `UsageError` for an id that is not open."""
    place = workplace(config, os.environ)
    output = standard_output()
    if action == "list":
        store = place.read_store()
        try:
            lines = [_line(alert) for alert in open_alerts(store)] or ["no open alerts"]
        finally:
            store.close()
        for line in lines:
            output.line(place.title(line))
        return int(ExitCode.DONE)
    store = place.write_store()
    try:
        output.line(place.title(_acknowledge(place, store, wanted)))
    finally:
        store.close()
    return int(ExitCode.DONE)


def _line(alert: AlertView) -> str:
    seen = f"  (seen by {alert.seen_by})" if alert.seen_by else ""
    at = utc_text(alert.raised_utc_s)[:19] + "Z"
    return f"{alert.incident}  {at}  {alert.severity}  {alert.title}{seen}"


def _acknowledge(place: Workplace, store: SqliteStore, wanted: str) -> str:
    incidents = [alert.incident for alert in open_alerts(store)]
    wanted = "" if wanted == "all" else wanted
    if wanted:
        meant = [incident for incident in incidents if named_by(incident, wanted)]
        if not meant:
            hint = hint_for(wanted, incidents, otherwise="list them: `callagent alerts`")
            raise UsageError(f"no open alert `{wanted}`", hint=hint)
        incidents = meant
    if not incidents:
        return "no open alerts: nothing to acknowledge"
    answer = ask(place, store, "ack", wanted)
    if answer is not None and not answer.obeyed:
        return not_yet(answer, "they are acknowledged")
    if answer is None:
        _store(place, store, frozenset(incidents))
    return f"acknowledged by {operator_name()}: {', '.join(incidents)}"


def _store(place: Workplace, store: SqliteStore, incidents: frozenset[str]) -> None:
    """Acknowledge in the store itself: no worker lives, and none may begin meanwhile."""
    lock = WorkerLock(place.lock)
    lock.acquire("alerts ack")
    try:
        for incident in load(store):
            if incident.id in incidents:
                by, now_utc_s = operator_name(), time.time()
                save(store, incident.evolve(acknowledged_utc_s=now_utc_s, acknowledged_by=by))
                row = acknowledgement(store, incident.id, by=by, now_utc_s=now_utc_s)
                if row is not None:
                    keep_acknowledgement(store, row, waits=True)
        store.flush()
    finally:
        lock.release()
