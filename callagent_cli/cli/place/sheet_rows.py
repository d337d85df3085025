"""Says of rows that are not in the Google Sheet yet how many there are, and when they will be."""

from typing import Final, Protocol

import msgspec

from callagent_cli.counting import counted

ROW: Final = "sheet-row"
"""The kind of the documents, as reporting names it; `status` loads nothing of that room."""

SHEET: Final = "sheet"
_INCIDENT: Final = "incident"


class Documents(Protocol):
    """The part of the store that is read."""

    def documents(self, kind: str, *, open_only: bool = False) -> list[tuple[str, bytes]]:
        """Return the documents of a kind in the order they were first put."""


class _Incident(msgspec.Struct, frozen=True):
    """What matters here of a stored incident."""

    service: str
    last_error: str = ""


def count_rows(documents: Documents) -> int:
    """Return how many rows wait."""
    return len(documents.documents(ROW, open_only=True))


def waiting_rows(documents: Documents, *, working: bool, is_set: bool) -> str:
    """Return a line about the rows that wait, or an empty text when there are none.

    `working` says that a run goes on, which writes them as soon as it can; `is_set` that the
    settings name a spreadsheet at all.
    """
    rows = count_rows(documents)
    if not rows:
        return ""
    wait = "waits" if rows == 1 else "wait"
    when = _when(documents, working=working) if is_set else "when `sheet.spreadsheet_id` is set"
    return f"{counted(rows, 'sheet row')} {wait}, will be written {when}"


def _when(documents: Documents, *, working: bool) -> str:
    incidents = (
        msgspec.json.decode(body, type=_Incident)
        for _, body in documents.documents(_INCIDENT, open_only=True)
    )
    broken = [incident.last_error for incident in incidents if incident.service == SHEET]
    if broken:
        return f"when the sheet can be written again: {broken[-1]}"
    return "in a moment" if working else "by the next run"
