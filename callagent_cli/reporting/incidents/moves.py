"""The timeline of an incident: what moved and when, one small document a move."""

from typing import Final

import msgspec

from callagent_cli.reporting.incidents.incident import Documents

MOVES_MAX: Final = 500
"""Moves of one incident that are kept; a service that flaps all night fills no disk."""

_KIND: Final = "incident-moves:"


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened in an incident, in a few words."""

    at_utc_s: float
    text: str


class Moves:
    """Writes the timelines of the open incidents."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._counts: dict[str, int] = {}

    def add(self, incident_id: str, at_utc_s: float, text: str) -> None:
        """Add a move; beyond the limit nothing is kept any more."""
        kind = _KIND + incident_id
        count = self._counts.get(incident_id)
        if count is None:
            count = len(self._documents.documents(kind))
        self._counts[incident_id] = count + 1
        if count < MOVES_MAX:
            body = msgspec.json.encode(Move(at_utc_s=at_utc_s, text=text))
            self._documents.put(kind, f"{count:06d}", body, open_=False)


def moves_of(documents: Documents, incident_id: str) -> list[Move]:
    """Return the moves of an incident, the oldest first."""
    rows = documents.documents(_KIND + incident_id)
    return [msgspec.json.decode(body, type=Move) for _, body in rows]
