"""Which events become lines for a person, and which say nothing new."""

from typing import Literal

from callagent_cli.cli.text.lines import SAID_AGAIN_S, Lines
from callagent_cli.events import (
    BreakerChanged,
    CallChanged,
    Event,
    HealthChecked,
    ListenerFailed,
    RunWaiting,
    Stamped,
)

DOWN = "elevenlabs health check: unhealthy"
WELL = "elevenlabs health check: healthy"


def at(at_s: float, event: Event) -> Stamped:
    """Return the event as it came at a second of the run."""
    return Stamped(1_767_600_000.0 + at_s, at_s, 1, "run_1", "spring", event)


def checked(
    health: Literal["healthy", "unhealthy"],
    *,
    service: str = "elevenlabs",
    state: Literal["closed", "open"] = "open",
) -> HealthChecked:
    """Return a health check of a service whose breaker is in `state`."""
    return HealthChecked(
        service=service, breaker_state=state, health=health, duration_s=0.1, next_check_s=10.0
    )


def waiting(reason: str, due_in_s: float) -> RunWaiting:
    """Return the event of a worker that has nothing to do."""
    return RunWaiting(reason=reason, due_in_s=due_in_s)


def test_health_checks_that_say_the_same_are_one_line() -> None:
    """A person reads when a service fell ill and when it was well again."""
    lines = Lines()
    told = [
        lines.line(at(10.0 * n, checked("unhealthy" if n < 9 else "healthy"))) for n in range(20)
    ]

    assert [text for text in told if text] == [DOWN, WELL]
    assert (told[0], told[9]) == (DOWN, WELL)


def test_a_long_outage_gives_a_sign_of_life_now_and_then() -> None:
    """What has not changed is said again after five minutes."""
    lines = Lines()
    told = [at_s for at_s in range(0, 1200, 10) if lines.line(at(at_s, checked("unhealthy")))]

    assert told == [0, SAID_AGAIN_S, 2 * SAID_AGAIN_S, 3 * SAID_AGAIN_S]


def test_the_first_check_of_the_next_outage_is_told() -> None:
    """A breaker that closed ends what was said before."""
    lines = Lines()
    closed = BreakerChanged(
        service="elevenlabs", breaker_state="closed", old="half_open", new="closed", reason="well"
    )

    assert lines.line(at(0.0, checked("unhealthy")))
    assert lines.line(at(1.0, closed))
    assert lines.line(at(2.0, checked("unhealthy"))) == DOWN


def test_each_service_has_lines_of_its_own() -> None:
    """One that is down does not hide that another is."""
    lines = Lines()

    assert lines.line(at(0.0, checked("unhealthy"))) == DOWN
    assert lines.line(at(1.0, checked("unhealthy", service="crm"))) == "crm health check: unhealthy"


def test_checks_of_a_closed_service_have_no_line() -> None:
    """Nobody follows what is well."""
    assert Lines().line(at(0.0, checked("healthy", state="closed"))) == ""


def test_a_wait_for_the_same_is_told_once() -> None:
    """Another due time is no news; another reason is."""
    lines = Lines()
    told = [
        lines.line(at(at_s, waiting(reason, due_in_s)))
        for at_s, reason, due_in_s in (
            (0.0, "9 pending", 5.0),
            (5.0, "9 pending", 8.0),
            (9.0, "8", 1.0),
        )
    ]

    assert told == ["waiting: 9 pending, the next in 5s", "", "waiting: 8, the next in 1s"]


def test_a_listener_that_fails_at_every_event_is_told_of_once() -> None:
    """The log has every failure."""
    lines = Lines()
    failed = ListenerFailed(listener="metrics", error_class="OSError", error_message="no space")

    assert lines.line(at(0.0, failed)) == "listener metrics failed: no space"
    assert lines.line(at(900.0, failed)) == ""


def test_a_calendar_set_back_hides_nothing() -> None:
    """What seems to come from before is said."""
    lines = Lines()

    assert lines.line(at(500.0, checked("unhealthy")))
    assert lines.line(at(3.0, checked("unhealthy"))) == DOWN


def test_a_redial_says_once_that_it_comes() -> None:
    """The reason and the time are one sentence."""
    event = CallChanged(
        call="call_1",
        old="active",
        new="scheduled",
        step="dial",
        reason="no_answer, again",
        name="Dmitri Volkov",
        number="…134",
        due_in_s=3600.0,
    )

    text = Lines().line(at(0.0, event))

    assert text == "call Dmitri Volkov …134 scheduled: no_answer, again in 1h"
