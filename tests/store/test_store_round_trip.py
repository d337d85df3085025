"""What is put into the store comes out of it, field by field."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_builders import SPRING, a_call, a_dial, a_run, contact, filled

from callagent_cli.calls.model import Call, CallState, DialStatus, Step
from callagent_cli.errors import StoreError
from callagent_cli.store.port import Campaign, Command, Waiting
from callagent_cli.store.sqlite_store import SqliteStore
from callagent_cli.store.text import clean_text

TEXTS = st.text(max_size=20)
SURROGATES = st.integers(0xD800, 0xDFFF).map(chr)
NUMBERS = st.floats(min_value=0, max_value=1e12)


def test_a_campaign_is_found_by_name_and_replaced_by_a_later_one(store: SqliteStore) -> None:
    """Saving a campaign again changes its source and keeps its calls."""
    store.add_calls([a_call()])

    store.save_campaign(replace(SPRING, source="other.csv"))

    found = store.campaign("spring")
    assert found == Campaign(
        name="spring", source="other.csv", source_sha256="ab12", created_utc_s=100.0
    )
    assert store.campaign("autumn") is None
    assert store.totals("spring") == {CallState.PENDING: 1}


def test_campaigns_come_the_latest_first(store: SqliteStore) -> None:
    """The list of campaigns is ordered by creation, backwards."""
    summer = replace(SPRING, name="summer", created_utc_s=200.0)
    store.save_campaign(summer)

    assert store.campaigns() == [summer, SPRING]


@given(
    name=TEXTS,
    reason=TEXTS,
    variables=st.dictionaries(TEXTS, TEXTS, max_size=3),
    due_utc_s=st.none() | NUMBERS,
    parked_utc_s=st.none() | NUMBERS,
    counts=st.tuples(*[st.integers(0, 1000)] * 3),
    state=st.sampled_from(CallState),
    step=st.sampled_from(Step),
)
def test_a_call_comes_back_as_it_was(
    name: str,
    reason: str,
    variables: dict[str, str],
    due_utc_s: float | None,
    parked_utc_s: float | None,
    counts: tuple[int, int, int],
    state: CallState,
    step: Step,
) -> None:
    """Every field survives an insert and an update."""
    added = a_call(
        contact=contact(7, name=name, extension="12", timezone="Europe/Berlin", crm_id="9"),
        results={"compose": {"script": reason, "words": [1, 2.5, None]}},
    )
    added = added.evolve(contact=msgspec.structs.replace(added.contact, variables=variables))
    changed = added.evolve(
        state=state,
        step=step,
        reason=reason,
        waits_for="llm",
        attempts=counts[0],
        due_utc_s=due_utc_s,
        parked_utc_s=parked_utc_s,
        dials=counts[1],
        conversation="conv_1",
        result="answered",
        failed_by="crm",
        incident="incident_1",
        results={"follow": variables},
        reconciling_since_utc_s=due_utc_s,
        reconciling_closed_s=1.5,
        look_ups=counts[2],
        updated_utc_s=3.25,
    )
    with closing(SqliteStore.open(None)) as store:
        filled(store, added)
        first = store.call("call_1")
        store.save_call(changed)
        second = store.call("call_1")

    assert (first, second) == (added, changed)


@given(text=st.lists(st.characters() | SURROGATES, max_size=10).map("".join))
def test_any_text_can_be_stored(text: str) -> None:
    """Lone surrogates become U+FFFD, everything else stays, in columns and in JSON."""
    with closing(SqliteStore.open(None)) as store:
        filled(store, a_call(contact=contact(1, name=text, variables={"note": text})))
        store.save_call(
            a_call(state=CallState.PARKED, reason=text, waits_for=text, results={text: [text]})
        )
        store.save_dial(a_dial(reason=text))
        found = store.call("call_1")
        dial = store.dials("call_1")[0]
        store.put(text, text, b"body")
        document = store.get(text, text)
        waiting = store.waiting("spring")

    clean = clean_text(text)
    assert found is not None
    assert found.contact.name == clean
    assert found.contact.variables == {"note": clean}
    assert (found.reason, found.results) == (clean, {clean: [clean]})
    assert (dial.reason, document) == (clean, b"body")
    assert [(each.waits_for, each.reason) for each in waiting] == [(clean, clean)]


def test_clean_text_joins_surrogate_pairs_and_replaces_lone_ones() -> None:
    """A pair is the character it stands for; what stands for nothing is U+FFFD."""
    assert clean_text("a\ud83d\ude00b\ud83dc") == "a😀b\ufffdc"


def test_known_identities_are_not_added_again(store: SqliteStore) -> None:
    """Identity is campaign, number and extension; only what is new is counted."""
    extension = a_call(3, contact=contact(1, extension="7"))
    added = store.add_calls([a_call(1), a_call(2)])

    again = store.add_calls([a_call(9, contact=contact(1, name="changed")), extension])

    assert (added, again) == (2, 1)
    assert store.call("call_9") is None
    assert [call.id for call in store.calls("spring")] == ["call_1", "call_3", "call_2"]


def test_only_whoever_was_not_dialed_yet_gets_another_contact(store: SqliteStore) -> None:
    """Calls that wait and were never dialed change; those under way, done or dialed stay."""
    states = {1: CallState.PENDING, 2: CallState.SCHEDULED, 3: CallState.PARKED, 4: CallState.DONE}
    store.add_calls(a_call(line, state=state) for line, state in states.items())
    store.add_calls([a_call(5, dials=1), a_call(6)])
    changed = [
        a_call(line, contact=contact(line, name="Ann", variables={"offer": "10 %"}))
        for line in range(1, 6)
    ]

    renewed = store.renew_contacts([*changed, a_call(6), a_call(7)])

    assert renewed == 3
    assert {call.contact.line: call.contact.name for call in store.calls("spring")} == {
        **dict.fromkeys((1, 2, 3), "Ann"),
        **dict.fromkeys((4, 5, 6), ""),
    }
    found = store.call("call_1")
    assert found is not None
    assert (found.state, found.contact.variables) == (CallState.PENDING, {"offer": "10 %"})


def test_what_was_composed_for_somebody_else_is_composed_again(store: SqliteStore) -> None:
    """Unless a dial is open, whose phone may have rung; a new line alone changes nothing."""
    ready = {"step": Step.DIAL, "state": CallState.PARKED, "attempts": 2}
    written = {"compose": {"text": "Good morning, Bob"}}
    store.add_calls(a_call(line, results=written, **ready) for line in (1, 2, 3))
    store.save_dial(a_dial("call_2", status=DialStatus.UNKNOWN))
    store.flush()
    renamed = [a_call(line, contact=contact(line, name="Ann")) for line in (1, 2)]
    moved = msgspec.structs.replace(contact(3), line=33)

    assert store.renew_contacts([*renamed, a_call(3, contact=moved)]) == 3

    first, second, third = (store.call(f"call_{line}") for line in (1, 2, 3))
    assert first is not None
    assert second is not None
    assert third is not None
    assert (first.step, first.results, first.attempts) == (Step.LOOK_UP, {}, 0)
    assert (second.step, second.results, second.attempts) == (Step.DIAL, written, 2)
    assert (third.step, third.results, third.contact.line) == (Step.DIAL, written, 33)


def test_whoever_waits_for_the_window_of_another_zone_is_due(store: SqliteStore) -> None:
    """The next claim asks the right window; all other waits stay as they are."""
    waits = {"due_utc_s": 9.0, "state": CallState.SCHEDULED}
    store.add_calls([a_call(1, **waits), a_call(2, **waits)])
    moved = a_call(1, contact=contact(1, timezone="Asia/Tokyo"))

    store.renew_contacts([moved, a_call(2, contact=contact(2, name="Ann"))])

    assert [call.due_utc_s for call in store.calls("spring")] == [0.0, 9.0]


def test_whoever_may_be_dialed_again_gets_a_corrected_time_zone(store: SqliteStore) -> None:
    """A redial waits as long as it did, and then asks the right window."""
    redial = {"due_utc_s": 9.0, "state": CallState.SCHEDULED, "dials": 1}
    states = {3: CallState.FAILED, 4: CallState.DONE}
    store.add_calls([a_call(1, **redial), a_call(2, **redial)])
    store.add_calls(a_call(line, state=state) for line, state in states.items())
    zones = {1: "Asia/Tokyo", 2: "", 3: "Asia/Tokyo", 4: "Asia/Tokyo"}
    before = a_call(1).contact.timezone

    store.renew_contacts(
        a_call(line, contact=contact(line, name="Ann", timezone=zone))
        for line, zone in zones.items()
    )
    found = list(store.calls("spring"))

    assert {call.contact.line: call.contact.timezone for call in found} == {
        **dict.fromkeys((1, 3), "Asia/Tokyo"),
        **dict.fromkeys((2, 4), before),
    }
    assert {call.due_utc_s for call in found if call.dials} == {9.0}
    assert {call.contact.name for call in found} == {""}


def test_adding_is_all_or_nothing(store: SqliteStore) -> None:
    """An import that breaks in the middle leaves no calls, and the store goes on."""

    def broken() -> Iterator[Call]:
        yield a_call(1)
        raise ValueError("line 2 cannot be read")

    with pytest.raises(ValueError, match="line 2"):
        store.add_calls(broken())
    with pytest.raises(StoreError, match="UNIQUE"):
        store.add_calls([a_call(2), a_call(2, contact=contact(3))])

    assert store.totals("spring") == {}
    assert store.add_calls([a_call(1)]) == 1


def test_what_was_written_before_a_broken_import_stays(store: SqliteStore) -> None:
    """In the middle of a transaction only the import is undone, and on its own all of it."""
    store.put("alert", "1", b"before")
    with pytest.raises(StoreError, match="UNIQUE"):
        store.add_calls([a_call(2), a_call(2, contact=contact(3))])
    store.flush()
    with pytest.raises(StoreError, match="UNIQUE"):
        store.add_calls([a_call(2), a_call(2, contact=contact(3))])
    store.put("alert", "2", b"after")
    store.flush()

    assert (store.get("alert", "1"), store.get("alert", "2")) == (b"before", b"after")
    assert store.totals("spring") == {}


def test_adding_nothing_adds_nothing(store: SqliteStore) -> None:
    """An empty import is no error."""
    assert store.add_calls([]) == 0


def test_calls_of_an_unknown_campaign_are_refused(store: SqliteStore) -> None:
    """Each call belongs to a campaign that the store knows."""
    with pytest.raises(StoreError, match="campaign"):
        store.add_calls([a_call(campaign="autumn")])


def test_an_unknown_call_cannot_be_saved(store: SqliteStore) -> None:
    """A change of a call that was never added is an error, not a silent loss."""
    with pytest.raises(StoreError, match="call_1 is not in the store"):
        store.save_call(a_call())
    with pytest.raises(StoreError, match="call_1 is not in the store"):
        store.save_dial(a_dial())


def test_a_refused_row_leaves_the_store_usable(store: SqliteStore) -> None:
    """What breaks a rule of the tables is the caller's mistake, not the end of the store."""
    with pytest.raises(StoreError, match="NOT NULL"):
        store.put("alert", "1", None)  # type: ignore[arg-type]

    store.put("alert", "1", b"body")
    assert store.get("alert", "1") == b"body"


def test_calls_come_by_line_and_state(store: SqliteStore) -> None:
    """A listing is ordered by line, whatever the states and the order of insertion."""
    store.add_calls([a_call(line) for line in (5, 3, 4, 1, 2)])
    store.save_call(a_call(4, state=CallState.DONE))
    store.save_call(a_call(2, state=CallState.FAILED))

    assert [call.contact.line for call in store.calls("spring")] == [1, 2, 3, 4, 5]
    some = store.calls("spring", frozenset({CallState.FAILED, CallState.DONE}))
    assert [call.contact.line for call in some] == [2, 4]
    assert list(store.calls("autumn")) == []


def test_a_listing_can_be_changed_while_it_is_read(store: SqliteStore) -> None:
    """A call that leaves the wanted states before its turn is left out; none comes twice."""
    store.add_calls([a_call(line) for line in (1, 2, 3)])
    seen = []

    for call in store.calls("spring", frozenset({CallState.PENDING})):
        seen.append(call.id)
        store.save_call(a_call(2, state=CallState.ACTIVE))
        store.flush()

    assert seen == ["call_1", "call_3"]


def test_dials_come_in_the_order_of_their_first_save(store: SqliteStore) -> None:
    """A dial saved again is updated in its place, even after the calendar was stepped back."""
    store.add_calls([a_call()])
    first = a_dial(id="dial_9")
    second = a_dial(id="dial_2", intended_utc_s=5.0)
    store.save_dial(first)
    store.save_dial(second)

    settled = first.evolve(
        status=DialStatus.PLACED, ended_utc_s=12.0, conversation="conv_1", reason="answered"
    )
    store.save_dial(settled)

    assert store.dials("call_1") == [settled, second]
    assert store.dials("call_2") == []


def test_open_dials_name_their_calls_once_by_line(store: SqliteStore) -> None:
    """Intent, unproven and unknown are open; refused, absent and placed are settled."""
    statuses = list(DialStatus)
    store.add_calls([a_call(line) for line in range(len(statuses), 0, -1)])
    for line, status in enumerate(statuses, start=1):
        store.save_dial(a_dial(f"call_{line}", id=f"dial_{line}", status=status))
    store.save_dial(a_dial("call_1", id="dial_again", status=DialStatus.UNKNOWN))

    assert store.calls_with_open_dials("spring") == ["call_1", "call_2", "call_3"]
    assert store.calls_with_open_dials("autumn") == []


def test_documents_keep_the_place_of_their_first_put(store: SqliteStore) -> None:
    """A document is replaced in place, closed ones can be left out, kinds are apart."""
    store.put("breaker", "llm", b"1")
    store.put("breaker", "crm", b"2", open_=False)
    store.put("alert", "llm", b"\x00\xff")
    store.put("breaker", "llm", b"3")

    assert store.get("breaker", "llm") == b"3"
    assert store.get("breaker", "sheet") is None
    assert store.documents("breaker") == [("llm", b"3"), ("crm", b"2")]
    assert store.documents("breaker", open_only=True) == [("llm", b"3")]
    assert store.documents("alert") == [("llm", b"\x00\xff")]


def test_commands_are_taken_once_in_order(store: SqliteStore) -> None:
    """The worker gets each command once, oldest first; the ids tell them apart."""
    pause = store.add_command("pause", "", "ann", 1.0)
    trip = store.add_command("trip", "llm", "ben", 2.0)

    taken = store.take_commands()

    assert taken == [
        Command(id=pause, name="pause", argument="", by="ann", asked_utc_s=1.0),
        Command(id=trip, name="trip", argument="llm", by="ben", asked_utc_s=2.0),
    ]
    assert pause < trip
    assert store.take_commands() == []


def test_the_last_run_is_the_one_that_started_last(store: SqliteStore) -> None:
    """A heartbeat updates a run and does not make it the last one."""
    assert store.last_run() is None
    later = a_run(id="run_2", started_utc_s=60.0, heartbeat_utc_s=60.0)
    store.save_run(a_run())
    store.save_run(later)
    store.save_run(a_run(heartbeat_utc_s=99.0))

    assert store.last_run() == later

    ended = replace(later, ended_utc_s=70.0, exit_code=1, verdict="2 failed", lanes=8)
    store.save_run(ended)
    assert store.last_run() == ended


def test_waiting_calls_are_counted_by_state_service_and_reason(store: SqliteStore) -> None:
    """Each group has its count and the instant at which its first call is due."""
    parked = {"state": CallState.PARKED, "waits_for": "llm", "reason": "breaker open"}
    store.add_calls([a_call(line) for line in range(1, 6)])
    store.save_call(a_call(1, **parked, due_utc_s=30.0))
    store.save_call(a_call(2, **parked, due_utc_s=20.0))
    store.save_call(a_call(3, **parked, result="answered"))
    store.save_call(a_call(4, state=CallState.SCHEDULED, reason="window"))

    assert store.waiting("spring") == [
        Waiting(
            state=CallState.PARKED,
            waits_for="llm",
            reason="breaker open",
            calls=3,
            due_utc_s=20.0,
        ),
        Waiting(state=CallState.SCHEDULED, waits_for="", reason="window", calls=1, due_utc_s=None),
    ]
    assert store.results("spring") == {"answered": 1}
    assert store.totals("spring") == {
        CallState.PARKED: 3,
        CallState.SCHEDULED: 1,
        CallState.PENDING: 1,
    }
