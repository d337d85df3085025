"""The dial ledger: what may have rung a phone."""

from typing import Any, Final

from callagent_cli.calls.model import Dial, DialStatus
from callagent_cli.errors import StoreError
from callagent_cli.store.database import Table

# It is asked apart: an insert that reads its own table has SQLite make another one for the moment.
PLACE: Final = """
    SELECT seq, (SELECT count(*) FROM dials WHERE call_seq = seq) FROM calls WHERE calls.id = ?
"""
SAVE: Final = """
    INSERT INTO dials (
        call_seq, place, id, number, status, intended_utc_s, ended_utc_s, conversation, reason
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET
        status = excluded.status, ended_utc_s = excluded.ended_utc_s,
        conversation = excluded.conversation, reason = excluded.reason
"""
OF_CALL: Final = """
    SELECT dials.id, calls.id, dials.number, status, intended_utc_s, ended_utc_s,
        dials.conversation, dials.reason
    FROM calls JOIN dials ON call_seq = seq WHERE calls.id = ? ORDER BY place
"""
# CROSS JOIN keeps the order of the tables: there are few open dials and many calls.
OPEN: Final = """
    SELECT DISTINCT calls.line, calls.seq, calls.id
    FROM dials INDEXED BY dials_open CROSS JOIN calls ON calls.seq = call_seq
    WHERE status IN ('intent', 'unproven', 'unknown') AND campaign = ?
    ORDER BY calls.line, calls.seq
"""
_STATUSES: Final = {status.value: status for status in DialStatus}


class DialTable(Table):
    """The part of the store that keeps the dial ledger."""

    def save_dial(self, dial: Dial) -> None:
        """Insert a dial, or update what became of it; its call and number never change."""
        places = self._database.read(PLACE, (dial.call,))
        if not places:
            raise StoreError(f"call {dial.call} is not in the store")
        self._database.write(
            SAVE,
            (
                *places[0],
                dial.id,
                dial.number,
                dial.status.value,
                dial.intended_utc_s,
                dial.ended_utc_s,
                dial.conversation,
                dial.reason,
            ),
        )

    def dials(self, call_id: str) -> list[Dial]:
        """Return a call's dials in the order they were first saved."""
        return [_dial_of(row) for row in self._database.read(OF_CALL, (call_id,))]

    def calls_with_open_dials(self, campaign: str) -> list[str]:
        """Return the calls with a dial that may have rung and is not settled, by line."""
        return [row[2] for row in self._database.read(OPEN, (campaign,))]


def _dial_of(row: tuple[Any, ...]) -> Dial:
    return Dial(
        id=row[0],
        call=row[1],
        number=row[2],
        status=_STATUSES[row[3]],
        intended_utc_s=row[4],
        ended_utc_s=row[5],
        conversation=row[6],
        reason=row[7],
    )
