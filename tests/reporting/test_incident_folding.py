"""Incidents: one outage is one incident, however it flaps and whoever is killed meanwhile."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reporting_doubles import KEY, NUMBER, Drill, breaker, failed_attempt, failed_call, good_attempt

from callagent_cli.events import Event, HealthChecked, StepDegraded
from callagent_cli.reporting.incidents import alert_line
from callagent_cli.reporting.incidents.incident import load


def _down(drill: Drill) -> Drill:
    return drill.see(*[failed_attempt()] * 4, breaker("closed", "open"))


def test_an_outage_is_opened_once_and_resolved_once() -> None:
    """A breaker that opens and closes: opened, an update at closing, resolved after 2 min."""
    drill = _down(Drill(at_s=10)).at(190).see(breaker("half_open", "closed")).at(309)
    before = list(drill.kinds)
    drill.at(310)

    assert before == ["opened", "update"]
    assert drill.kinds == ["opened", "update", "resolved"]
    assert {alert.incident for alert in drill.told} == {"INC-0001"}
    assert [alert.severity for alert in drill.told] == ["critical", "info", "info"]


def test_the_opened_alert_says_everything_a_person_needs() -> None:
    """Title and body: what, since when, impact, what was done, what to do, command, incident."""
    told = _down(Drill(at_s=10)).told[0]

    assert told.title == "elevenlabs is down: 4 failures in a row (503)"
    assert told.body.splitlines() == [
        "What: elevenlabs answered 503",
        "Since: 2026-01-05T09:00:10.000Z, 0s ago",
        "Impact: 1 call met it",
        (
            "Done already: nothing but health checks is sent to it;"
            " calls that need it wait and use no attempt"
        ),
        "To do: nothing; it heals by itself. If it lasts, look at the provider's status page",
        "Command: callagent status",
        "Incident: INC-0001",
    ]
    assert alert_line(told) == f"CRITICAL opened: {told.title} [INC-0001]"


def test_trials_that_fail_are_no_news() -> None:
    """Open → half-open → open, again and again for 20 min, tells nothing more."""
    drill = _down(Drill())
    for minute in range(1, 21):
        drill.at(60 * minute).see(breaker("open", "half_open"), breaker("half_open", "open"))

    assert drill.kinds == ["opened"]
    assert drill.book.incidents()[0].times_opened == 1


def test_a_breaker_that_opens_again_continues_its_incident() -> None:
    """12 minutes of flapping are one incident: one opened, one resolved, spaced updates."""
    drill = Drill()
    for start_s in range(0, 720, 65):
        drill.at(start_s)
        _down(drill).at(start_s + 25).see(breaker("half_open", "closed"))
    drill.at(3600)

    assert drill.kinds.count("opened") == 1
    assert drill.kinds.count("resolved") == 1
    assert drill.kinds[-1] == "resolved"
    assert "12 times down" in drill.told[-1].title
    assert drill.kinds.count("update") <= 5
    assert {alert.incident for alert in drill.told} == {"INC-0001"}


def test_the_second_time_is_called_so() -> None:
    """An update after a breaker opened again counts the times."""
    drill = _down(Drill()).at(30).see(breaker("half_open", "closed")).at(60)
    told = _down(drill).at(600).told[2]

    assert told.kind == "update"
    assert told.title == "elevenlabs is down again (2nd time)"


def test_reopening_soon_after_a_resolve_is_still_the_same_incident() -> None:
    """Down again 5 min after it closed: told at once under the same id, its end as an update."""
    drill = _down(Drill()).at(60).see(breaker("half_open", "closed")).at(360)
    _down(drill).at(400).see(breaker("half_open", "closed")).at(2000)

    assert drill.kinds == ["opened", "update", "resolved", "update", "update"]
    assert "is well again" in drill.told[-1].title
    assert not drill.documents.documents("incident", open_only=True)
    assert {alert.incident for alert in drill.told} == {"INC-0001"}


def test_reopening_late_is_another_incident() -> None:
    """Down again more than 10 min after it closed gets an id of its own."""
    drill = _down(Drill()).at(60).see(breaker("half_open", "closed")).at(700)

    assert _down(drill).told[-1].incident == "INC-0002"


@pytest.mark.parametrize("killed_s", [5, 100, 200, 250, 330, 400])
def test_a_kill_neither_repeats_nor_forgets(killed_s: int) -> None:
    """Whenever the worker is killed, the outage has one opened and one resolved alert."""
    drill = Drill()
    steps: dict[int, Any] = {
        0: lambda: _down(drill),
        190: lambda: drill.see(breaker("half_open", "closed")),
    }
    for moment in sorted({*steps, killed_s}):
        drill.at(moment)
        steps.get(moment, drill.restart)()
    drill.at(2000)

    assert drill.kinds.count("opened") == 1
    assert drill.kinds.count("resolved") == 1
    assert not drill.documents.documents("incident", open_only=True)


@pytest.mark.parametrize(
    "sign",
    [
        good_attempt(breaker_state="closed"),
        HealthChecked(service="elevenlabs", health="healthy", duration_s=0.1, next_check_s=10),
    ],
)
def test_a_service_found_well_after_a_restart_ends_its_incident(sign: Event) -> None:
    """A breaker closed from the start of a run never says so; a success or health check does."""
    drill = _down(Drill())
    drill.restart(after_s=3600)
    drill.see(sign).at(3600 + 121)

    assert drill.kinds == ["opened", "update", "resolved"]


def test_a_success_under_an_open_breaker_closes_nothing() -> None:
    """A late answer of an earlier generation is no sign of health."""
    drill = _down(Drill())
    drill.restart(after_s=60)
    drill.see(good_attempt(breaker_state="open")).at(1000)

    assert drill.kinds == ["opened"]


def test_a_run_that_ends_early_resolves_early() -> None:
    """Within the 2 min of health the resolve goes out at the run's end, marked early."""
    drill = _down(Drill()).at(60).see(breaker("half_open", "closed")).at(70).end_of_run()

    assert drill.kinds == ["opened", "update", "resolved"]
    assert "early" in drill.told[-1].title
    assert load(drill.documents)[0].early


def test_an_open_breaker_stays_an_open_incident_when_the_run_ends() -> None:
    """What is still down is not declared over."""
    drill = _down(Drill()).end_of_run()

    assert drill.kinds == ["opened"]
    assert [key for key, _ in drill.documents.documents("incident", open_only=True)] == ["INC-0001"]


@pytest.mark.parametrize(
    ("owner", "words", "command"),
    [
        ("unauthorized", "elevenlabs refuses our key (401)", "callagent breaker reset elevenlabs"),
        ("quota", "elevenlabs says that the account is out of credit (401)", "breaker reset"),
        ("misconfigured", "elevenlabs refuses every call because a setting is wrong", "reset"),
    ],
)
def test_an_isolated_service_says_what_only_a_person_can_do(
    owner: str, words: str, command: str
) -> None:
    """Isolation by the provider's answer is critical and names the act that lifts it."""
    isolated = breaker("closed", "isolated", owner=owner, http_status=401, outcome=owner)
    told = Drill().see(isolated).told[0]

    assert told.kind == "opened"
    assert told.severity == "critical"
    assert told.title.startswith(words)
    assert command in told.body


def test_a_trip_by_a_person_is_no_alert() -> None:
    """An operator who isolates and resets a breaker is told nothing."""
    drill = Drill().see(
        breaker("closed", "isolated", owner="operator"), breaker("isolated", "closed")
    )

    assert drill.at(1000).told == []


def test_an_outage_that_turns_into_an_isolation_is_an_update() -> None:
    """Open, then a trial is refused for its key: the same incident, told within 30 s."""
    drill = _down(Drill()).at(100)
    drill.see(breaker("half_open", "isolated", owner="unauthorized", http_status=401)).at(131)

    assert drill.kinds == ["opened", "update"]
    assert drill.told[-1].title == "elevenlabs refuses our key (401)"


def test_two_services_down_at_once_are_two_incidents() -> None:
    """Each service has its own id, its own opened and its own resolved."""
    drill = _down(Drill()).see(breaker("closed", "open", "crm"))
    drill.at(60).see(breaker("open", "closed", "crm"), breaker("open", "closed")).at(300)

    told = {(alert.incident, alert.service, alert.kind) for alert in drill.told}
    assert len(told) == len(drill.told) == 6
    assert {(incident, service) for incident, service, _ in told} == {
        ("INC-0001", "elevenlabs"),
        ("INC-0002", "crm"),
    }
    assert drill.told[1].severity == "warning"


def test_degradation_is_told_once_as_an_update() -> None:
    """However many calls go on without the CRM, one update says so."""
    degraded = StepDegraded(service="crm", step="record", active=True, instead="the outbox")
    drill = Drill().see(breaker("closed", "open", "crm"), degraded, degraded).at(400)
    drill.see(degraded).at(1000)

    assert drill.kinds == ["opened", "update"]
    assert "meanwhile record goes on with the outbox" in drill.told[-1].body


def test_reminders_are_rare_and_rarer_once_acknowledged() -> None:
    """Critical and unseen: every 30 min; acknowledged: every 4 h."""
    drill = _down(Drill()).at(3700)
    reminders = [alert for alert in drill.told if alert.title.startswith("reminder")]
    known = drill.book.acknowledge("INC-0001", drill.instant())
    drill.at(3700 + 4 * 3600 - 1)

    assert known
    assert [alert.kind for alert in reminders] == ["update", "update"]
    assert len(drill.told) == 3
    assert not drill.book.acknowledge("INC-9999", drill.instant())


def test_secrets_and_numbers_never_reach_an_incident() -> None:
    """A provider that echoes key and number fills neither alert nor store with them."""
    words = f"bad key {KEY} for {NUMBER}"
    drill = Drill().see(
        failed_attempt(error_message=words),
        breaker("closed", "open", error_message=words, reason=f"4 failures: {words}"),
        failed_call(reason=words, number=NUMBER),
        StepDegraded(service="elevenlabs", step="dial", active=True, instead=words),
    )
    drill.at(1000).end_of_run()
    everything = drill.documents.text() + repr(drill.told)

    assert KEY not in everything
    assert NUMBER not in everything
    assert "…123" in everything


_MOVES = st.sampled_from(["down", "up", "trial", "wait", "kill", "call", "end"])


def _moved(drill: Drill, move: str, number: int, *, closed: bool) -> bool:
    """Play one move if it is possible; return whether the breaker is closed then."""
    call = f"call_{number}"
    if move == "down" and closed:
        _down(drill)
        return False
    if move == "up" and not closed:
        drill.see(breaker("half_open", "closed"))
        return True
    if move == "trial" and not closed:
        drill.see(breaker("open", "half_open"), breaker("half_open", "open"))
    elif move == "call":
        drill.see(failed_attempt(call=call), failed_call(call))
    elif move == "kill":
        drill.restart()
    elif move == "end":
        drill.end_of_run().restart()
    return closed


@given(moves=st.lists(st.tuples(_MOVES, st.integers(1, 700)), max_size=30))
def test_no_story_opens_an_incident_twice(moves: list[tuple[str, int]]) -> None:
    """For any order of outages, kills and ends: one opened alert an incident, no id twice."""
    drill, closed = Drill(), True
    for number, (move, wait_s) in enumerate(moves):
        drill.at(drill.now_s + wait_s)
        closed = _moved(drill, move, number, closed=closed)
    _moved(drill, "up", 0, closed=closed)
    drill.at(drill.now_s + 1000).end_of_run()

    ids = [alert.alert for alert in drill.told]
    assert len(ids) == len(set(ids))
    for incident in load(drill.documents):
        kinds = [alert.kind for alert in drill.told if alert.incident == incident.id]
        assert kinds.count("opened") == (incident.cause == "breaker")
        assert kinds.count("resolved") == (incident.cause == "breaker")
        assert kinds.count("call_failed") <= 1
        assert incident.status == "resolved"
        assert incident.calls_failed == incident.told_failed


def _failed(drill: Drill, times: int) -> Drill:
    return drill.see(*[failed_attempt(error_message=f"503 for {KEY}")] * times)


@pytest.mark.parametrize(
    ("between", "after_s", "expected"),
    [
        ([], 65, 4),
        ([good_attempt()], 65, 1),
        ([breaker("half_open", "closed")], 5, 1),
        ([], 601, 1),
    ],
    ids=["killed", "worked meanwhile", "closed meanwhile", "long ago"],
)
def test_an_outage_begins_before_the_kill_that_came_before_it_opened(
    between: list[Event], after_s: float, expected: int
) -> None:
    """What failed before is counted once it opens, unless something disproves that it belongs."""
    drill = _failed(Drill(), 3).see(*between)
    drill.restart(after_s=after_s)
    _failed(drill, 1).see(breaker("closed", "open"))

    assert drill.book.incidents()[0].attempts_failed == expected
    assert KEY not in drill.documents.text()
