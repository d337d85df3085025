"""The calls: bulk insert, one prepared update a change, claims and counts."""

from array import array
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from callagent_cli.calls.model import Call, CallState
from callagent_cli.errors import StoreError
from callagent_cli.store.claims import parameters_of, query_of
from callagent_cli.store.database import Table
from callagent_cli.store.port import Claim, Waiting
from callagent_cli.store.rows import (
    ASSIGNMENTS,
    COLUMNS,
    MARKS,
    PROGRESS,
    READMITTED,
    RENEWED,
    SHELVES,
    STATES,
    call_of,
    changing_values,
    progress_values,
    renewed_values,
    row_of,
)

INSERT: Final = (
    f"INSERT INTO calls ({COLUMNS}) VALUES ({MARKS}) "  # noqa: S608 — constants of `rows`.
    "ON CONFLICT (campaign, number, extension) DO UPDATE SET "
    f"{READMITTED} WHERE calls.state IN ('excluded', 'cancelled') AND calls.dials = 0"
)
# What was composed for the person as they stood in the file before would greet somebody else; a
# dial whose outcome is open keeps it, since that phone may have rung. Who waits for a window waits
# for that of another zone: the next claim finds out.
_ELSE: Final = (
    "(name, crm_id, variables) IS NOT (?2, ?4, ?6) AND NOT EXISTS "
    "(SELECT 1 FROM dials WHERE call_seq = seq AND status IN ('intent', 'unknown'))"
)
RENEW: Final = (
    f"UPDATE calls SET {RENEWED} = (?1, ?2, ?3, ?4, ?5, ?6), "  # noqa: S608 — as above.
    f"step = iif({_ELSE}, 'look_up', step), results = iif({_ELSE}, '{{}}', results), "
    f"attempts = iif({_ELSE}, 0, attempts), "
    "due_utc_s = iif(state = 'scheduled' AND timezone IS NOT ?3, 0.0, due_utc_s) "
    "WHERE campaign = ?7 AND number = ?8 AND extension = ?9 AND dials = 0 "
    "AND state IN ('pending', 'scheduled', 'parked') "
    f"AND {RENEWED} IS NOT (?1, ?2, ?3, ?4, ?5, ?6)"
)
# Who was dialed is who they were, but a wrong zone would go on waking them up at each redial. When
# that is due stays: the dial itself asks the window of the zone.
REZONE: Final = """
    UPDATE calls SET timezone = ?3
    WHERE campaign = ?7 AND number = ?8 AND extension = ?9
    AND state NOT IN ('done', 'excluded') AND ?3 NOT IN ('', timezone)
"""
# By seq, so that each batch goes on where the last one ended, also past numbers without a zone.
ZONELESS: Final = """
    SELECT seq, number FROM calls NOT INDEXED
    WHERE seq > ? AND campaign = ? AND timezone = '' AND state NOT IN ('done', 'excluded')
    ORDER BY seq LIMIT 4000
"""
PLACE_IN_ZONE: Final = "UPDATE calls SET timezone = ? WHERE seq = ?"
UPDATE: Final = f"UPDATE calls SET {ASSIGNMENTS} WHERE id = ?"  # noqa: S608 — as above.
UPDATE_PROGRESS: Final = f"UPDATE calls SET {PROGRESS} WHERE id = ?"  # noqa: S608 — as above.
BY_ID: Final = f"SELECT {COLUMNS} FROM calls WHERE id = ?"  # noqa: S608 — as above.
BY_SEQ: Final = f"SELECT {COLUMNS} FROM calls WHERE seq = ?"  # noqa: S608 — as above.
# One look-up in the index of identities for each of the few campaigns: no other index is needed.
BY_NUMBER: Final = (
    f"SELECT {COLUMNS} FROM calls "  # noqa: S608 — as above.
    "WHERE campaign IN (SELECT name FROM campaigns) AND number = ?"
)
NEXT_DUE: Final = """
    SELECT due_utc_s FROM calls WHERE shelf <= 1 AND campaign = ? AND due_utc_s > ?
    ORDER BY due_utc_s LIMIT 1
"""
TOTALS: Final = """
    SELECT state, sum(calls) FROM tallies WHERE campaign = ? AND calls > 0 GROUP BY state
"""
PARKED_FOR: Final = """
    SELECT DISTINCT waits_for FROM tallies WHERE campaign = ? AND state = 'parked' AND calls > 0
"""
WAITING: Final = """
    SELECT state, waits_for, reason, sum(calls), (
        SELECT min(due_utc_s) FROM calls
        WHERE calls.shelf = 1 AND calls.campaign = tallies.campaign
        AND calls.state = tallies.state AND calls.waits_for = tallies.waits_for
        AND calls.reason = tallies.reason
    )
    FROM tallies
    WHERE campaign = ? AND calls > 0
    AND state IN ('backoff', 'parked', 'reconciling', 'scheduled')
    GROUP BY state, waits_for, reason
"""
RESULTS: Final = """
    SELECT result, sum(calls) FROM tallies
    WHERE campaign = ? AND result <> '' AND calls > 0 GROUP BY result
"""
OF_STATE: Final = {
    state: "SELECT line, seq FROM calls "  # noqa: S608 — constants of `rows`.
    f"WHERE campaign = ? AND state = '{state.value}' AND shelf = {shelf}"
    for state, shelf in SHELVES.items()
}


class CallTable(Table):
    """The part of the store that keeps the calls."""

    def add_calls(self, calls: Iterable[Call]) -> int:
        """Insert calls whose (campaign, number, extension) is new, all or none; return how many.

        One that was excluded or cancelled and never dialed becomes what it is here, and counts as
        well: a corrected file, or a corrected suppression list, takes people back.
        Raises `StoreError` when their campaign is not in the store or an id is taken.
        """
        return self._database.write_many(INSERT, map(row_of, calls))

    def renew_contacts(self, calls: Iterable[Call]) -> int:
        """Give known calls the contacts they have here; return how many differed.

        Only those that wait and were never dialed: what was said on a call stays as it was. Of the
        others, unless they are over, the time zone changes; those that are not known are passed
        over.
        """
        values = [renewed_values(call) for call in calls]
        renewed = self._database.write_many(RENEW, values)
        self._database.write_many(REZONE, values)
        return renewed

    def fill_zones(self, campaign: str, zones_of: Callable[[str], str]) -> None:
        """Give calls that may still be dialed and have no time zone those of their numbers.

        `zones_of` returns them, empty for a number in none. Committed batch by batch.
        """
        last = 0
        while rows := self._database.read(ZONELESS, (last, campaign)):
            last = rows[-1][0]
            placed = ((zones_of(number), seq) for seq, number in rows)
            self._database.write_many(PLACE_IN_ZONE, placed)
            self._database.commit()

    def save_call(self, call: Call) -> None:
        """Write the changed state of a known call; its contact stays as it is."""
        self._save(UPDATE, (*changing_values(call), call.id))

    def save_progress(self, call: Call) -> None:
        """Write what a step changed of a known active call; no index on states is touched."""
        self._save(UPDATE_PROGRESS, (*progress_values(call), call.id))

    def _save(self, update: str, values: tuple[object, ...]) -> None:
        if self._database.write(update, values).rowcount == 0:
            raise StoreError(f"call {values[-1]} is not in the store")

    def call(self, call_id: str) -> Call | None:
        """Return a call by its id."""
        rows = self._database.read(BY_ID, (call_id,))
        return call_of(rows[0]) if rows else None

    def calls_of_number(self, number: str) -> list[Call]:
        """Return all calls to one phone number, whatever their campaigns and extensions."""
        return [call_of(row) for row in self._database.read(BY_NUMBER, (number,))]

    def first_call(self, claim: Claim) -> Call | None:
        """Return the call that a claim describes, without changing it.

        Pending calls come in the order of their lines, parked ones by how long they are parked,
        all other waiting ones by how long they are due; equals in the order of their lines.
        """
        read = self._database.read
        firsts = read(query_of(claim.state, claim.steps), parameters_of(claim))
        return call_of(read(BY_SEQ, (min(firsts)[-1],))[0]) if firsts else None

    def calls(self, campaign: str, states: frozenset[CallState] = frozenset()) -> Iterator[Call]:
        """Yield a campaign's calls in the order of their lines; all states when none is named.

        Which calls there are is decided at the first step; each is read when it is its turn, and
        left out if its state is by then another one.
        """
        wanted = states or frozenset(CallState)
        found = [
            place for state in wanted for place in self._database.read(OF_STATE[state], (campaign,))
        ]
        for seq in array("q", (place[1] for place in sorted(found))):
            for row in self._database.read(BY_SEQ, (seq,)):
                call = call_of(row)
                if call.state in wanted:
                    yield call

    def next_due(self, campaign: str, *, after_utc_s: float = 0.0) -> float | None:
        """Return the earliest instant after `after_utc_s` at which a waiting call becomes due."""
        rows = self._database.read(NEXT_DUE, (campaign, after_utc_s))
        return float(rows[0][0]) if rows else None

    def totals(self, campaign: str) -> dict[CallState, int]:
        """Count a campaign's calls by state; a state without calls is left out."""
        rows = self._database.read(TOTALS, (campaign,))
        return {STATES[state]: calls for state, calls in rows}

    def parked_for(self, campaign: str) -> frozenset[str]:
        """Return the services that parked calls wait for, empty for who waits for time only."""
        return frozenset(row[0] for row in self._database.read(PARKED_FOR, (campaign,)))

    def waiting(self, campaign: str) -> list[Waiting]:
        """Count the calls in backoff, parked, reconciling or scheduled, by service and reason."""
        return [
            Waiting(
                state=STATES[state],
                waits_for=waits_for,
                reason=reason,
                calls=calls,
                due_utc_s=due_utc_s,
            )
            for state, waits_for, reason, calls, due_utc_s in self._database.read(
                WAITING, (campaign,)
            )
        ]

    def results(self, campaign: str) -> dict[str, int]:
        """Count the conversations' results of the calls that have one."""
        return dict(self._database.read(RESULTS, (campaign,)))
