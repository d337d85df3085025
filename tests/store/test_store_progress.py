"""Progress: the cheaper way to write what a step changes of a call."""

from contextlib import closing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_builders import a_call, filled

from callagent_cli.calls.model import CallState, Step
from callagent_cli.errors import StoreError
from callagent_cli.store.port import Claim
from callagent_cli.store.sqlite_store import SqliteStore

PROGRESS = st.fixed_dictionaries(
    {},
    optional={
        "step": st.sampled_from(Step),
        "attempts": st.integers(0, 9),
        "dials": st.integers(0, 3),
        "conversation": st.text(max_size=5),
        "results": st.dictionaries(st.sampled_from(["dial", "follow"]), st.integers(0, 9)),
        "updated_utc_s": st.floats(0, 9),
    },
)


@settings(max_examples=60)
@given(state=st.sampled_from(CallState), changes=st.lists(PROGRESS, max_size=4))
def test_progress_is_read_back_and_found_by_claims(
    state: CallState, changes: list[dict[str, Any]]
) -> None:
    """In any state the call is what it was made, where it is looked for, and counted once."""
    with closing(SqliteStore.open(None)) as store:
        filled(store, a_call(1, state=state))
        call = a_call(1, state=state)
        for change in changes:
            call = call.evolve(**change)
            store.save_progress(call)
        claim = Claim(campaign="spring", state=state, due_utc_s=10.0, steps=frozenset({call.step}))

        assert store.call(call.id) == call
        assert store.first_call(claim) == call
        assert store.totals("spring") == {state: 1}


def test_progress_leaves_the_state_alone(store: SqliteStore) -> None:
    """What others wrote of where the call stands is not written back."""
    filled(store, a_call(1, state=CallState.PARKED, reason="open", due_utc_s=4.0))
    store.save_progress(a_call(1, state=CallState.ACTIVE, attempts=2))

    found = store.call("call_1")
    assert found is not None
    assert (found.state, found.reason, found.due_utc_s) == (CallState.PARKED, "open", 4.0)
    assert found.attempts == 2


def test_progress_of_an_unknown_call_is_an_error(store: SqliteStore) -> None:
    """Nothing is lost in silence."""
    with pytest.raises(StoreError, match="call_1 is not in the store"):
        store.save_progress(a_call(1))


def test_a_mark_differs_once_anything_was_written(store: SqliteStore) -> None:
    """It stays while nothing is."""
    filled(store, a_call(1))
    before = store.mark()

    assert store.mark() == before
    store.save_progress(a_call(1, attempts=1))
    assert store.mark() != before


def test_a_mark_differs_once_another_process_has_written(tmp_path: Any) -> None:  # noqa: ANN401 — pytest's.
    """A person's command line writes to the same file."""
    path = tmp_path / "campaign.db"
    with closing(SqliteStore.open(path)) as mine, closing(SqliteStore.open(path)) as other:
        before = mine.mark()
        other.add_command("pause", "", "me", 1.0)
        other.flush()

        assert mine.mark() != before


def test_each_database_in_memory_is_one_of_its_own() -> None:
    """They are copied from one that was made before, and share nothing with it."""
    with closing(SqliteStore.open(None)) as first, closing(SqliteStore.open(None)) as second:
        filled(first, a_call(1))

        assert first.totals("spring") == {CallState.PENDING: 1}
        assert second.totals("spring") == {}
        assert second.campaigns() == []
