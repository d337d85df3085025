"""Reads the store into the monitor's snapshot: what `status` and the screen are rebuilt from."""

from typing import Final

import msgspec

from callagent_cli.calls.model import CallState
from callagent_cli.events import AlertKind, Severity
from callagent_cli.masking import mask
from callagent_cli.monitor.snapshot import (
    BreakerSnapshot,
    CallSnapshot,
    MuteSnapshot,
    RunSnapshot,
    Snapshot,
)
from callagent_cli.monitor.view.alerts import AlertView
from callagent_cli.monitor.view.calls import WaitingGroup
from callagent_cli.store.documents import (
    RUN,
    RUN_KEY,
    SERVICE,
    RunDocument,
    ServiceDocument,
    read_run,
    read_services,
)
from callagent_cli.store.port import RunRow
from callagent_cli.store.sqlite_store import SqliteStore

_HOLDS_LANE: Final = frozenset({CallState.ACTIVE, CallState.BACKOFF})


class _Incident(msgspec.Struct, frozen=True):
    """What is shown of a stored incident."""

    id: str
    first_failure_utc_s: float | None = None
    acknowledged_utc_s: float | None = None
    acknowledged_by: str = ""

    @property
    def seen_by(self) -> str:
        """Who has seen it; empty when nobody has."""
        return "" if self.acknowledged_utc_s is None else self.acknowledged_by or "operator"


class _Alert(msgspec.Struct, frozen=True):
    """What is shown of a stored alert."""

    id: str
    incident: str
    kind: AlertKind
    severity: Severity
    service: str
    title: str
    body: str
    raised_utc_s: float
    call: str = ""


class _Mute(msgspec.Struct, frozen=True):
    """What is shown of a stored mute."""

    target: str
    until_utc_s: float
    by: str = ""


class _AlertRow(msgspec.Struct, frozen=True):
    """A stored alert; its deliveries are not looked at."""

    alert: _Alert


def snapshot_of(
    store: SqliteStore, campaign: str, *, alive: bool, now_utc_s: float, gone: bool = False
) -> Snapshot:
    """Return one look at the store; `alive` says that its lock is held by a living worker.

    Such a worker is never lost, however old its heartbeat: it may be busy. `gone` says that no
    process works on the last run although it never said its end. Raises `StoreError`.
    """
    row = store.last_run(campaign)
    current = store.last_run()
    last = row is not None and current is not None and row.id == current.id
    held, gone = last and alive, gone and row is not None and row.ended_utc_s is None
    totals = {state.value: calls for state, calls in store.totals(campaign).items()}
    waiting = tuple(
        WaitingGroup(
            state=group.state.value,
            waits_for=group.waits_for,
            reason=group.reason,
            calls=group.calls,
        )
        for group in store.waiting(campaign)
    )
    services = read_services(store.documents(SERVICE)).values()
    notes = read_run(store.get(RUN, RUN_KEY))
    calls = _calls(store, campaign)
    run = None
    if row is not None:
        run = _run(row, notes, alive_utc_s=now_utc_s if held else None, gone=gone)
    return Snapshot(
        run=run,
        totals=totals,
        waiting=waiting,
        results=store.results(campaign),
        breakers=tuple(_breaker(document) for document in services),
        alerts=open_alerts(store),
        calls=calls,
        in_doubt=_in_doubt(store, campaign, calls) if gone else 0,
        mutes=mutes_in_force(store, now_utc_s),
    )


def _in_doubt(store: SqliteStore, campaign: str, calls: tuple[CallSnapshot, ...]) -> int:
    """Count the calls in flight with a dial that may have rung."""
    open_ = set(store.calls_with_open_dials(campaign))
    return sum(call.call in open_ for call in calls)


def mutes_in_force(store: SqliteStore, now_utc_s: float) -> tuple[MuteSnapshot, ...]:
    """Return what is muted now, the mute that ends first at the head."""
    found = [
        msgspec.json.decode(body, type=_Mute) for _, body in store.documents("mute", open_only=True)
    ]
    held = [mute for mute in found if mute.until_utc_s > now_utc_s]
    return tuple(
        MuteSnapshot(target=mute.target, until_utc_s=mute.until_utc_s, by=mute.by)
        for mute in sorted(held, key=lambda mute: mute.until_utc_s)
    )


def open_alerts(store: SqliteStore) -> tuple[AlertView, ...]:
    """Return the latest alert of each open incident, oldest first.

    That a call failed by it is shown for an incident of which nothing else was told.
    """
    incidents = {}
    for key, body in store.documents("incident", open_only=True):
        incidents[key] = msgspec.json.decode(body, type=_Incident)
    latest: dict[str, AlertView] = {}
    for _, body in store.documents("alert") if incidents else []:
        alert = msgspec.json.decode(body, type=_AlertRow).alert
        incident = incidents.get(alert.incident)
        if incident is None or alert.kind == "resolved":
            continue
        if alert.kind == "call_failed" and incident.id in latest:
            continue
        latest[incident.id] = AlertView(
            alert=alert.id,
            incident=alert.incident,
            kind=alert.kind,
            severity=alert.severity,
            service=alert.service,
            title=alert.title,
            body=alert.body,
            raised_utc_s=alert.raised_utc_s,
            call=alert.call,
            seen_by=incident.seen_by,
            since_utc_s=incident.first_failure_utc_s,
        )
    return tuple(sorted(latest.values(), key=lambda alert: alert.raised_utc_s))


def _run(
    row: RunRow, notes: RunDocument | None, *, alive_utc_s: float | None, gone: bool
) -> RunSnapshot:
    if notes is None or notes.run != row.id:
        notes = RunDocument(run=row.id)
    return RunSnapshot(
        run=row.id,
        campaign=row.campaign,
        mode=row.mode,
        pid=row.pid,
        host=row.host,
        lanes=row.lanes,
        started_utc_s=row.started_utc_s,
        heartbeat_utc_s=row.heartbeat_utc_s if alive_utc_s is None else alive_utc_s,
        contacts=notes.contacts,
        ended_utc_s=row.ended_utc_s,
        exit_code=row.exit_code,
        verdict=row.verdict,
        paused_by=notes.paused_by,
        paused_utc_s=notes.paused_utc_s,
        draining=notes.draining,
        waiting=notes.waiting,
        waiting_due_utc_s=notes.waiting_due_utc_s,
        gone=gone,
    )


def _breaker(document: ServiceDocument) -> BreakerSnapshot:
    glance = document.glance
    return BreakerSnapshot(
        service=document.service,
        state=glance.state,
        since_utc_s=document.since_utc_s,
        reason=glance.reason,
        owner=glance.owner,
        open_until_utc_s=document.open_until_utc_s,
        next_check_utc_s=document.next_check_utc_s,
        health=None if document.checked_utc_s is None else document.health,
        health_utc_s=document.checked_utc_s,
        degraded=document.degraded,
        degraded_reason=document.degraded_reason,
        fallback=dict(document.fallback),
    )


def _calls(store: SqliteStore, campaign: str) -> tuple[CallSnapshot, ...]:
    return tuple(
        CallSnapshot(
            call=call.id,
            state=call.state.value,
            step=call.step.value,
            since_utc_s=call.updated_utc_s,
            name=call.contact.name,
            number=mask(call.contact.number),
            attempt=call.attempts,
            due_utc_s=call.due_utc_s,
            reason=call.reason,
        )
        for call in store.calls(campaign, _HOLDS_LANE)
    )
