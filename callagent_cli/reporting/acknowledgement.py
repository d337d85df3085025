"""What a channel is told when somebody has seen an incident: PagerDuty stops calling the next."""

from hashlib import sha256
from typing import Final

import msgspec

from callagent_cli.reporting.alert import Alert
from callagent_cli.reporting.delivery import Delivery, Row
from callagent_cli.reporting.incidents.incident import Documents

KIND: Final = "acknowledgement"
"""The kind under which acknowledgements wait as documents: they are no alerts, nobody reads one."""

ACKNOWLEDGING: Final = frozenset({"pagerduty"})
"""The channels that know an acknowledgement; the others reach people, and need none."""

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
    alert = _alert(rows[0].alert, by=by, now_utc_s=now_utc_s)
    return Row(alert=alert, deliveries={name: Delivery() for name in sorted(names)})


def keep(documents: Documents, row: Row, *, waits: bool) -> None:
    """Put an acknowledgement into the store; one that waits is sent by the next run at the latest.

    There is one of each incident: a second one says nothing else.
    """
    documents.put(KIND, row.alert.incident, msgspec.json.encode(row), open_=waits)


def _settled(row: Row) -> bool:
    return all(delivery.settled for delivery in row.deliveries.values())


def _alert(first: Alert, *, by: str, now_utc_s: float) -> Alert:
    """Return the acknowledgement in the form of an alert of the same thread."""
    text = f"{first.incident} was seen by {by or 'operator'}"
    identity = f"{first.thread}/acknowledged/{now_utc_s:.3f}"
    return msgspec.structs.replace(
        first,
        id=f"{first.incident}-ack",
        message=f"msg_{sha256(identity.encode()).hexdigest()[:24]}",
        kind="update",
        severity="info",
        title=text,
        body=text,
        call="",
        raised_utc_s=now_utc_s,
        status="acknowledged",
        thread=first.thread or f"{first.run}.{first.incident}",
    )
