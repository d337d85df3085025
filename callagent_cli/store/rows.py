"""Calls as rows: the order of the columns, and the way there and back."""

from typing import Any, Final

import msgspec

from callagent_cli.calls.model import Call, CallState, Contact, Step
from callagent_cli.store.text import cleaned_row, json_text

_FIXED: Final = (
    "id",
    "campaign",
    "line",
    "number",
    "extension",
    "name",
    "timezone",
    "crm_id",
    "alternate",
    "variables",
)
_CHANGING: Final = (
    "state",
    "shelf",
    "step",
    "reason",
    "waits_for",
    "attempts",
    "due_utc_s",
    "parked_utc_s",
    "dials",
    "conversation",
    "result",
    "failed_by",
    "incident",
    "results",
    "reconciling_since_utc_s",
    "reconciling_closed_s",
    "look_ups",
    "updated_utc_s",
)
_PROGRESS: Final = ("step", "attempts", "dials", "conversation", "results", "updated_utc_s")
PROGRESS: Final = ", ".join(f"{column} = ?" for column in _PROGRESS)
COLUMNS: Final = ", ".join(_FIXED + _CHANGING)
ASSIGNMENTS: Final = ", ".join(f"{column} = ?" for column in _CHANGING)
READMITTED: Final = ", ".join(
    f"{column} = excluded.{column}"
    for column in (
        *_FIXED[2:],
        "state",
        "shelf",
        "reason",
        "waits_for",
        "due_utc_s",
        "updated_utc_s",
    )
    if column not in {"number", "extension"}
)
"""What an import changes of a call that was left out; `excluded` is SQLite's word for its row."""

_TOLD: Final = ("line", "name", "timezone", "crm_id", "alternate", "variables")
RENEWED: Final = f"({', '.join(_TOLD)})"
"""What a file says of a person beside the identity."""

MARKS: Final = ", ".join("?" for _ in _FIXED + _CHANGING)

SHELVES: Final = {
    state: {
        CallState.PENDING: 0,
        CallState.BACKOFF: 1,
        CallState.PARKED: 1,
        CallState.RECONCILING: 1,
        CallState.SCHEDULED: 1,
        CallState.DONE: 3,
    }.get(state, 2)
    for state in CallState
}
"""Which partial indexes a state is in: pending 0, waiting 1, done 3, and all others 2."""

STATES: Final = {state.value: state for state in CallState}
_STEPS: Final = {step.value: step for step in Step}
_variables: Final = msgspec.json.Decoder(dict[str, str])
_results: Final = msgspec.json.Decoder(dict[str, Any])


def changing_values(call: Call) -> tuple[object, ...]:
    """Return what may change of a call, in the order of `ASSIGNMENTS`."""
    state, results = call.state, call.results
    return (
        state.value,
        SHELVES[state],
        call.step.value,
        call.reason,
        call.waits_for,
        call.attempts,
        call.due_utc_s,
        call.parked_utc_s,
        call.dials,
        call.conversation,
        call.result,
        call.failed_by,
        call.incident,
        json_text(results) if results else "{}",
        call.reconciling_since_utc_s,
        call.reconciling_closed_s,
        call.look_ups,
        call.updated_utc_s,
    )


def progress_values(call: Call) -> tuple[object, ...]:
    """Return what a step changes of an active call, in the order of `PROGRESS`."""
    results = call.results
    return (
        call.step.value,
        call.attempts,
        call.dials,
        call.conversation,
        json_text(results) if results else "{}",
        call.updated_utc_s,
    )


def renewed_values(call: Call) -> tuple[object, ...]:
    """Return what a file says of a person, in the order of `RENEWED`, and then whose call it is."""
    contact = call.contact
    row = (
        contact.line,
        contact.name,
        contact.timezone,
        contact.crm_id,
        contact.alternate,
        json_text(contact.variables),
        call.campaign,
        contact.number,
        contact.extension,
    )
    return _held(row)


def row_of(call: Call) -> tuple[object, ...]:
    """Return a whole call in the order of `COLUMNS`, with texts that SQLite can hold."""
    contact = call.contact
    fixed = (
        call.id,
        call.campaign,
        contact.line,
        contact.number,
        contact.extension,
        contact.name,
        contact.timezone,
        contact.crm_id,
        contact.alternate,
        json_text(contact.variables),
    )
    return _held(fixed + changing_values(call))


def _held(row: tuple[object, ...]) -> tuple[object, ...]:
    """Return a row whose texts SQLite can hold."""
    try:
        "".join([value for value in row if value.__class__ is str]).encode()
    except UnicodeEncodeError:
        return cleaned_row(row)
    return row


def call_of(row: tuple[Any, ...]) -> Call:
    """Return the call of a row that was selected as `COLUMNS`."""
    return Call(
        id=row[0],
        campaign=row[1],
        contact=Contact(
            line=row[2],
            number=row[3],
            extension=row[4],
            name=row[5],
            timezone=row[6],
            crm_id=row[7],
            alternate=row[8],
            variables=_variables.decode(row[9]),
        ),
        state=STATES[row[10]],
        step=_STEPS[row[12]],
        reason=row[13],
        waits_for=row[14],
        attempts=row[15],
        due_utc_s=row[16],
        parked_utc_s=row[17],
        dials=row[18],
        conversation=row[19],
        result=row[20],
        failed_by=row[21],
        incident=row[22],
        results=_results.decode(row[23]),
        reconciling_since_utc_s=row[24],
        reconciling_closed_s=row[25],
        look_ups=row[26],
        updated_utc_s=row[27],
    )
