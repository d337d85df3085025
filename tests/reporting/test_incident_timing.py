"""The instants at which people hear of an incident, to the millisecond on both sides."""

from typing import Any

import pytest
from reporting_doubles import Drill, breaker, failed_attempt, failed_call, good_attempt

from callagent_cli.events import CallChanged, RunStarted, RunWaiting
from callagent_cli.reporting.incidents.incident import load

HAIR_S = 0.001
"""The least time that these tests tell apart."""

HALF_HOUR_S, FOUR_HOURS_S = 1800.0, 14_400.0
STARTED = RunStarted(mode="live", contacts="c.csv", lanes=1, version="1")


def _down(drill: Drill, service: str = "elevenlabs") -> Drill:
    return drill.see(*[failed_attempt(service)] * 4, breaker("closed", "open", service))


def _up(drill: Drill) -> Drill:
    return drill.see(breaker("half_open", "closed"))


def _lose(drill: Drill, call: str) -> Drill:
    return drill.see(failed_attempt(call=call), failed_call(call))


def _told_at(drill: Drill, at_s: float) -> tuple[int, int]:
    """Return how many alerts there were a hair before an instant, and at it."""
    before = len(drill.at(at_s - HAIR_S).told)
    return before, len(drill.at(at_s).told)


def test_the_resolve_comes_after_two_minutes_of_health() -> None:
    """Not earlier, and not when the service fails again a moment before."""
    drill = _up(_down(Drill()).at(50))

    assert _told_at(drill, 170) == (2, 3)
    assert drill.kinds == ["opened", "update", "resolved"]

    again = _down(_up(_down(Drill()).at(50)).at(170 - HAIR_S)).at(600)
    assert "resolved" not in again.kinds


@pytest.mark.parametrize(("after_s", "early"), [(119.0, True), (120 - HAIR_S, True), (120, False)])
def test_a_run_that_ends_sooner_marks_its_resolve_early(after_s: float, early: bool) -> None:
    """Whatever is held for health is told at the run's end; with two minutes it is not early."""
    drill = _up(_down(Drill()).at(50)).at(50 + after_s).end_of_run()

    assert drill.kinds == ["opened", "update", "resolved"]
    assert load(drill.documents)[0].early is early
    assert ("early: the run ended" in drill.told[-1].title) is early


def _refused(drill: Drill, old: str = "closed") -> Drill:
    refused: dict[str, Any] = {"error_class": "AuthenticationFailed", "http_status": 401}
    return drill.see(breaker(old, "isolated", owner="unauthorized", **refused))


@pytest.mark.parametrize("closed", [True, False])
def test_an_isolation_within_an_outage_is_told_at_once(closed: bool) -> None:
    """It waits for a person, and so for no other update; the incident is named by it from then."""
    drill = _down(Drill())
    if closed:
        _up(drill.at(60))
    told = len(drill.kinds)
    _refused(drill.at(70), "closed" if closed else "half_open")

    assert len(drill.kinds) == told + 1
    assert drill.told[-1].severity == "critical"
    assert drill.told[-1].title == "elevenlabs refuses our key (401)"
    assert [each.key for each in load(drill.documents)] == ["elevenlabs:AuthenticationFailed"]
    _refused(drill.at(400), "half_open").at(470)
    assert len(drill.kinds) == told + 1


def test_what_needs_a_person_after_an_outage_that_was_over_is_another_incident() -> None:
    """It does not go on with what healed by itself, and what heals does not go on with it."""
    drill = _refused(_up(_down(Drill()).at(50)).at(300))
    drill.at(400).see(breaker("isolated", "closed"))
    _up(_down(drill.at(600)).at(650)).at(1000)

    assert [each.key for each in load(drill.documents)] == [
        "elevenlabs:ServiceUnavailable",
        "elevenlabs:AuthenticationFailed",
        "elevenlabs:ServiceUnavailable",
    ]
    assert drill.kinds.count("opened") == drill.kinds.count("resolved") == 3


@pytest.mark.parametrize(("after_s", "same"), [(600.0, True), (600 + HAIR_S, False)])
def test_what_breaks_within_ten_minutes_is_the_same_incident(after_s: float, same: bool) -> None:
    """Counted from when it was well again, not from when that was told."""
    drill = _down(_up(_down(Drill()).at(50)).at(50 + after_s))

    assert [each.id for each in load(drill.documents)] == ["INC-0001"] + ["INC-0002"] * (not same)
    assert drill.kinds.count("opened") == (1 if same else 2)
    assert drill.told[-1].title.endswith("(2nd time)") is same


def test_the_third_time_is_called_so_and_ends_once() -> None:
    """Three outages within ten minutes of each other: one opened, one resolved."""
    drill = Drill()
    for start_s in (0, 400, 800):
        _up(_down(drill.at(start_s)).at(start_s + 50))
    drill.at(5000)

    assert any(alert.title == "elevenlabs is down again (3rd time)" for alert in drill.told)
    assert "3 times down" in drill.told[-1].title
    assert load(drill.documents)[0].times_opened == 3
    assert drill.kinds.count("opened") == drill.kinds.count("resolved") == 1


def test_changes_are_grouped_for_thirty_seconds() -> None:
    """Two more failed calls are one update, 30 s after the first of them."""
    drill = _lose(_down(Drill()), "call_1")
    _lose(_lose(drill.at(10), "call_2").at(35), "call_3")

    assert _told_at(drill, 40) == (2, 3)
    assert "3 calls failed for good" in drill.told[-1].title


def test_updates_are_five_minutes_apart_whatever_they_tell() -> None:
    """A failed call, a breaker that closes: what comes sooner waits for its turn."""
    drill = _lose(_lose(_down(Drill()), "call_1").at(10), "call_2").at(41)
    _lose(drill.at(60), "call_3")

    assert _told_at(drill, 340) == (3, 4)

    flapping = _down(_up(_down(Drill()).at(50)).at(100)).at(120)
    _up(flapping)
    assert flapping.kinds == ["opened", "update"]


@pytest.mark.parametrize(
    ("service", "every_s"), [("elevenlabs", HALF_HOUR_S), ("crm", FOUR_HOURS_S)]
)
def test_reminders_come_by_severity(service: str, every_s: float) -> None:
    """Every 30 minutes for what nobody can dial without, every 4 hours for the rest."""
    drill = _down(Drill(), service)

    assert _told_at(drill, every_s) == (1, 2)
    assert _told_at(drill, 2 * every_s) == (2, 3)
    assert drill.told[-1].title.startswith(f"reminder: {service} is down")


def test_an_acknowledged_incident_reminds_every_four_hours() -> None:
    """Counted from the moment somebody said that they know of it."""
    drill = _down(Drill()).at(100)
    drill.book.acknowledge("INC-0001", drill.instant(), by="ana")

    assert _told_at(drill, 100 + FOUR_HOURS_S) == (1, 2)


@pytest.mark.parametrize("killed_s", [60.0, 1000.0, 1799.0])
def test_a_restart_does_not_put_off_a_reminder(killed_s: float) -> None:
    """A worker that is killed every few minutes reminds as often as one that lives."""
    drill = _down(Drill()).at(killed_s)
    drill.restart()

    assert _told_at(drill, HALF_HOUR_S) == (1, 2)
    drill.at(HALF_HOUR_S + killed_s)
    drill.restart()
    assert _told_at(drill, 2 * HALF_HOUR_S) == (2, 3)


def test_a_stall_is_told_after_five_minutes() -> None:
    """Counted from the last thing that moved."""
    drill = Drill().see(STARTED).at(10).see(good_attempt())

    assert _told_at(drill, 310) == (0, 1)


def test_a_night_outside_the_window_alerts_nobody() -> None:
    """The run waits for the morning, for twelve hours and then for another five minutes."""
    waiting = RunWaiting(reason="window opens at 08:00", due_in_s=43_200)
    drill = Drill().see(STARTED, waiting)

    assert _told_at(drill, 43_200) == (0, 0)
    assert _told_at(drill, 43_500) == (0, 1)


def test_failures_told_before_a_reopening_are_not_counted_again() -> None:
    """What failed while it was held for health stands in the report once."""
    drill = _up(_down(Drill()).at(50)).at(160)
    drill.see(failed_attempt(call="call_9")).at(171)
    drill.see(*[failed_attempt(call="call_9")] * 3, breaker("closed", "open"))

    assert drill.book.incidents()[0].attempts_failed == 4 + 1 + 3


class _Held:
    def pending(self) -> int:
        """Return how many nobody has begun."""
        return 10


def test_who_was_held_back_and_then_hurt_is_no_longer_protected() -> None:
    """The trial of a service that is still down costs one of the protected people."""
    drill = Drill()
    drill.book.watch(_Held())
    _down(drill).at(40).see(failed_attempt(call="call_8", trial=True, breaker_state="half_open"))
    incident = drill.book.incidents()[0]

    assert (incident.calls_affected, incident.calls_protected) == (2, 9)


@pytest.mark.parametrize("killed", [False, True])
def test_nobody_is_affected_and_protected_at_once(killed: bool) -> None:
    """Held back and then hurt is not spared; who was in a lane at its start nobody held back."""
    drill = Drill()
    drill.book.watch(_Held())
    for call in ("call_1", "call_7"):
        drill.see(CallChanged(call=call, old="pending", new="active", step="dial", reason=""))
    _down(drill).at(5)
    if killed:
        drill.restart()
    drill.see(failed_attempt(call="call_7", duration_s=9.0))
    _up(drill.at(50)).at(100)
    drill.see(*[failed_attempt(call=f"call_{number}") for number in (8, 9)])
    incident = drill.book.incidents()[0]

    assert (incident.calls_affected, incident.calls_protected) == (4, 8)
