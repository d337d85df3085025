"""The verdict line, and which alerts need a person's eyes."""

import pytest
from monitor_scenes import (
    NOW,
    Teller,
    breaker_moved,
    draining,
    healthy,
    new_state,
    raised,
)

from callagent_cli.events import (
    CommandObeyed,
    Event,
    LanesChanged,
    RunEnded,
    RunResumed,
    RunStarted,
    RunWaiting,
)

# Verdicts


@pytest.mark.parametrize(
    ("event", "word", "detail"),
    [
        (RunWaiting(reason="window opens 08:00", due_in_s=120.0), "WAITING", "next in 2m"),
        (RunEnded(reason="all done", exit_code=0, totals={"done": 3}), "DONE", "every call"),
        (
            RunEnded(reason="x", exit_code=1, totals={"done": 1, "failed": 1, "review": 1}),
            "DONE",
            "with 1 failed, 1 to review",
        ),
        (
            RunEnded(reason="key refused", exit_code=4, totals={"done": 1, "parked": 2}),
            "STOPPED",
            "key refused · 2 calls left",
        ),
    ],
)
def test_verdict_says_what_and_why(event: Event, word: str, detail: str) -> None:
    """The verdict follows the run's own words."""
    state = healthy()
    Teller(state).tell(0, event)
    verdict = state.verdict(NOW)

    assert verdict.word == word
    assert detail in verdict.detail


def test_verdict_of_a_run_that_waits_for_a_service() -> None:
    """With no call in a lane and a breaker open, the run waits for that service."""
    state, teller = new_state()
    teller.tell(50, RunStarted(mode="live", contacts="c.csv", lanes=1, version="1"))
    state.seed({"pending": 5})
    teller.tell(5, breaker_moved("open", open_s=30.0))

    assert state.verdict(NOW).word == "WAITING"
    assert "elevenlabs is down" in state.verdict(NOW).detail


def test_verdict_without_progress_is_stalled() -> None:
    """Three minutes without progress and without a reason are a stall."""
    state = healthy()

    assert state.verdict(NOW).word == "RUNNING"
    assert state.verdict(NOW + 170).word == "RUNNING"
    assert state.verdict(NOW + 200).word == "STALLED"


def test_verdict_is_lost_only_with_a_heartbeat_that_stopped() -> None:
    """A worker in this process has no heartbeat to lose; another's is lost after 3 s."""
    state = healthy()
    assert state.verdict(NOW + 60).word == "RUNNING"
    state.heartbeat(NOW)
    assert state.verdict(NOW + 2.9).word == "RUNNING"
    assert state.verdict(NOW + 3.1).word == "LOST"
    state.heartbeat(NOW + 3.1)
    assert state.verdict(NOW + 3.2).word == "RUNNING"


def test_waiting_ends_when_a_call_moves() -> None:
    """A run that waited is running again with the first call that becomes active."""
    state = healthy()
    teller = Teller(state)
    teller.tell(1, RunWaiting(reason="nothing is due"))
    assert state.verdict(NOW).word == "WAITING"

    teller.move(0, "call_99", "pending", "active")
    assert state.verdict(NOW).word == "RUNNING"


def test_resume_and_a_new_run_lift_what_held_back() -> None:
    """Resume ends a pause; a run that starts begins without an earlier run's holds."""
    state = draining()
    teller = Teller(state)
    teller.tell(0, RunStarted(mode="live", contacts="c.csv", lanes=2, version="1"))
    assert state.verdict(NOW).word == "RUNNING"
    teller.tell(0, RunResumed(by="anna"))
    teller.tell(0, LanesChanged(lanes=7, by="anna"))
    assert state.paused is None
    assert state.lanes == 7


# Alerts


def test_an_incident_needs_eyes_until_seen_or_resolved() -> None:
    """Acknowledging one alert, or resolving its incident, takes it off the count."""
    state, teller = new_state()
    teller.tell(9, raised(1, "a"))
    teller.tell(8, raised(2, "b"))
    teller.tell(7, raised(3, "b", "update"))
    assert state.alerts.unseen == 3

    teller.tell(6, CommandObeyed(command="acknowledge", argument="alert_1", by="anna"))
    assert state.alerts.unseen == 2
    assert len({alert.incident for alert in state.alerts.open_alerts()}) == 2
    teller.tell(5, raised(4, "b", "resolved", "info"))
    assert state.alerts.unseen == 0
    assert len({alert.incident for alert in state.alerts.open_alerts()}) == 1


def test_acknowledging_all_names_who() -> None:
    """All alerts carry the name of who has seen them; the first one stays."""
    state, teller = new_state()
    teller.tell(9, raised(1, "a"))
    state.alerts.acknowledge("alert_1", "anna")
    state.alerts.acknowledge("all", "ben")
    state.alerts.acknowledge("unknown", "ben")

    assert [alert.seen_by for alert in state.alerts.latest()] == ["anna"]
