"""Which calls an incident touched, and how: kept in the store, so that no restart counts twice."""

from collections.abc import Iterable
from typing import Final, Literal

from callagent_cli.reporting.incidents.incident import Documents

How = Literal["met", "parked", "failed", "review"]
"""A failed attempt; waiting for the service; failed for good; only a person may decide."""

_KIND: Final = "incident-calls:"
_LANES: Final = "incident-lanes"
"""The kind under which stands, by incident, who was in a lane when it was opened."""

_FAILED_BY: Final = "failed-by"
"""The kind under which stands, by call, the incident that it failed by last."""


class Affected:
    """Remembers each call of each incident once for each way in which it was touched."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._known: dict[str, dict[str, frozenset[str]]] = {}
        self._begun: dict[str, frozenset[str]] = {}

    def note(self, incident_id: str, call: str, how: How) -> bool:
        """Note that a call was touched; return whether that is news."""
        if not call:
            return False
        if how == "failed":
            self._documents.put(_FAILED_BY, call, incident_id.encode(), open_=False)
        calls = self._of(incident_id)
        ways = calls.get(call, frozenset())
        if how in ways:
            return False
        calls[call] = ways | {how}
        body = " ".join(sorted(calls[call])).encode()
        self._documents.put(_KIND + incident_id, call, body, open_=False)
        return True

    def was(self, incident_id: str, call: str, how: How) -> bool:
        """Tell whether a call was touched in this way."""
        return how in self._of(incident_id).get(call, frozenset())

    def begun(self, incident_id: str, calls: Iterable[str]) -> None:
        """Note which calls were under way when an incident was opened: nothing held them back."""
        self._begun[incident_id] = begun = frozenset(calls)
        body = " ".join(sorted(begun)).encode()
        self._documents.put(_LANES, incident_id, body, open_=False)

    def had_begun(self, incident_id: str, call: str) -> bool:
        """Tell whether a call was under way when an incident was opened."""
        begun = self._begun.get(incident_id)
        if begun is None:
            body = self._documents.get(_LANES, incident_id) or b""
            begun = self._begun[incident_id] = frozenset(body.decode().split())
        return call in begun

    def forget(self, incident_id: str) -> None:
        """Let go of an incident that is over; the store keeps it."""
        self._known.pop(incident_id, None)

    def _of(self, incident_id: str) -> dict[str, frozenset[str]]:
        calls = self._known.get(incident_id)
        if calls is None:
            calls = self._known[incident_id] = affected_calls(self._documents, incident_id)
        return calls


def affected_calls(documents: Documents, incident_id: str) -> dict[str, frozenset[str]]:
    """Return the calls an incident touched, each with the ways in which it did."""
    rows = documents.documents(_KIND + incident_id)
    return {call: frozenset(body.decode().split()) for call, body in rows}


def failed_calls(documents: Documents, incident_id: str) -> frozenset[str]:
    """Return the ids of the calls that failed for good by an incident: what a requeue takes back.

    Those that a person has taken back since are among them: a requeue takes failed ones only. One
    that failed again by another incident belongs to that one.
    """
    calls = affected_calls(documents, incident_id)
    last = incident_id.encode()
    return frozenset(
        call
        for call, ways in calls.items()
        if "failed" in ways and documents.get(_FAILED_BY, call) == last
    )
