"""What PagerDuty is told though no person reads it: an incident was seen, or ended quietly."""

from hashlib import sha256
from typing import Final

import msgspec

from callagent_cli.reporting.alert import Alert, AlertStatus
from callagent_cli.reporting.delivery import Delivery, Row
from callagent_cli.reporting.incidents.incident import Documents, load

KIND: Final = "acknowledgement"
"""The kind under which acknowledgements wait as documents: they are no alerts, nobody reads one."""

ACKNOWLEDGING: Final = frozenset({"pagerduty"})
"""The channels that keep incidents of their own; the others reach people, and need none."""

_ALERTS: Final = "alert"


def acknowledgement(
    documents: Documents, incident: str, *, by: str, now_utc_s: float
) -> Row | None:
    """Return what is to be sent because somebody has seen an incident.

    None when no channel that knows acknowledgements was told of the incident, or one waits already.
    """
    waiting = documents.get(KIND, incident)
    if waiting is not None and not _settled(msgspec.json.decode(waiting, type=Row)):
        return None
    rows = [
        row
        for _, body in documents.documents(_ALERTS)
        if (row := msgspec.json.decode(body, type=Row)).alert.incident == incident
    ]
    names = ACKNOWLEDGING & {name for row in rows for name in row.deliveries}
    if not names:
        return None
    text = f"{incident} was seen by {by or 'operator'}"
    alert = _silent(rows[0].alert, "ack", "acknowledged", text, now_utc_s=now_utc_s)
    return Row(alert=alert, deliveries={name: Delivery() for name in sorted(names)}, silent=True)


def endings(documents: Documents, *, now_utc_s: float) -> list[Row]:
    """Return what is to be sent because incidents ended without an alert that says so.

    Failed calls end with their run, and people have nothing left to hear; but what triggered an
    incident at PagerDuty must resolve it, or it calls somebody for ever.
    """
    over = {each.id for each in load(documents) if each.status == "resolved"}
    last: dict[str, Row] = {}
    for _, body in documents.documents(_ALERTS):
        row = msgspec.json.decode(body, type=Row)
        if row.alert.incident in over and not ACKNOWLEDGING.isdisjoint(row.deliveries):
            last[row.alert.incident] = row
    return [
        _ending(row, now_utc_s)
        for incident, row in last.items()
        if row.alert.status != "resolved" and documents.get(KIND, f"{incident}-over") is None
    ]


def keep(documents: Documents, row: Row, *, waits: bool) -> None:
    """Put an acknowledgement or an ending into the store; the next run at the latest sends it.

    There is one of each incident: a second one says nothing else.
    """
    acknowledged = row.alert.status == "acknowledged"
    key = row.alert.incident if acknowledged else row.alert.id
    documents.put(KIND, key, msgspec.json.encode(row), open_=waits)


def _settled(row: Row) -> bool:
    return all(delivery.settled for delivery in row.deliveries.values())


def _ending(last: Row, now_utc_s: float) -> Row:
    names = sorted(ACKNOWLEDGING.intersection(last.deliveries))
    text = f"{last.alert.incident} ended with its run"
    alert = _silent(last.alert, "over", "resolved", text, now_utc_s=now_utc_s)
    return Row(alert=alert, deliveries={name: Delivery() for name in names}, silent=True)


def _silent(known: Alert, word: str, status: AlertStatus, text: str, *, now_utc_s: float) -> Alert:
    """Return how an incident stands in the form of an alert of the same thread."""
    identity = f"{known.thread}/{word}/{now_utc_s:.3f}"
    return msgspec.structs.replace(
        known,
        id=f"{known.incident}-{word}",
        message=f"msg_{sha256(identity.encode()).hexdigest()[:24]}",
        kind="update",
        severity="info",
        title=text,
        body=text,
        call="",
        raised_utc_s=now_utc_s,
        status=status,
        thread=known.thread or f"{known.run}.{known.incident}",
    )
