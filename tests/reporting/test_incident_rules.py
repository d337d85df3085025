"""Incidents beyond the breaker: standing still, lost workers, unknown dials, mutes, counts."""

import pytest
from reporting_doubles import EPOCH_S, Drill, breaker, failed_attempt, failed_call, good_attempt

from callagent_cli.events import (
    CallChanged,
    CommandObeyed,
    DialSettled,
    Event,
    GateClosed,
    RunDraining,
    RunEnded,
    RunPaused,
    RunResumed,
    RunStarted,
    RunWaiting,
    StepFinished,
)
from callagent_cli.reporting.incidents import LostWorker, affected_calls, failed_calls
from callagent_cli.reporting.incidents.incident import Waste, find, is_incident, load

STARTED = RunStarted(mode="live", contacts="c.csv", lanes=1, version="1")


def _waiting(due_in_s: float | None = None) -> RunWaiting:
    return RunWaiting(reason="3 pending", due_in_s=due_in_s)


# Standing still


def test_a_run_that_stands_still_is_told_after_five_minutes() -> None:
    """Nothing has moved for 300 s although dialing is allowed: critical, and told once."""
    drill = Drill().see(STARTED).at(20).see(good_attempt()).at(319)
    before = list(drill.kinds)
    drill.at(1000)

    assert before == []
    assert drill.kinds == ["opened"]
    assert drill.told[0].severity == "critical"
    assert drill.told[0].title == "no progress for 5m although dialing is allowed"
    assert load(drill.documents)[0].key == "worker:no_progress"


@pytest.mark.parametrize(
    "excuse",
    [
        [RunPaused(by="ana")],
        [RunDraining(reason="asked")],
        [RunEnded(reason="done", exit_code=0, totals={})],
        [_waiting(5000)],
        [GateClosed(service="elevenlabs", delay_s=5000, reason="slow down")],
        [breaker("closed", "isolated", owner="operator")],
        [_waiting(), breaker("closed", "isolated", "crm", owner="operator")],
    ],
)
def test_there_are_good_reasons_to_stand_still(excuse: list[Event]) -> None:
    """Paused, drained, outside the window, asked to wait, or a service a person isolated."""
    assert Drill().see(STARTED, *excuse).at(3000).told == []


def test_an_outage_inhibits_the_alert_that_nothing_moves() -> None:
    """The breaker that is open says it all; the stall is its child."""
    drill = Drill().see(STARTED, *[failed_attempt()] * 4, breaker("closed", "open")).at(1700)

    assert drill.kinds == ["opened"]


def test_a_stall_begins_anew_when_its_excuse_is_gone() -> None:
    """After a pause the five minutes begin with the resume."""
    drill = Drill().see(STARTED, RunPaused(by="ana")).at(5000).see(RunResumed(by="ana"))
    drill.at(5299)
    before = list(drill.kinds)
    drill.at(5301)

    assert before == []
    assert drill.kinds == ["opened"]


@pytest.mark.parametrize(
    "move",
    [
        good_attempt(),
        StepFinished(call="call_1", step="dial", detail="placed"),
        CallChanged(call="call_1", old="active", new="done", step="record", reason=""),
    ],
)
def test_a_stall_is_over_once_calls_have_moved_for_two_minutes(move: Event) -> None:
    """The next success, step or end of a call ends it; the resolve is held for health."""
    drill = Drill().see(STARTED).at(400).see(move).at(519)
    before = list(drill.kinds)
    drill.at(521)

    assert before == ["opened"]
    assert drill.kinds == ["opened", "resolved"]
    assert drill.told[1].title == "calls move again after 6m40s without progress"


def test_a_second_stall_soon_after_continues_the_first() -> None:
    """One incident: its second time is an update."""
    drill = Drill().see(STARTED).at(400).see(good_attempt()).at(701)

    assert drill.kinds == ["opened", "resolved", "update"]
    assert {alert.incident for alert in drill.told} == {"INC-0001"}
    assert "(2nd time)" in drill.told[-1].title


def test_a_stall_ends_with_its_run() -> None:
    """Whoever ends a run that stands still hears that it is over; the next run begins afresh."""
    drill = Drill().see(STARTED).at(400).end_of_run()
    drill.restart(after_s=10)
    drill.see(STARTED).at(drill.now_s + 200)

    assert drill.kinds == ["opened", "resolved"]
    assert load(drill.documents)[0].early


def test_a_kill_in_a_stall_is_mended_by_the_next_start() -> None:
    """The next run moves, and the incident of the last one is resolved."""
    drill = Drill().see(STARTED).at(400)
    drill.restart(after_s=10)
    drill.see(STARTED).at(drill.now_s + 130)

    assert drill.kinds == ["opened", "resolved"]


# Unknown dials


def test_a_redial_refused_as_unknown_is_an_incident_of_its_own() -> None:
    """Nobody knows whether the phone rang: a person must decide, and hears why."""
    drill = Drill().see(
        DialSettled(call="call_1", dial="dial_1", status="unknown"),
        failed_call(new="review", reason="nobody knows whether the phone rang"),
    )

    assert load(drill.documents)[0].key == "call:redial_refused"
    assert drill.told[0].title.startswith("call …123 needs a decision: nobody knows")


def test_a_dial_that_was_proven_is_no_unknown() -> None:
    """A look-up that found it absent takes the mark back."""
    drill = Drill().see(
        DialSettled(call="call_1", dial="dial_1", status="unknown"),
        DialSettled(call="call_1", dial="dial_1", status="absent"),
        failed_call(new="review", reason="still in progress after 60 min"),
    )

    assert load(drill.documents)[0].key == "call:review"


# Counts


def test_wasted_requests_are_told_apart() -> None:
    """First attempts, retries and trials; late answers of an open breaker are no waste after it."""
    drill = Drill(at_s=10).see(failed_attempt(attempt=1), failed_attempt(attempt=2))
    drill.see(*[failed_attempt(call="call_2", attempt=3)] * 2, breaker("closed", "open")).at(12)
    drill.see(failed_attempt(call="call_3", attempt=1, breaker_state="open", duration_s=5.0))
    drill.see(failed_attempt(call="call_4", attempt=1, breaker_state="half_open", trial=True))
    incident = drill.book.incidents()[0]

    assert incident.waste == Waste(first_attempts=2, retries=3, trials=1, after_open=0)
    assert incident.attempts_failed == 6
    assert incident.calls_affected == 4


def test_a_request_begun_under_an_open_breaker_is_counted_against_us() -> None:
    """It must never happen; if it does, the report says so, whether it failed or not."""
    drill = Drill().see(*[failed_attempt()] * 4, breaker("closed", "open")).at(10)
    drill.see(good_attempt(breaker_state="open"), failed_attempt(breaker_state="open"))

    assert drill.book.incidents()[0].waste.after_open == 2


def test_five_samples_show_every_kind_of_error() -> None:
    """A kind of failure that comes late still finds room."""
    drill = Drill().see(*[failed_attempt(request_id="req_1")] * 9, breaker("closed", "open"))
    drill.at(30).see(failed_attempt(outcome="timeout", http_status=None, trial=True))
    samples = drill.book.incidents()[0].samples

    assert len(samples) == 5
    assert [sample.outcome for sample in samples] == ["unavailable"] * 4 + ["timeout"]
    assert samples[0].request_id == "req_1"


def test_failures_that_a_success_interrupts_belong_to_the_outage_they_led_to() -> None:
    """Where the share of failures opens the breaker, those of its window are its beginning."""
    drill = Drill(at_s=5)
    for second in range(10, 22, 2):
        drill.at(second).see(failed_attempt(call=f"call_{second}")).at(second + 1)
        drill.see(good_attempt(call=f"call_{second}"))
    drill.see(breaker("closed", "open", reason="6 of 12 of elevenlabs.dial failed"))
    incident = drill.book.incidents()[0]

    assert incident.attempts_failed == 6
    assert incident.first_failure_utc_s == EPOCH_S + 10


class _Run:
    def __init__(self, pending: int) -> None:
        self.waiting = pending

    def pending(self) -> int:
        return self.waiting


def test_people_held_back_are_counted_as_protected() -> None:
    """Those not begun while it was down, and those parked before an attempt of theirs failed."""
    drill = Drill()
    drill.book.watch(_Run(50))
    drill.see(*[failed_attempt()] * 4, breaker("closed", "open"))
    for call in ("call_1", "call_2", "call_2"):
        drill.see(
            CallChanged(
                call=call,
                old="active",
                new="parked",
                step="dial",
                reason="",
                waits_for="elevenlabs",
            )
        )
    drill.at(60).see(breaker("half_open", "closed"))
    incident = drill.book.incidents()[0]

    assert (incident.calls_parked, incident.calls_spared) == (2, 1)
    assert incident.calls_protected == 51


def test_the_affected_calls_are_kept_by_id() -> None:
    """A requeue of an incident takes back exactly those that failed by it, after a restart too."""
    drill = Drill().see(*[failed_attempt()] * 4, breaker("closed", "open"), failed_call())
    drill.restart(after_s=5)
    drill.see(failed_attempt(call="call_1"), failed_attempt(call="call_2"), failed_call("call_3"))
    drill.see(failed_attempt(call="call_9", outcome="rejected"), failed_call("call_9"))

    assert failed_calls(drill.documents, "INC-0001") == {"call_1"}
    assert set(affected_calls(drill.documents, "INC-0001")) == {"call_1", "call_2"}
    assert failed_calls(drill.documents, "INC-0002") | failed_calls(
        drill.documents, "INC-0003"
    ) == {
        "call_3",
        "call_9",
    }
    found = find(drill.documents, "INC-0001")
    assert found is not None
    assert found.attempts_failed >= 4


# Commands


@pytest.mark.parametrize(
    ("word", "expected"),
    [("INC-0001", True), ("INC-12345", True), ("INC-0001-02", False), ("elevenlabs", False)],
)
def test_an_incident_is_told_from_a_service_by_its_name(word: str, expected: bool) -> None:
    """A requeue command names either."""
    assert is_incident(word) is expected


def test_commands_stand_in_the_timeline() -> None:
    """Who did what while it was open."""
    drill = Drill().see(*[failed_attempt()] * 4, breaker("closed", "open"))
    drill.see(CommandObeyed(command="lanes", argument="2", by="ana"))
    kept = [body.decode() for _, body in drill.documents.documents("incident-moves:INC-0001")]

    assert any("ana: lanes 2" in body for body in kept)


def _flap(drill: Drill, at_s: float) -> None:
    drill.at(at_s).see(*[failed_attempt()] * 4, breaker("closed", "open"))
    drill.at(at_s + 10).see(breaker("half_open", "closed"))


def test_a_reopened_incident_counts_the_failures_of_each_time() -> None:
    """Also after it was declared over."""
    drill = Drill()
    _flap(drill, 0)
    _flap(drill, 60)
    _flap(drill, 400)

    assert drill.book.incidents()[0].attempts_failed == 12
    assert drill.book.incidents()[0].times_opened == 3


PARTS = ("What", "Since", "Impact", "Done already", "To do", "Command", "Incident")


def test_every_alert_says_all_that_a_person_needs() -> None:
    """What, since when, impact, what was done, what to do, the command, and the incident's id."""
    drill = Drill().see(STARTED)
    drill.see(*[failed_attempt()] * 4, breaker("closed", "open"), failed_call())
    drill.see(failed_call("call_2", new="review", reason="no proof"), failed_call("call_3"))
    drill.at(1900).see(breaker("half_open", "closed")).at(2100)
    for channel in ("telegram", "heartbeat", "sheet"):
        drill.told += drill.book.channel_broken(channel, "answered 401", drill.instant())
        drill.told += drill.book.channel_works(channel, drill.instant())
    lost = LostWorker(pid=7, host="box", heartbeat_utc_s=EPOCH_S)
    drill.told += drill.book.workers.lost(lost, drill.instant())
    drill.at(2600).end_of_run()

    assert {alert.kind for alert in drill.told} == {"opened", "update", "resolved", "call_failed"}
    assert {"no progress", "dead-man's switch", "Google Sheet", "reminder"} <= {
        word
        for word in ("no progress", "dead-man's switch", "Google Sheet", "reminder")
        if any(word in alert.title for alert in drill.told)
    }
    for alert in drill.told:
        parts = [line.partition(": ")[0] for line in alert.body.splitlines()]
        assert parts == list(PARTS), alert.title
