"""The view state: what each event teaches it, that totals add up, and that it stays small."""

import subprocess
import sys
import tracemalloc
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st
from monitor_scenes import (
    NOW,
    SERVICES,
    attempts,
    breaker_moved,
    draining,
    empty,
    healthy,
    incident,
    new_state,
    raised,
)

from callagent_cli.calls.model import LEGAL_MOVES, CallState
from callagent_cli.events import (
    AttemptFinished,
    CallChanged,
    CommandObeyed,
    ContactsImported,
    Event,
    GateClosed,
    HealthChecked,
    RetryScheduled,
    SinkDropped,
    Stamped,
    StepDegraded,
)
from callagent_cli.monitor.snapshot import BreakerSnapshot, CallSnapshot, RunSnapshot, Snapshot
from callagent_cli.monitor.state import SERVICES_LIMIT, ViewState
from callagent_cli.monitor.view.alerts import ALERTS_LIMIT
from callagent_cli.monitor.view.calls import (
    GROUPS_LIMIT,
    IN_FLIGHT_LIMIT,
    MEMORY_LIMIT,
    RETRIES_LIMIT,
    WAITS,
    WaitingGroup,
)
from callagent_cli.monitor.view.services import NextMove

# Services


def test_nothing_known_reads_as_no_data() -> None:
    """Before any event a service is neither well nor unwell, and has no figures."""
    service = empty().services["crm"]

    assert service.breaker is None
    assert service.health is None
    assert service.window(NOW).share is None
    assert service.p95_s(NOW) is None
    assert service.next_move(NOW).kind == "none"


def test_only_what_the_breaker_counts_is_bad() -> None:
    """A throttled attempt is an attempt, not a failure; a cancelled one is neither."""
    state, teller = new_state()
    for outcome in ("ok", "unavailable", "quota", "throttled", "rejected", "cancelled"):
        teller.attempt(5, "llm", outcome)
    teller.attempt(5, "llm", "local_rejection")

    window = state.services["llm"].window(NOW)

    assert (window.bad, window.attempts) == (2, 5)
    assert window.share == pytest.approx(0.4)


def test_failures_fall_out_of_the_window_after_a_minute() -> None:
    """What failed more than a minute ago is not shown any more."""
    state, teller = new_state()
    teller.attempt(30, "llm", "timeout")
    service = state.services["llm"]

    assert sum(service.failures(NOW)) == 1
    assert len(service.failures(NOW)) == 10
    assert sum(service.failures(NOW + 61)) == 0
    assert service.window(NOW + 61).share is None
    assert service.p95_s(NOW + 61) is None


def test_open_breaker_counts_down_to_its_next_check() -> None:
    """While open, the next health check comes first; without one, the end of the open time."""
    state, teller = new_state()
    teller.tell(10, breaker_moved("open", open_s=30.0))
    service = state.services["elevenlabs"]

    assert service.next_move(NOW) == NextMove("trial", 20.0)
    teller.tell(
        3,
        HealthChecked(service="elevenlabs", health="unhealthy", duration_s=1.0, next_check_s=10.0),
    )

    assert service.next_move(NOW).kind == "check"
    assert service.next_move(NOW).in_s == pytest.approx(7.0)
    assert service.next_move(NOW + 8).in_s == 0.0


def test_half_open_counts_good_trials() -> None:
    """Trials that succeed in half-open are counted; a re-opening forgets them."""
    state, teller = new_state()
    teller.tell(10, breaker_moved("half_open", "open"))
    service = state.services["elevenlabs"]
    assert service.next_move(NOW).kind == "half_open"

    teller.tell(9, _trial())
    assert service.trials_good == 1
    teller.tell(8, breaker_moved("open", "half_open", open_s=60.0))
    assert service.trials_good == 0
    assert service.opened == 1


def _trial() -> Event:
    return AttemptFinished(
        service="elevenlabs",
        operation="elevenlabs.dial",
        outcome="ok",
        duration_s=0.5,
        trial=True,
        breaker_state="half_open",
    )


def test_isolated_breaker_waits_for_a_person() -> None:
    """Nothing but a person lifts an isolation."""
    state, teller = new_state()
    teller.tell(10, breaker_moved("isolated", owner="quota"))
    service = state.services["elevenlabs"]

    assert service.next_move(NOW).kind == "person"
    assert service.blocked()


def test_gate_counts_down_and_ends() -> None:
    """A closed gate shows the wait the service asked for, then nothing."""
    state, teller = new_state()
    teller.tell(2, GateClosed(service="llm", delay_s=10.0, reason="retry_after"))

    assert state.services["llm"].next_move(NOW).in_s == pytest.approx(8.0)
    assert state.services["llm"].next_move(NOW + 9).kind == "none"


def test_fallback_is_kept_until_it_ends() -> None:
    """What stands in for a service is shown while it does."""
    state, teller = new_state()
    start = StepDegraded(service="llm", step="compose", active=True, instead="second model")
    teller.tell(5, start)
    assert state.services["llm"].fallback == {"compose": "second model"}

    teller.tell(1, StepDegraded(service="llm", step="compose", active=False, instead=""))
    assert state.services["llm"].fallback == {}


def test_mute_holds_for_ten_minutes() -> None:
    """A muted service is muted until its time is over."""
    state, teller = new_state()
    teller.tell(0, CommandObeyed(command="mute", argument="llm", by="anna"))

    assert state.services["llm"].muted(NOW + 599)
    assert not state.services["llm"].muted(NOW + 601)


# Calls


def test_totals_add_up_to_the_contacts() -> None:
    """Whatever happened, the counts by state add up to the contacts of the file."""
    calls = incident().calls

    assert sum(calls.totals.values()) == calls.contacts == 103
    assert calls.finished == calls.totals["done"] + calls.totals["failed"] + 3
    assert calls.unfinished == calls.contacts - calls.finished


def test_results_of_finished_calls_are_counted() -> None:
    """Answered, voicemail and no answer are counted once a call."""
    assert incident().calls.results == {"answered": 20, "voicemail": 10, "no_answer": 10}


def test_who_waits_for_what_is_grouped() -> None:
    """Parked and scheduled calls are counted with their reasons."""
    waiting = [
        (group.calls, group.state, group.waits_for, group.reason)
        for group in incident().calls.waiting()
    ]

    assert waiting == [
        (23, "parked", "elevenlabs", "breaker open"),
        (3, "scheduled", "", "window opens at 08:00"),
    ]


def test_a_retry_counts_down_and_ends_with_its_attempt() -> None:
    """The countdown is there from the plan of a retry to the attempt it waits for."""
    state, teller = new_state()
    teller.move(9, "call_1", "pending", "active")
    retry = RetryScheduled(
        service="elevenlabs", call="call_1", attempt=2, of=4, delay_s=5.0, reason="backoff"
    )
    teller.tell(3, retry)
    teller.move(3, "call_1", "active", "backoff")
    assert [item.due_utc_s - NOW for item in state.calls.retries()] == [2.0]
    assert state.calls.retries()[0].name == "Jo Park"

    teller.attempt(0, "elevenlabs", "ok", call="call_1")
    assert state.calls.retrying == 0


def test_seed_and_import_do_not_count_twice() -> None:
    """The store's totals win over an import, in whatever order they are told."""
    imported = ContactsImported(
        file="c.csv", accepted=5, known=0, duplicate=0, rejected=0, excluded=0, blank=0
    )
    for first in (True, False):
        state, teller = new_state()
        if first:
            state.seed({"pending": 5})
        teller.tell(1, imported)
        if not first:
            state.seed({"pending": 5})
        assert state.calls.contacts == 5


def test_a_person_excluded_by_two_rows_is_one_person() -> None:
    """An import that nobody counted in the store adds people, not rows."""
    state, teller = new_state()
    imported = ContactsImported(
        file="c.csv",
        accepted=5,
        known=0,
        duplicate=0,
        rejected=0,
        excluded=4,
        people_excluded=2,
        blank=0,
    )

    teller.tell(1, imported)

    assert state.calls.contacts == 7


def test_eta_is_unknown_without_a_rate_and_while_held_back() -> None:
    """An estimate is only given when calls finish and nothing holds the run back."""
    state = healthy()
    assert state.eta_s(NOW) is not None
    assert state.calls.rate_per_s(NOW + 1300) is None
    assert draining().eta_s(NOW) is None
    assert empty().eta_s(NOW) is None


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from(sorted(LEGAL_MOVES))), max_size=120))
def test_no_call_is_lost_from_the_totals(moves: list[tuple[int, CallState]]) -> None:
    """Any sequence of moves keeps the sum, and the waiting groups add up to their states."""
    state, teller = new_state()
    state.seed({"pending": 31})
    where = dict.fromkeys(range(31), "pending")
    for number, new in moves:
        call = f"call_{number}"
        event = CallChanged(
            call=call, old=where[number], new=new, step="dial", reason=f"because {number % 3}"
        )
        teller.tell(1, event)
        where[number] = new.value

    calls = state.calls
    assert calls.contacts == 31
    expected = {word: list(where.values()).count(word) for word in calls.totals}
    assert calls.totals == expected
    for word in WAITS:
        grouped = sum(group.calls for group in calls.waiting() if group.state == word)
        assert grouped == calls.totals[word]
    assert len(calls.in_flight) == calls.totals["active"] + calls.totals["backoff"]


# Bounds


def test_everything_is_bounded() -> None:
    """Ever new calls, reasons, services and alerts do not grow the state beyond its limits."""
    state, teller = new_state()
    for stamped in attempts(60_000):
        state.fold(stamped)
    for number in range(2000):
        teller.tell(0, raised(number, f"incident {number}"))
        teller.tell(0, GateClosed(service=f"service {number}", delay_s=1.0, reason=""))
        teller.tell(0, SinkDropped(sink=f"sink {number}", dropped=1, error_message=""))
        teller.tell(
            0, CallChanged(call=f"x{number}", old="pending", new="active", step="dial", reason="")
        )

    assert len(state.calls.in_flight) == IN_FLIGHT_LIMIT
    assert state.calls.retrying <= RETRIES_LIMIT
    assert len(state.calls._group_of) <= MEMORY_LIMIT
    assert len(state.calls.waiting()) <= GROUPS_LIMIT + 3
    assert len(state.alerts.latest()) == ALERTS_LIMIT
    assert state.alerts.left_out == 1800
    assert len(state.services) <= SERVICES_LIMIT + 1
    assert len(state.dropped) <= 16


def test_memory_is_flat() -> None:
    """After the limits are reached, further events do not make the state larger."""
    state = ViewState()
    stream = attempts(160_000)
    for stamped in islice(stream, 80_000):
        state.fold(stamped)
    tracemalloc.start()
    for stamped in stream:
        state.fold(stamped)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert grown < 2_500_000
    assert state.events == 160_000


# Snapshot


def test_a_snapshot_rebuilds_what_the_store_knows() -> None:
    """Run, totals, breakers, alerts and lanes come from the store; traffic is no data."""
    run = RunSnapshot(
        run="run_1",
        campaign="spring",
        mode="live",
        pid=4711,
        host="host-a",
        lanes=4,
        started_utc_s=NOW - 100,
        heartbeat_utc_s=NOW - 1,
        paused_by="anna",
        paused_utc_s=NOW - 60,
    )
    snapshot = Snapshot(
        run=run,
        totals={"pending": 3, "parked": 2, "backoff": 1},
        waiting=(WaitingGroup(state="parked", waits_for="elevenlabs", reason="open", calls=2),),
        results={"answered": 4},
        breakers=(BreakerSnapshot(service="elevenlabs", state="open", since_utc_s=NOW - 20),),
        calls=(
            CallSnapshot(
                call="call_1",
                state="backoff",
                step="dial",
                since_utc_s=NOW - 9,
                attempt=2,
                of=4,
                due_utc_s=NOW + 5,
            ),
        ),
    )
    state = ViewState.from_snapshot(snapshot, SERVICES)

    assert state.verdict(NOW).detail == "by anna 1m ago · 1 call in flight finishes"
    assert state.calls.contacts == 6
    assert state.calls.waiting_for("elevenlabs") == 2
    assert state.services["elevenlabs"].blocked()
    assert state.services["elevenlabs"].window(NOW).share is None
    assert [retry.call for retry in state.calls.retries()] == ["call_1"]
    assert state.verdict(NOW + 60).word == "LOST"


def test_an_unknown_event_is_only_counted() -> None:
    """Events of rooms the view state does not know do no harm."""

    class Rehearsed(Event, frozen=True, kw_only=True):
        """An event of another room."""

    state = ViewState()
    state.fold(Stamped(NOW, 0.0, 1, "", "", Rehearsed()))

    assert state.events == 1


def test_state_and_text_load_no_screen_library() -> None:
    """`callagent status` must not pay for Textual or Rich."""
    code = (
        "import sys, callagent_cli.monitor.state, callagent_cli.monitor.text;"
        "print(sorted({'textual', 'rich', 'httpx2', 'sqlite3'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=15
    )

    assert done.stdout.strip() == "[]"
