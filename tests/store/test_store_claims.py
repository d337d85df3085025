"""Claims: who is next, at what cost, and in agreement with a model in plain Python."""

from contextlib import closing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_builders import a_call, filled

from callagent_cli.calls.model import Call, CallState, Step
from callagent_cli.store import call_table, dial_table
from callagent_cli.store.claims import parameters_of, query_of
from callagent_cli.store.port import Claim
from callagent_cli.store.sqlite_store import SqliteStore

CLAIMED = (
    CallState.PENDING,
    CallState.BACKOFF,
    CallState.PARKED,
    CallState.RECONCILING,
    CallState.SCHEDULED,
)
INSTANTS = st.sampled_from([None, 1.0, 2.0, 3.0, 4.0])
CHANGES = st.fixed_dictionaries(
    {
        "state": st.sampled_from(CallState),
        "step": st.sampled_from(Step),
        "waits_for": st.sampled_from(["", "llm"]),
        "reason": st.sampled_from(["", "open", "window"]),
        "result": st.sampled_from(["", "answered", "voicemail"]),
        "due_utc_s": INSTANTS,
        "parked_utc_s": INSTANTS,
    }
)


def claim(state: CallState, **changes: Any) -> Claim:  # noqa: ANN401 — a claim's fields.
    """Return a claim at the instant 10."""
    return Claim(**{"campaign": "spring", "state": state, "due_utc_s": 10.0, **changes})


def first_id(store: SqliteStore, wanted: Claim) -> str:
    """Return the id of the claimed call, empty when there is none."""
    found = store.first_call(wanted)
    return found.id if found else ""


def test_pending_calls_come_by_line(store: SqliteStore) -> None:
    """The order of the file is the order of the calls, not that of the insertion."""
    store.add_calls([a_call(3), a_call(1), a_call(2)])

    assert first_id(store, claim(CallState.PENDING)) == "call_1"


def test_parked_calls_come_by_how_long_they_are_parked(store: SqliteStore) -> None:
    """The longest parked call that is due comes first; the longer parked ones wait their time."""
    filled(store, a_call(1), a_call(2), a_call(3), a_call(4))
    for line, parked_utc_s, due_utc_s in ((1, 5.0, None), (2, 3.0, 9.0), (3, 2.0, 11.0)):
        store.save_call(
            a_call(
                line,
                state=CallState.PARKED,
                waits_for="llm",
                parked_utc_s=parked_utc_s,
                due_utc_s=due_utc_s,
            )
        )

    assert first_id(store, claim(CallState.PARKED, waits_for="llm")) == "call_2"
    assert first_id(store, claim(CallState.PARKED, waits_for="llm", due_utc_s=11.0)) == "call_3"
    assert first_id(store, claim(CallState.PARKED, waits_for="crm")) == ""


@pytest.mark.parametrize("state", [CallState.BACKOFF, CallState.RECONCILING, CallState.SCHEDULED])
def test_timed_calls_come_by_due_time(store: SqliteStore, state: CallState) -> None:
    """The earliest due comes first, and nobody before the time."""
    filled(store, a_call(1), a_call(2))
    store.save_call(a_call(1, state=state, due_utc_s=9.0))
    store.save_call(a_call(2, state=state, due_utc_s=8.0))

    assert first_id(store, claim(state)) == "call_2"
    assert first_id(store, claim(state, due_utc_s=8.0)) == "call_2"
    assert first_id(store, claim(state, due_utc_s=7.9)) == ""


def test_steps_narrow_a_claim(store: SqliteStore) -> None:
    """Only calls at one of the named steps are found, across the steps in the same order."""
    filled(store, a_call(1), a_call(2), a_call(3))
    store.save_call(a_call(2, step=Step.RECORD))
    store.save_call(a_call(3, step=Step.FOLLOW))

    late = frozenset({Step.FOLLOW, Step.RECORD})
    assert first_id(store, claim(CallState.PENDING, steps=late)) == "call_2"
    assert first_id(store, claim(CallState.PENDING, steps=frozenset({Step.DIAL}))) == ""


def test_a_claim_changes_nothing(store: SqliteStore) -> None:
    """The same claim finds the same call until it is saved in another state."""
    store.add_calls([a_call(1), a_call(2)])
    found = store.first_call(claim(CallState.PENDING))

    assert found == store.first_call(claim(CallState.PENDING)) == a_call(1)


def test_next_due_is_the_first_instant_after_the_given_one(store: SqliteStore) -> None:
    """Calls that are working or settled are due at no time."""
    filled(store, *(a_call(line) for line in range(1, 6)))
    assert store.next_due("spring") is None
    store.save_call(a_call(1, state=CallState.ACTIVE, due_utc_s=1.0))
    store.save_call(a_call(2, state=CallState.FAILED, due_utc_s=2.0))
    store.save_call(a_call(3, state=CallState.PARKED, due_utc_s=3.0))
    store.save_call(a_call(4, state=CallState.SCHEDULED, due_utc_s=4.0))
    store.save_call(a_call(5, due_utc_s=5.0))

    assert store.next_due("spring") == 3.0
    assert store.next_due("spring", after_utc_s=3.0) == 4.0
    assert store.next_due("spring", after_utc_s=4.0) == 5.0
    assert store.next_due("spring", after_utc_s=5.0) is None


def plan(store: SqliteStore, sql: str, parameters: tuple[object, ...]) -> str:
    """Return SQLite's plan of a query as one text."""
    rows = store._database.read(f"EXPLAIN QUERY PLAN {sql}", parameters)
    return "\n".join(row[3] for row in rows)


@pytest.mark.parametrize("state", CLAIMED)
def test_a_claim_is_one_look_up_in_an_index(store: SqliteStore, state: CallState) -> None:
    """No claim scans a table or sorts, down to the step; that is what keeps a million cheap."""
    found = plan(store, query_of(state, frozenset()), parameters_of(claim(state)))

    assert "campaign=? AND" in found
    assert "waits_for=? AND step=?" in found
    assert "SCAN calls" not in found
    assert "TEMP B-TREE" not in found


@pytest.mark.parametrize(
    ("sql", "parameters", "index"),
    [
        (call_table.NEXT_DUE, 2, "calls_due (campaign=? AND due_utc_s>?)"),
        (call_table.TOTALS, 1, "tallies USING PRIMARY KEY (campaign=?)"),
        (call_table.WAITING, 1, "calls_waiting (campaign=? AND state=? AND waits_for=?"),
        (call_table.OF_STATE[CallState.REVIEW], 1, "calls_by_state (campaign=? AND state=?)"),
        (call_table.OF_STATE[CallState.ACTIVE], 1, "calls_by_state (campaign=? AND state=?)"),
        (call_table.UPDATE, 19, "(id=?)"),
        (call_table.UPDATE_PROGRESS, 7, "(id=?)"),
        (dial_table.OF_CALL, 1, "dials USING PRIMARY KEY (call_seq=?)"),
        (dial_table.OPEN, 1, "dials_open"),
    ],
)
def test_other_frequent_queries_use_their_index(
    store: SqliteStore, sql: str, parameters: int, index: str
) -> None:
    """No query of a running worker or of `status` reads all calls."""
    found = plan(store, sql, (1,) * parameters)

    assert index in found
    assert "SCAN calls" not in found


def expected_order(call: Call) -> tuple[float, int]:
    """Return what a claim orders by, in plain words of the interface."""
    if call.state is CallState.PARKED:
        return call.parked_utc_s or 0.0, call.contact.line
    if call.state in {CallState.BACKOFF, CallState.RECONCILING, CallState.SCHEDULED}:
        return call.due_utc_s or 0.0, call.contact.line
    return 0.0, call.contact.line


def expected(calls: list[Call], wanted: Claim) -> Call | None:
    """Return what a claim must find, by looking at all calls."""
    fitting = [
        call
        for call in calls
        if call.state is wanted.state
        and call.waits_for == wanted.waits_for
        and (call.due_utc_s is None or call.due_utc_s <= wanted.due_utc_s)
        and (not wanted.steps or call.step in wanted.steps)
    ]
    return min(fitting, key=expected_order, default=None)


@settings(max_examples=150)
@given(
    writes=st.lists(st.tuples(st.integers(1, 6), CHANGES), max_size=25),
    steps=st.frozensets(st.sampled_from(Step), max_size=3),
    due_utc_s=st.sampled_from([0.5, 1.0, 2.5, 9.0]),
    waits_for=st.sampled_from(["", "llm"]),
)
def test_any_history_of_writes_agrees_with_the_model(
    writes: list[tuple[int, dict[str, Any]]],
    steps: frozenset[Step],
    due_utc_s: float,
    waits_for: str,
) -> None:
    """After any saves, claims, counts, listings and due times are those of a plain dictionary."""
    model = {line: a_call(line) for line in range(1, 7)}
    with closing(SqliteStore.open(None)) as store:
        filled(store, *model.values())
        for line, changes in writes:
            model[line] = model[line].evolve(**changes)
            store.save_call(model[line])
        calls = list(model.values())

        for state in CallState:
            wanted = claim(state, steps=steps, due_utc_s=due_utc_s, waits_for=waits_for)
            assert store.first_call(wanted) == expected(calls, wanted)
            only = frozenset({state})
            assert list(store.calls("spring", only)) == [c for c in calls if c.state is state]
        check_counts(store, calls)


def check_counts(store: SqliteStore, calls: list[Call]) -> None:
    """Compare totals, waiting groups, results and due times with a count over all calls."""
    waits = [call for call in calls if call.state in CLAIMED[1:]]
    groups = {
        (each.state, each.waits_for, each.reason): (each.calls, each.due_utc_s)
        for each in store.waiting("spring")
    }
    for key in {(call.state, call.waits_for, call.reason) for call in waits} | groups.keys():
        members = [c for c in waits if (c.state, c.waits_for, c.reason) == key]
        dues = [c.due_utc_s for c in members if c.due_utc_s is not None]
        assert groups[key] == (len(members), min(dues, default=None))
    totals, results = store.totals("spring"), store.results("spring")
    assert totals == {s: n for s in CallState if (n := sum(c.state is s for c in calls))}
    named = {call.result for call in calls if call.result}
    assert results == {name: sum(call.result == name for call in calls) for name in named}
    dues = [c.due_utc_s for c in calls if c.state in CLAIMED and c.due_utc_s is not None]
    assert store.next_due("spring") == min(dues, default=None)
