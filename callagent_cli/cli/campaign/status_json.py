"""The document of `callagent status --json`: stable keys, UTC ISO times, seconds as numbers."""

from typing import Literal

import msgspec

from callagent_cli.clock import utc_text, utc_text_or_none
from callagent_cli.monitor.snapshot import BreakerSnapshot, RunSnapshot, Snapshot
from callagent_cli.monitor.state import ViewState
from callagent_cli.monitor.view.alerts import AlertView


class VerdictPart(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict line."""

    word: str
    detail: str


class RunPart(msgspec.Struct, frozen=True, kw_only=True):
    """The last run; `ended` is none while it lives, and when it was killed."""

    id: str
    pid: int
    host: str
    lanes: int
    contacts_file: str
    started: str
    ended: str | None
    exit_code: int | None
    reason: str
    paused_by: str
    draining: str
    waiting: str
    waiting_due: str | None


class WaitingPart(msgspec.Struct, frozen=True, kw_only=True):
    """Calls that wait in one state for one service or reason."""

    state: str
    waits_for: str
    reason: str
    calls: int


class ServicePart(msgspec.Struct, frozen=True, kw_only=True):
    """A service; `breaker` and `health` are none while nothing is known of them."""

    service: str
    breaker: str | None
    since: str | None
    reason: str
    owner: str
    open_until: str | None
    health: str | None
    checked: str | None
    next_check: str | None
    degraded: bool
    degraded_reason: str
    fallback: dict[str, str]


class AlertPart(msgspec.Struct, frozen=True, kw_only=True):
    """The latest alert of an open incident; `since` is when its trouble began."""

    incident: str
    alert: str
    kind: str
    severity: str
    service: str
    title: str
    since: str
    age_s: float
    raised: str
    acknowledged_by: str
    muted_until: str | None


class MutePart(msgspec.Struct, frozen=True, kw_only=True):
    """What a person wants to hear nothing of, until when."""

    target: str
    until: str
    by: str


class StatusDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The whole; `totals` counts the contacts by state and adds up to `contacts`.

    `half_loaded` says that people of the campaign's file may be missing: its load was interrupted,
    or is going on. `data_age_s` is how long ago the worker last said that it lives. With
    `worker_gone` nobody works on a run that never said its end, and `in_doubt` of its calls have a
    dial that may have rung. `sheet_rows_waiting` are not in the Google Sheet yet.
    """

    schema: Literal[1] = 1
    at: str
    mode: str
    campaign: str
    verdict: VerdictPart
    worker_alive: bool
    worker_gone: bool
    in_doubt: int
    data_age_s: float | None
    half_loaded: bool
    run: RunPart | None
    contacts: int
    totals: dict[str, int]
    results: dict[str, int]
    waiting: list[WaitingPart]
    services: list[ServicePart]
    alerts: list[AlertPart]
    mutes: list[MutePart]
    sheet_rows_waiting: int


def status_document(
    state: ViewState,
    snapshot: Snapshot,
    *,
    mode: str,
    campaign: str,
    worker_alive: bool,
    heartbeat_utc_s: float | None,
    now_utc_s: float,
    half_loaded: bool,
    sheet_rows_waiting: int,
) -> StatusDocument:
    """Return a look at the store as a document."""
    verdict = state.verdict(now_utc_s)
    breakers = {breaker.service: breaker for breaker in snapshot.breakers}
    age_s = None if heartbeat_utc_s is None else round(max(0.0, now_utc_s - heartbeat_utc_s), 3)
    return StatusDocument(
        at=utc_text(now_utc_s),
        mode=mode,
        campaign=campaign,
        verdict=VerdictPart(word=verdict.word, detail=verdict.detail),
        worker_alive=worker_alive,
        worker_gone=state.gone,
        in_doubt=state.in_doubt,
        data_age_s=age_s,
        half_loaded=half_loaded,
        run=None if snapshot.run is None else _run(snapshot.run),
        contacts=state.calls.contacts,
        totals=state.calls.totals,
        results=state.calls.results,
        waiting=[
            WaitingPart(
                state=group.state,
                waits_for=group.waits_for,
                reason=group.reason,
                calls=group.calls,
            )
            for group in state.calls.waiting()
        ],
        services=[
            _service(breakers.get(name) or BreakerSnapshot(service=name)) for name in state.services
        ],
        alerts=[_alert(alert, state, now_utc_s) for alert in state.alerts.open_alerts()],
        mutes=[
            MutePart(target=mute.target, until=utc_text(mute.until_utc_s), by=mute.by)
            for mute in state.mutes
        ],
        sheet_rows_waiting=sheet_rows_waiting,
    )


def _run(run: RunSnapshot) -> RunPart:
    return RunPart(
        id=run.run,
        pid=run.pid,
        host=run.host,
        lanes=run.lanes,
        contacts_file=run.contacts,
        started=utc_text(run.started_utc_s),
        ended=utc_text_or_none(run.ended_utc_s),
        exit_code=run.exit_code,
        reason=run.verdict,
        paused_by=run.paused_by,
        draining=run.draining,
        waiting=run.waiting,
        waiting_due=utc_text_or_none(run.waiting_due_utc_s),
    )


def _service(stored: BreakerSnapshot) -> ServicePart:
    return ServicePart(
        service=stored.service,
        breaker=stored.state,
        since=utc_text_or_none(stored.since_utc_s),
        reason=stored.reason,
        owner=stored.owner,
        open_until=utc_text_or_none(stored.open_until_utc_s),
        health=stored.health,
        checked=utc_text_or_none(stored.health_utc_s),
        next_check=utc_text_or_none(stored.next_check_utc_s),
        degraded=stored.degraded,
        degraded_reason=stored.degraded_reason,
        fallback=stored.fallback,
    )


def _alert(alert: AlertView, state: ViewState, now_utc_s: float) -> AlertPart:
    since_s = state.alerts.since_s(alert)
    until_s = [
        mute.until_utc_s for mute in state.mutes if mute.covers(alert.service, alert.incident)
    ]
    return AlertPart(
        incident=alert.incident,
        alert=alert.alert,
        kind=alert.kind,
        severity=alert.severity,
        service=alert.service,
        title=alert.title,
        since=utc_text(since_s),
        age_s=round(max(0.0, now_utc_s - since_s), 3),
        raised=utc_text(alert.raised_utc_s),
        acknowledged_by=alert.seen_by,
        muted_until=utc_text_or_none(max(until_s, default=None)),
    )
