"""The queries behind `first_call`: for each state one, and each one index look-up.

The claims' indexes begin with service and step, so a claim for several steps asks once for each
step and takes the first of the answers; a million waiting calls cost no more than ten.
"""

from typing import Final

from callagent_cli.calls.model import CallState, Step
from callagent_cli.store.port import Claim
from callagent_cli.store.rows import SHELVES

ALL_STEPS: Final = tuple(Step)

_MATCH: Final = "campaign = ? AND waits_for = ? AND step = ?"
_DUE: Final = "ifnull(due_utc_s, 0.0) <= ?"


def _by_line(state: CallState) -> str:
    return f"""
        SELECT line, seq FROM calls
        WHERE shelf = {SHELVES[state]} AND state = '{state.value}' AND {_MATCH} AND {_DUE}
        ORDER BY line, seq LIMIT 1
    """  # noqa: S608 — all parts are constants of this module.


def _by_due(state: CallState) -> str:
    return f"""
        SELECT ifnull(due_utc_s, 0.0), line, seq FROM calls INDEXED BY calls_timed
        WHERE shelf = 1 AND state = '{state.value}' AND {_MATCH} AND {_DUE}
        ORDER BY ifnull(due_utc_s, 0.0), line, seq LIMIT 1
    """  # noqa: S608 — as above.


# The calls that are not due may be many and parked longer than those that are, so the index by due
# time is asked first whether any is: without one, the campaign is NULL and nothing is walked.
_PARKED: Final = """
    SELECT ifnull(parked_utc_s, 0.0), line, seq FROM calls INDEXED BY calls_parked
    WHERE shelf = 1 AND state = 'parked' AND campaign = (
        SELECT ? WHERE EXISTS (
            SELECT 1 FROM calls INDEXED BY calls_timed WHERE shelf = 1 AND state = 'parked'
            AND campaign = ? AND waits_for = ? AND step = ? AND ifnull(due_utc_s, 0.0) <= ?
        )
    )
    AND waits_for = ? AND step = ? AND ifnull(due_utc_s, 0.0) <= ?
    ORDER BY ifnull(parked_utc_s, 0.0), line, seq LIMIT 1
"""

_BY_DUE: Final = (CallState.BACKOFF, CallState.RECONCILING, CallState.SCHEDULED)
_QUERIES: Final = (
    {state: _by_line(state) for state in CallState}
    | {state: _by_due(state) for state in _BY_DUE}
    | {CallState.PARKED: _PARKED}
)


def query_of(state: CallState) -> str:
    """Return the query for one step of a claim: what orders the answers, and last the row."""
    return _QUERIES[state]


def parameters_of(claim: Claim, step: Step) -> tuple[object, ...]:
    """Return the parameters of that query."""
    narrowed = (claim.waits_for, step.value, claim.due_utc_s)
    if claim.state is CallState.PARKED:
        return claim.campaign, claim.campaign, *narrowed, *narrowed
    return claim.campaign, *narrowed
