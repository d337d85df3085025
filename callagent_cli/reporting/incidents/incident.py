"""An incident as it is kept in the store: one outage, from its first failure to its end."""

import re
from typing import Final, Literal, Protocol

import msgspec

from callagent_cli.events import Severity

KIND: Final = "incident"
"""The kind under which incidents are kept as documents."""

Cause = Literal["breaker", "calls", "channel", "stall", "worker"]
IncidentStatus = Literal["opened", "resolved"]

SAMPLES_MAX: Final = 5
BUCKETS_MAX: Final = 240
"""Buckets of errors that are kept; when there are more, each becomes twice as wide."""

BUCKETS_SHOWN: Final = 10_000
"""An outage of a day in buckets of ten seconds; what is longer, or a clock that jumped, widens them
too, and what is longer without an error ends with its last one."""


class Documents(Protocol):
    """The part of the store that reporting needs; the kinds are `incident` and `alert`."""

    def put(self, kind: str, key: str, body: bytes, *, open_: bool = True) -> None:
        """Insert or replace a document."""

    def get(self, kind: str, key: str) -> bytes | None:
        """Return a document."""

    def documents(self, kind: str, *, open_only: bool = False) -> list[tuple[str, bytes]]:
        """Return the documents of a kind in the order they were first put."""


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One failed attempt, kept as an example; `request_id` is the provider's."""

    at_utc_s: float
    operation: str
    call: str
    attempt: int
    outcome: str
    http_status: int | None
    request_id: str
    error_message: str


class Waste(msgspec.Struct, frozen=True, kw_only=True):
    """Failed requests to the service, by what they were.

    `after_open` counts requests that were begun while the breaker was open and were no trial,
    failed or not: it must be 0.
    """

    first_attempts: int = 0
    retries: int = 0
    trials: int = 0
    after_open: int = 0


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """One outage of one service, or one cause for which calls fail while no service is down.

    `key` is `service:error_class`, `call:<outcome>`, `worker:no_progress` or
    `worker:heartbeat_lost`. `closed_utc_s` is when the breaker closed
    and the wait for lasting health began; `resolved_utc_s` when the incident was declared over.
    `owner` is why an isolated service needs a person: unauthorized, quota or misconfigured.
    `mitigated_utc_s` is when its harm was stopped: nothing more was sent, or something stood in.
    `calls_affected` counts calls with a failed attempt, `calls_parked` those that wait for the
    service, `calls_spared` those of them that never met it, `calls_held` those that were not even
    begun, `calls_protected` both together at their highest, `calls_failed` those that failed for
    good. `alerts` counts the alerts raised so
    far, `told_failed` is the number of failed calls that they spoke of, and `told_resolved` is
    true once the one resolved alert was raised. `failed_utc_s` is when the last call failed and
    `updated_utc_s` when the last update was told. `command` is what helps, where only the one who
    opened it knows it. `errors` counts failed attempts by buckets of
    `bucket_s` since the first failure; `settings` are those in force when it was opened.
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
    told_resolved: bool = False
    times_opened: int = 1
    owner: str = ""
    reason: str = ""
    last_error: str = ""
    last_http_status: int | None = None
    attempts_failed: int = 0
    calls_affected: int = 0
    calls_parked: int = 0
    calls_spared: int = 0
    calls_held: int = 0
    calls_protected: int = 0
    calls_failed: int = 0
    told_failed: int = 0
    failed_utc_s: float | None = None
    degraded: dict[str, str] = {}
    alerts: int = 0
    updated_utc_s: float | None = None
    acknowledged_utc_s: float | None = None
    acknowledged_by: str = ""
    mitigated_utc_s: float | None = None
    waste: Waste = Waste()
    samples: tuple[Sample, ...] = ()
    errors: dict[int, int] = {}
    bucket_s: float = 10.0
    settings: dict[str, str] = {}
    version: str = ""
    command: str = ""

    @property
    def ended_utc_s(self) -> float | None:
        """When it was well again for good, or else ended with its run; none while it is open."""
        return self.closed_utc_s if self.closed_utc_s is not None else self.resolved_utc_s

    def evolve(self, **changes: object) -> "Incident":
        """Return a copy with some fields changed."""
        return msgspec.structs.replace(self, **changes)


_ID: Final = re.compile(r"INC-\d{4,}")

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Incident)


def save(documents: Documents, incident: Incident) -> None:
    """Put an incident into the store."""
    body = _encoder.encode(incident)
    documents.put(KIND, incident.id, body, open_=incident.status == "opened")


def is_open(documents: Documents, incident_id: str) -> bool:
    """Tell whether an incident is open; one that is unknown counts as open."""
    body = documents.get(KIND, incident_id)
    return body is None or _decoder.decode(body).status == "opened"


def is_incident(word: str) -> bool:
    """Return whether a word has the shape of an incident's id."""
    return _ID.fullmatch(word) is not None


def named_by(incident: str, word: str) -> bool:
    """Return whether a word is the id of an incident or of one of its alerts."""
    return word == incident or word.startswith(f"{incident}-")


def load(documents: Documents) -> list[Incident]:
    """Return all incidents of the store, the oldest first."""
    return [_decoder.decode(body) for _, body in documents.documents(KIND)]


def find(documents: Documents, incident_id: str) -> Incident | None:
    """Return an incident by its id."""
    body = documents.get(KIND, incident_id)
    return None if body is None else _decoder.decode(body)
