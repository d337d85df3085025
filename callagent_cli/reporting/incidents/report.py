"""What an incident was, put together from the store: times, impact, waste, timeline, evidence."""

from collections.abc import Callable, Mapping
from typing import Final, Literal

import msgspec

from callagent_cli.clock import utc_text, utc_text_or_none
from callagent_cli.events import Severity
from callagent_cli.reporting.incidents.affected import affected_calls, failed_calls
from callagent_cli.reporting.incidents.incident import (
    BUCKETS_SHOWN,
    Documents,
    Incident,
    Sample,
    Waste,
    find,
)
from callagent_cli.reporting.incidents.moves import moves_of

_ALERT: Final = "alert"
_REVIEW: Final = "review"


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """When what happened, in UTC; `resolved` is when it was well again for good, or its run ended.

    It is `declared_over` after two minutes of health. The time to detect, to mitigate and to
    resolve count from the first failure, the time to acknowledge from the detection.
    """

    first_failure: str
    detected: str
    acknowledged: str | None
    acknowledged_by: str
    mitigated: str | None
    resolved: str | None
    declared_over: str | None
    mttd_s: float
    mtta_s: float | None
    mttm_s: float | None
    mttr_s: float | None


class Impact(msgspec.Struct, frozen=True, kw_only=True):
    """People by what the incident did to them.

    `affected` had a failed attempt, and `affected_now` says how these stand today; `protected`
    were held back and never met it; `failed` failed for good; `review` need a decision.
    """

    affected: int
    affected_now: dict[str, int]
    protected: int
    failed: int
    review: int


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the timeline."""

    time: str
    text: str


class Errors(msgspec.Struct, frozen=True, kw_only=True):
    """Failed attempts over time: counts by bucket of `bucket_s`, the first at the first failure."""

    bucket_s: float
    counts: list[int]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The whole report; `requeue` takes back exactly the calls that failed by it, if any did.

    `command` ends an incident that is open, where a command can.
    """

    schema: Literal[1] = 1
    id: str
    key: str
    service: str
    error_class: str
    severity: Severity
    status: str
    times_opened: int
    reason: str
    last_error: str
    times: Times
    impact: Impact
    waste: Waste
    timeline: list[Entry]
    samples: list[Sample]
    errors: Errors
    settings: dict[str, str]
    version: str
    requeue: str
    command: str


class _Alert(msgspec.Struct, frozen=True):
    """What the timeline needs of a stored alert."""

    id: str
    incident: str
    kind: str
    title: str
    raised_utc_s: float


class _Delivery(msgspec.Struct, frozen=True):
    delivered_utc_s: float | None = None
    error: str = ""
    pretended: bool = False


class _Row(msgspec.Struct, frozen=True):
    alert: _Alert
    deliveries: dict[str, _Delivery] = {}


def report_of(
    documents: Documents, incident_id: str, *, state_of: Callable[[str], str], pending: int = 0
) -> Report | None:
    """Return the report of an incident, or none when there is no such incident.

    `state_of` tells the state of a call today, or an empty text for one that is gone; `pending`
    is how many calls an incident that is still open holds up now.
    """
    incident = find(documents, incident_id)
    if incident is None:
        return None
    calls = affected_calls(documents, incident_id)
    return Report(
        id=incident.id,
        key=incident.key,
        service=incident.service,
        error_class=incident.error_class,
        severity=incident.severity,
        status=incident.status,
        times_opened=incident.times_opened,
        reason=incident.reason,
        last_error=incident.last_error,
        times=_times(incident),
        impact=_impact(incident, calls, state_of, pending),
        waste=incident.waste,
        timeline=_timeline(documents, incident),
        samples=list(incident.samples),
        errors=_errors(incident),
        settings=incident.settings,
        version=incident.version,
        requeue=_requeue(documents, incident.id),
        command=incident.command if incident.closed_utc_s is None else "",
    )


def _times(incident: Incident) -> Times:
    first_s, detected_s = incident.first_failure_utc_s, incident.opened_utc_s
    return Times(
        first_failure=utc_text(first_s),
        detected=utc_text(detected_s),
        acknowledged=utc_text_or_none(incident.acknowledged_utc_s),
        acknowledged_by=incident.acknowledged_by,
        mitigated=utc_text_or_none(incident.mitigated_utc_s),
        resolved=utc_text_or_none(incident.ended_utc_s),
        declared_over=utc_text_or_none(incident.resolved_utc_s),
        mttd_s=round(detected_s - first_s, 3),
        mtta_s=_between(detected_s, incident.acknowledged_utc_s),
        mttm_s=_between(first_s, incident.mitigated_utc_s),
        mttr_s=_between(first_s, incident.ended_utc_s),
    )


def _between(start_s: float, end_s: float | None) -> float | None:
    return None if end_s is None else round(max(0.0, end_s - start_s), 3)


def _impact(
    incident: Incident,
    calls: Mapping[str, frozenset[str]],
    state_of: Callable[[str], str],
    pending: int,
) -> Impact:
    held = pending if incident.cause == "breaker" and incident.closed_utc_s is None else 0
    today: dict[str, int] = {}
    for call, ways in calls.items():
        if "met" in ways:
            state = state_of(call) or "gone"
            today[state] = today.get(state, 0) + 1
    return Impact(
        affected=incident.calls_affected,
        affected_now=today,
        protected=max(incident.calls_protected, incident.calls_spared + held),
        failed=sum("failed" in ways for ways in calls.values()),
        review=sum(_REVIEW in ways or state_of(call) == _REVIEW for call, ways in calls.items()),
    )


def _timeline(documents: Documents, incident: Incident) -> list[Entry]:
    """Return what happened in the order in which it did."""
    entries = [(incident.first_failure_utc_s, 0, "first failure")]
    entries += [(move.at_utc_s, 1, move.text) for move in moves_of(documents, incident.id)]
    for _, body in documents.documents(_ALERT):
        row = msgspec.json.decode(body, type=_Row)
        if row.alert.incident == incident.id:
            entries += _told(row)
    if incident.acknowledged_utc_s is not None:
        who = incident.acknowledged_by or "operator"
        entries.append((incident.acknowledged_utc_s, 2, f"acknowledged by {who}"))
    if incident.resolved_utc_s is not None:
        early = ", early: the run ended" if incident.early else ""
        entries.append((incident.resolved_utc_s, 4, f"declared over{early}"))
    entries.sort(key=lambda entry: entry[:2])
    return [Entry(time=utc_text(at_s), text=text) for at_s, _, text in entries]


def _told(row: _Row) -> list[tuple[float, int, str]]:
    alert = row.alert
    told = [(alert.raised_utc_s, 2, f"alert {alert.id} ({alert.kind}): {alert.title}")]
    by_time: dict[float, list[str]] = {}
    for channel, delivery in row.deliveries.items():
        if delivery.delivered_utc_s is not None:
            by = f"{channel} (pretended)" if delivery.pretended else channel
            by_time.setdefault(delivery.delivered_utc_s, []).append(by)
        elif delivery.error:
            text = f"alert {alert.id} not delivered by {channel}: {delivery.error}"
            told.append((alert.raised_utc_s, 3, text))
    for at_s, channels in by_time.items():
        told.append((at_s, 3, f"alert {alert.id} delivered by {', '.join(channels)}"))
    return told


def _errors(incident: Incident) -> Errors:
    last = max(incident.errors, default=-1)
    if incident.closed_utc_s is not None:
        lasted_s = max(0.0, incident.closed_utc_s - incident.first_failure_utc_s)
        last = max(last, min(int(lasted_s // incident.bucket_s), BUCKETS_SHOWN))
    counts = [incident.errors.get(bucket, 0) for bucket in range(last + 1)]
    return Errors(bucket_s=incident.bucket_s, counts=counts)


def _requeue(documents: Documents, incident_id: str) -> str:
    failed = failed_calls(documents, incident_id)
    return f"callagent requeue --incident {incident_id}" if failed else ""
