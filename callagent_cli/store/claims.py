"""The queries behind `first_call`: for each state and step one, and each one index look-up.

The claims' indexes begin with service and step, so a claim for several steps asks for the first
call at each step, all in one statement; a million waiting calls cost no more than ten.
"""

from functools import lru_cache
from typing import Final

from callagent_cli.calls.model import CallState, Step
from callagent_cli.store.port import Claim
from callagent_cli.store.rows import SHELVES

_MATCH: Final = "campaign = ?1 AND waits_for = ?2 AND step = '{step}'"
_DUE: Final = "ifnull(due_utc_s, 0.0) <= ?3"


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
_PARKED: Final = f"""
    SELECT ifnull(parked_utc_s, 0.0), line, seq FROM calls INDEXED BY calls_parked
    WHERE shelf = 1 AND state = 'parked' AND campaign = (
        SELECT ?1 WHERE EXISTS (
            SELECT 1 FROM calls INDEXED BY calls_timed
            WHERE shelf = 1 AND state = 'parked' AND {_MATCH} AND {_DUE}
        )
    )
    AND waits_for = ?2 AND step = '{{step}}' AND {_DUE}
    ORDER BY ifnull(parked_utc_s, 0.0), line, seq LIMIT 1
"""  # noqa: S608 — as above.

_BY_DUE: Final = (CallState.BACKOFF, CallState.RECONCILING, CallState.SCHEDULED)
_QUERIES: Final = (
    {state: _by_line(state) for state in CallState}
    | {state: _by_due(state) for state in _BY_DUE}
    | {CallState.PARKED: _PARKED}
)


@lru_cache(maxsize=128)
def query_of(state: CallState, steps: frozenset[Step]) -> str:
    """Return the query for a claim at these steps, or any: at most one row for each of them.

    A row is what orders it, and last the call's `seq`.
    """
    query = _QUERIES[state]
    each = (query.format(step=step.value) for step in Step if not steps or step in steps)
    return " UNION ALL ".join(f"SELECT * FROM ({one})" for one in each)  # noqa: S608 — as above.


def parameters_of(claim: Claim) -> tuple[object, ...]:
    """Return the parameters of that query."""
    return claim.campaign, claim.waits_for, claim.due_utc_s
