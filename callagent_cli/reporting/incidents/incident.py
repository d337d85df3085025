"""An incident as it is kept in the store: one outage, from its first failure to its end."""

from typing import Final, Literal, Protocol

import msgspec

from callagent_cli.events import Severity

KIND: Final = "incident"
"""The kind under which incidents are kept as documents."""

Cause = Literal["breaker", "calls", "channel"]
IncidentStatus = Literal["opened", "resolved"]


class Documents(Protocol):
    """The part of the store that reporting needs; the kinds are `incident` and `alert`."""

    def put(self, kind: str, key: str, body: bytes, *, open_: bool = True) -> None:
        """Insert or replace a document."""

    def get(self, kind: str, key: str) -> bytes | None:
        """Return a document."""

    def documents(self, kind: str, *, open_only: bool = False) -> list[tuple[str, bytes]]:
        """Return the documents of a kind in the order they were first put."""


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """One outage of one service, or one cause for which calls fail while no service is down.

    `key` is `service:error_class`, or `call:<outcome>`. `closed_utc_s` is when the breaker closed
    and the wait for lasting health began; `resolved_utc_s` when the incident was declared over.
    `owner` is why an isolated service needs a person: unauthorized, quota or misconfigured.
    `calls_affected` counts calls with a failed attempt (again after a restart), `calls_parked`
    those that wait for the service, `calls_failed` those that failed for good. `alerts` counts
    the alerts raised so far, `told_failed` is the number of failed calls that they spoke of;
    `failed_utc_s` is when the last call failed and `updated_utc_s` when the last update was told.
    """

    id: str
    key: str
    cause: Cause
    service: str
    error_class: str
    severity: Severity
    first_failure_utc_s: float
    opened_utc_s: float
    status: IncidentStatus = "opened"
    closed_utc_s: float | None = None
    resolved_utc_s: float | None = None
    early: bool = False
    times_opened: int = 1
    owner: str = ""
    reason: str = ""
    last_error: str = ""
    last_http_status: int | None = None
    last_request_id: str = ""
    attempts_failed: int = 0
    calls_affected: int = 0
    calls_parked: int = 0
    calls_failed: int = 0
    told_failed: int = 0
    failed_utc_s: float | None = None
    degraded: dict[str, str] = {}
    alerts: int = 0
    updated_utc_s: float | None = None
    acknowledged_utc_s: float | None = None

    def evolve(self, **changes: object) -> "Incident":
        """Return a copy with some fields changed."""
        return msgspec.structs.replace(self, **changes)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Incident)


def save(documents: Documents, incident: Incident) -> None:
    """Put an incident into the store."""
    body = _encoder.encode(incident)
    documents.put(KIND, incident.id, body, open_=incident.status == "opened")


def load(documents: Documents) -> list[Incident]:
    """Return all incidents of the store, the oldest first."""
    return [_decoder.decode(body) for _, body in documents.documents(KIND)]
