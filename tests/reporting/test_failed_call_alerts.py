"""Calls that fail for good: the first of a cause at once, the others as a count."""

import pytest
from reporting_doubles import Drill, breaker, failed_attempt, failed_call, good_attempt


def _rejected(drill: Drill, call: str) -> Drill:
    return drill.see(
        failed_attempt(call=call, outcome="rejected", error_message="no such agent variable"),
        failed_call(call, reason="no such agent variable"),
    )


def test_a_call_that_fails_in_an_outage_belongs_to_its_incident() -> None:
    """The required scenario: four failures open the breaker, then the call fails."""
    drill = Drill().see(*[failed_attempt()] * 4, breaker("closed", "open"), failed_call())

    assert drill.kinds == ["opened", "call_failed"]
    assert drill.told[1].incident == drill.told[0].incident == "INC-0001"
    assert drill.told[1].title == "call …123 failed for good: elevenlabs answered 503"
    assert drill.told[1].call == "call_1"
    assert "callagent requeue --incident INC-0001" in drill.told[1].body


def test_more_calls_of_one_cause_are_a_count_in_its_updates() -> None:
    """A hundred failed calls in ten minutes are one alert and a few updates."""
    drill = Drill().see(*[failed_attempt()] * 4, breaker("closed", "open"))
    for second in range(0, 600, 6):
        call = f"call_{second}"
        drill.at(second).see(failed_attempt(call=call), failed_call(call))
    drill.at(1000)

    assert drill.kinds == ["opened", "call_failed", "update", "update", "update"]
    assert "100 calls failed for good" in drill.told[-1].body


def test_a_rejected_call_makes_an_incident_of_its_own_class() -> None:
    """A 422 while nothing is down: `call:rejected`, told once and counted after that."""
    drill = Drill()
    for number in range(5):
        _rejected(drill, f"call_{number}")
    drill.at(29)
    at_once = list(drill.kinds)
    drill.at(31)

    assert at_once == ["call_failed"]
    assert drill.kinds == ["call_failed", "update"]
    assert drill.told[1].title == "5 calls failed for good (elevenlabs: rejected)"
    assert drill.book.incidents()[0].key == "call:rejected"


def test_a_rejected_call_is_no_part_of_an_outage() -> None:
    """Its reason belongs to no open incident, so it gets one of its own."""
    drill = _rejected(Drill().see(breaker("closed", "open")), "call_9")

    assert drill.kinds == ["opened", "call_failed"]
    assert [alert.incident for alert in drill.told] == ["INC-0001", "INC-0002"]


def test_calls_that_fail_before_the_breaker_opens_begin_its_incident() -> None:
    """With few retries a call fails first: the outage that follows takes its incident over."""
    drill = Drill().see(failed_attempt(), failed_call()).at(20)
    drill.see(*[failed_attempt(call="call_2")] * 3, breaker("closed", "open"))
    drill.see(breaker("open", "closed")).at(200)

    assert drill.kinds == ["call_failed", "opened", "update", "resolved"]
    assert {alert.incident for alert in drill.told} == {"INC-0001"}


def test_the_end_of_a_run_tells_the_count_and_ends_the_incident() -> None:
    """Nothing that failed stays untold, and the next run begins with a clean slate."""
    drill = _rejected(_rejected(Drill(), "call_1"), "call_2").end_of_run()
    drill.restart(after_s=60)
    _rejected(drill, "call_3")

    assert drill.kinds == ["call_failed", "update", "call_failed"]
    assert [alert.incident for alert in drill.told] == ["INC-0001", "INC-0001", "INC-0002"]


def test_a_kill_does_not_repeat_the_alert_of_a_failed_call() -> None:
    """The count goes on where it stood, and what was counted but not told is told."""
    drill = _rejected(_rejected(Drill(), "call_1"), "call_2")
    drill.restart(after_s=5)
    _rejected(drill, "call_3").at(400)

    assert drill.kinds == ["call_failed", "update"]
    assert drill.told[1].title.startswith("3 calls failed")


@pytest.mark.parametrize("result", ["no_answer", "busy", "voicemail", "declined"])
def test_a_person_who_does_not_answer_is_no_alert(result: str) -> None:
    """Busy and no answer are results, not failures."""
    assert Drill().see(failed_call(result=result)).told == []


@pytest.mark.parametrize("outcome", ["throttled", "busy_here", "cancelled", "local_rejection"])
def test_throttling_is_no_alert(outcome: str) -> None:
    """Rate limits and our own refusals tell nobody anything."""
    drill = Drill().see(*[failed_attempt(outcome=outcome)] * 20).at(4000)

    assert drill.told == []


def test_a_retry_that_worked_is_no_alert_and_no_cause() -> None:
    """After a success the earlier failure explains nothing any more."""
    drill = Drill().see(failed_attempt(), good_attempt(), failed_call(reason="gave up"))

    assert [incident.key for incident in drill.book.incidents()] == ["call:other"]


def test_calls_for_review_ask_for_a_decision_once() -> None:
    """The first call that only a person can settle is told, the others are counted."""
    drill = Drill()
    for number in range(3):
        drill.see(failed_call(f"call_{number}", new="review", reason="no proof either way"))
    drill.at(31)

    assert drill.kinds == ["call_failed", "update"]
    assert drill.told[0].title == "call …123 needs a decision: no proof either way"
    assert "callagent review" in drill.told[0].body
    assert drill.told[1].title == "3 calls need a decision"


def test_parked_calls_are_counted_once() -> None:
    """The resolve says how many calls waited for the service."""
    drill = Drill().see(breaker("closed", "open"))
    for call in ("call_1", "call_2", "call_1"):
        drill.see(failed_call(call, new="parked", waits_for="elevenlabs"))
    drill.see(failed_call("call_3", new="parked", waits_for="crm"), breaker("open", "closed"))

    assert "2 calls wait for it" in drill.at(200).told[-1].body


def test_one_call_waits_and_needs_in_the_singular() -> None:
    """What alerts say is read by people."""
    waiting = Drill().see(breaker("closed", "open"))
    waiting.see(failed_call("call_1", new="parked", waits_for="elevenlabs"))
    waiting.see(breaker("open", "closed")).at(200)

    assert "Impact: 1 call waits for it" in waiting.told[-1].body


def test_a_channel_that_breaks_and_works_again_is_one_incident() -> None:
    """Told once, however often it fails, and once when it delivers again."""
    drill = Drill()
    for _ in range(3):
        drill.told += drill.book.channel_broken("telegram", "wrong token", drill.instant())
    drill.at(120)
    for _ in range(2):
        drill.told += drill.book.channel_works("telegram", drill.instant())
    drill.at(240)

    assert [alert.title for alert in drill.told] == [
        "alerts do not get through by telegram: wrong token",
        "alerts get through by telegram again after 2m",
    ]
    assert drill.kinds == ["opened", "resolved"]
    assert {alert.service for alert in drill.told} == {"alerts.telegram"}


def test_a_call_that_is_done_explains_no_later_failure() -> None:
    """What failed on the way of a finished call is forgotten."""
    drill = Drill().see(failed_attempt(), failed_call(new="done"), failed_call(reason="odd"))

    assert drill.book.incidents()[0].key == "call:other"
