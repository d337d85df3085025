"""Documents that the worker leaves in the store and that others read, `callagent status` first.

They are plain values: reading them loads neither the engine nor an event loop.
"""

from typing import Final

import msgspec

from callagent_cli.events import BreakerState, Health

SERVICE: Final = "service"
"""The kind of the services' documents; their keys are the services' names."""

RUN: Final = "run"
"""The kind of the document that says what the run is doing."""

RUN_KEY: Final = "last"


class BreakerGlance(msgspec.Struct, frozen=True, kw_only=True):
    """What a stored breaker says about itself at first sight."""

    state: BreakerState
    reason: str = ""
    owner: str = ""


class ServiceDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One service as it was last seen; times are UTC seconds.

    `breaker` is the breaker's record as JSON: the engine takes it up whole, others read it as a
    `BreakerGlance`. `fingerprint` is a hash of the service's credential and account settings: when
    that changes, what was isolated for them may be tried again. `gate_until_utc_s` is until when
    the service asked everybody to wait; `fallback` says by step what stands in for the service.
    """

    service: str
    breaker: msgspec.Raw
    since_utc_s: float
    open_until_utc_s: float | None = None
    gate_until_utc_s: float | None = None
    health: Health = "unknown"
    checked_utc_s: float | None = None
    next_check_utc_s: float | None = None
    degraded: bool = False
    degraded_reason: str = ""
    error_message: str = ""
    fallback: dict[str, str] = {}
    fingerprint: str = ""
    saved_utc_s: float = 0.0

    @property
    def glance(self) -> BreakerGlance:
        """The breaker at first sight."""
        return msgspec.json.decode(self.breaker, type=BreakerGlance)


class RunDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What a run is doing beyond its row: by whom it is paused, why it drains, what it waits for.

    `contacts` is the file it works on; times are UTC seconds.
    """

    run: str
    contacts: str = ""
    paused_by: str = ""
    paused_utc_s: float | None = None
    draining: str = ""
    waiting: str = ""
    waiting_due_utc_s: float | None = None


def read_services(documents: list[tuple[str, bytes]]) -> dict[str, ServiceDocument]:
    """Return the stored services by name; a document of another shape is left out."""
    found = {}
    for name, body in documents:
        try:
            document = msgspec.json.decode(body, type=ServiceDocument)
            _ = document.glance
        except msgspec.DecodeError:
            continue  # Written by another version: the service is simply not known yet.
        found[name] = document
    return found


def read_run(body: bytes | None) -> RunDocument | None:
    """Return what the last run is doing, or none when it is not known."""
    if body is None:
        return None
    try:
        return msgspec.json.decode(body, type=RunDocument)
    except msgspec.DecodeError:
        return None
