"""A call, its states and steps, and a dial: what the worker decides over and the store keeps."""

from enum import StrEnum
from typing import Any, Final

import msgspec


class CallState(StrEnum):
    """Where a call stands; the sum over all states is the number of contacts."""

    PENDING = "pending"
    ACTIVE = "active"
    BACKOFF = "backoff"
    PARKED = "parked"
    RECONCILING = "reconciling"
    SCHEDULED = "scheduled"
    DONE = "done"
    FAILED = "failed"
    REVIEW = "review"
    EXCLUDED = "excluded"
    CANCELLED = "cancelled"


FINAL_STATES: Final = frozenset(
    {CallState.DONE, CallState.FAILED, CallState.REVIEW, CallState.EXCLUDED, CallState.CANCELLED}
)
"""States that only a person, or a requeue, takes a call out of."""

LEGAL_MOVES: Final[dict[CallState, frozenset[CallState]]] = {
    CallState.PENDING: frozenset({CallState.ACTIVE, CallState.SCHEDULED, CallState.CANCELLED}),
    CallState.ACTIVE: frozenset(CallState) - {CallState.EXCLUDED},
    CallState.BACKOFF: frozenset(CallState) - {CallState.EXCLUDED},
    CallState.PARKED: frozenset({CallState.ACTIVE, CallState.PARKED, CallState.CANCELLED}),
    CallState.RECONCILING: frozenset(CallState) - {CallState.EXCLUDED},
    CallState.SCHEDULED: frozenset({CallState.ACTIVE, CallState.SCHEDULED, CallState.CANCELLED}),
    CallState.DONE: frozenset(),
    CallState.FAILED: frozenset(
        {CallState.PENDING, CallState.PARKED, CallState.REVIEW, CallState.DONE}
    ),
    CallState.REVIEW: frozenset(
        {CallState.PENDING, CallState.PARKED, CallState.DONE, CallState.FAILED}
    ),
    CallState.EXCLUDED: frozenset(),
    CallState.CANCELLED: frozenset({CallState.PENDING}),
}
"""The moves of the diagram in DESIGN.md.

A requeue is FAILED → PENDING; FAILED → DONE is a person's word that the phone did ring.
"""


class Step(StrEnum):
    """The steps of a call, in their order."""

    LOOK_UP = "look_up"
    COMPOSE = "compose"
    DIAL = "dial"
    FOLLOW = "follow"
    RECORD = "record"


NEXT_STEP: Final[dict[Step, Step | None]] = {
    Step.LOOK_UP: Step.COMPOSE,
    Step.COMPOSE: Step.DIAL,
    Step.DIAL: Step.FOLLOW,
    Step.FOLLOW: Step.RECORD,
    Step.RECORD: None,
}


RUNG: Final = frozenset({Step.FOLLOW, Step.RECORD})
"""Steps of a call whose phone has rung: they go on while dialing is paused or drained."""

BEFORE_DIAL: Final = frozenset({Step.LOOK_UP, Step.COMPOSE})
"""Steps that are done for the dial only: without a prospect of one they are not begun."""


class DialStatus(StrEnum):
    """What is known of a dial.

    `INTENT` is on disk before the request leaves and means unknown to whoever finds it after a
    crash; `UNPROVEN` is a dial answered by 503 or 529, which a gateway may send after the work.
    """

    INTENT = "intent"
    UNPROVEN = "unproven"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    ABSENT = "absent"
    PLACED = "placed"


OPEN_DIALS: Final = frozenset({DialStatus.INTENT, DialStatus.UNPROVEN, DialStatus.UNKNOWN})
"""Dials that may have rung a phone: no second POST before a look-up has closed them."""


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """A person to call: identity is (`number`, `extension`) within a campaign.

    `number` is E.164; `variables` is everything else on the row, handed to the agent;
    `crm_id` the CRM's id of the person, when the file names it.
    """

    line: int
    number: str
    extension: str = ""
    name: str = ""
    timezone: str = ""
    crm_id: str = ""
    alternate: str = ""
    variables: dict[str, str] = msgspec.field(default_factory=dict)


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One contact's journey in a campaign.

    `attempts` counts the used attempts of the current step and `due_utc_s` the instant before
    which nothing is done; `waits_for` is the service a parked call waits for; `dials` counts the
    dials that rang or may have rung; `results` holds what finished steps found, by step;
    `result` is the outcome of the conversation (answered, voicemail, no_answer …).
    """

    id: str
    campaign: str
    contact: Contact
    state: CallState = CallState.PENDING
    step: Step = Step.LOOK_UP
    reason: str = ""
    waits_for: str = ""
    attempts: int = 0
    due_utc_s: float | None = None
    parked_utc_s: float | None = None
    dials: int = 0
    conversation: str = ""
    result: str = ""
    failed_by: str = ""
    incident: str = ""
    results: dict[str, Any] = msgspec.field(default_factory=dict)
    reconciling_since_utc_s: float | None = None
    reconciling_closed_s: float = 0.0
    look_ups: int = 0
    updated_utc_s: float = 0.0

    def evolve(self, **changes: Any) -> "Call":  # noqa: ANN401 — the fields of this very class.
        """Return a copy with some fields changed."""
        return msgspec.structs.replace(self, **changes)


class Dial(msgspec.Struct, frozen=True, kw_only=True):
    """One request that may ring a phone, as the dial ledger keeps it.

    `ended_utc_s` is when its answer came, or when it was found open after a crash.
    """

    id: str
    call: str
    number: str
    status: DialStatus
    intended_utc_s: float
    ended_utc_s: float | None = None
    conversation: str = ""
    reason: str = ""

    def evolve(self, **changes: Any) -> "Dial":  # noqa: ANN401 — the fields of this very class.
        """Return a copy with some fields changed."""
        return msgspec.structs.replace(self, **changes)
