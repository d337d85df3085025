"""What is exported of a contact: one document for programs, one flat row for spreadsheets."""

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

import msgspec

from callagent_cli.calls.model import Call, Dial
from callagent_cli.clock import utc_text, utc_text_or_none

_PLACE: Final = "{conversation}"


class DialRow(msgspec.Struct, frozen=True, kw_only=True):
    """One dial; `ended` is when its answer came."""

    id: str
    status: str
    at: str
    ended: str | None
    conversation: str
    reason: str


class ContactRow(msgspec.Struct, frozen=True, kw_only=True):
    """One contact; `outcome` is how the last conversation ended, times are UTC.

    `dials` counts those that rang, `attempts` lists all that were sent; `duration_s` is the talk
    and `cost` the platform's credits; `link` opens the conversation on the platform, and is empty
    for one that the sandbox made up.
    """

    line: int
    name: str
    number: str
    extension: str
    alternate: str
    crm_id: str
    timezone: str
    state: str
    step: str
    outcome: str
    reason: str
    opted_out: bool
    waits_for: str
    failed_by: str
    dials: int
    first_dialed: str | None
    last_dialed: str | None
    due: str | None
    updated: str | None
    conversation: str
    link: str
    duration_s: float | None
    cost: float | None
    call: str
    variables: dict[str, str]
    attempts: list[DialRow]


_LISTS: Final = ("variables", "attempts")
CSV_HEADER: Final = [name for name in ContactRow.__struct_fields__ if name not in _LISTS]


def contact_row(call: Call, dials: Sequence[Dial], *, conversation_url: str) -> ContactRow:
    """Return what is exported of a call.

    `conversation_url` is the setting of this name; empty for conversations that are made up.
    """
    contact, follow = call.contact, call.results.get("follow") or {}
    linked = call.conversation and conversation_url
    return ContactRow(
        line=contact.line,
        name=contact.name,
        number=contact.number,
        extension=contact.extension,
        alternate=contact.alternate,
        crm_id=contact.crm_id or str((call.results.get("look_up") or {}).get("crm_id") or ""),
        timezone=contact.timezone,
        state=call.state.value,
        step=call.step.value,
        outcome=call.result,
        reason=call.reason,
        opted_out=bool(follow.get("opted_out")),
        waits_for=call.waits_for,
        failed_by=call.failed_by,
        dials=call.dials,
        first_dialed=utc_text_or_none(dials[0].intended_utc_s if dials else None),
        last_dialed=utc_text_or_none(dials[-1].intended_utc_s if dials else None),
        due=utc_text_or_none(call.due_utc_s),
        updated=utc_text_or_none(call.updated_utc_s or None),
        conversation=call.conversation,
        link=_link(conversation_url, call.conversation) if linked else "",
        duration_s=_number(follow.get("duration_s")),
        cost=_number(follow.get("cost")),
        call=call.id,
        variables=dict(contact.variables),
        attempts=[_dial(dial) for dial in dials],
    )


def _link(url: str, conversation: str) -> str:
    escaped = quote(conversation, safe="")
    return url.replace(_PLACE, escaped) if _PLACE in url else url + escaped


def json_line(row: ContactRow) -> bytes:
    """Return a contact as one line of JSON, line end included."""
    return msgspec.json.encode(row) + b"\n"


def csv_cells(row: ContactRow) -> list[object]:
    """Return a contact's cells in the order of `CSV_HEADER`."""
    return [getattr(row, name) for name in CSV_HEADER]


def _dial(dial: Dial) -> DialRow:
    return DialRow(
        id=dial.id,
        status=dial.status.value,
        at=utc_text(dial.intended_utc_s),
        ended=utc_text_or_none(dial.ended_utc_s),
        conversation=dial.conversation,
        reason=dial.reason,
    )


def _number(value: Any) -> float | None:  # noqa: ANN401 — a provider's JSON.
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if known else None
