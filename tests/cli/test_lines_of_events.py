"""Which events become lines for a person, and which say nothing new."""

from typing import Literal

import msgspec

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


def parked(call: int, reason: str = "llm breaker is open") -> CallChanged:
    """Return the event of a call that a broken service holds up."""
    return CallChanged(
        call=f"call_{call}", old="active", new="parked", step="compose", reason=reason
    )


def test_of_many_calls_that_wait_for_one_reason_the_first_are_told() -> None:
    """How many more they were comes before the next thing that is told."""
    lines = Lines()
    told = [line for call in range(8) for line in lines.lines(at(0.0, parked(call)))]
    after = lines.lines(at(1.0, waiting("8 parked: llm is open", 5.0)))

    assert told == [f"call call_{call} parked: llm breaker is open" for call in range(3)]
    assert after == [
        "and 5 calls more parked: llm breaker is open",
        "waiting: 8 parked: llm is open, the next in 5s",
    ]
    assert lines.lines(at(2.0, parked(9))) == ["call call_9 parked: llm breaker is open"]


def test_another_reason_is_told_anew() -> None:
    """Only calls that wait for the same are counted together."""
    lines = Lines()
    told = [
        line
        for call in range(8)
        for line in lines.lines(at(0.0, parked(call, f"reason {call // 4}")))
    ]

    assert told == [
        "call call_0 parked: reason 0",
        "call call_1 parked: reason 0",
        "call call_2 parked: reason 0",
        "and 1 call more parked: reason 0",
        "call call_4 parked: reason 1",
        "call call_5 parked: reason 1",
        "call call_6 parked: reason 1",
    ]


def test_calls_that_end_are_told_each() -> None:
    """What became of a contact is never folded."""
    lines = Lines()
    done = [
        lines.lines(at(0.0, msgspec.structs.replace(parked(call), new="done", result="answered")))
        for call in range(9)
    ]

    assert [len(told) for told in done] == [1] * 9


def test_a_wait_names_each_reason_once() -> None:
    """Groups of calls that wait for the same breaker are told together."""
    reason = (
        "265 pending: llm is open, 1 scheduled: llm is open, 2 scheduled: llm is open, 3 parked"
    )

    text = Lines().line(at(0.0, waiting(reason, 5.0)))

    assert text == "waiting: 265 pending, 3 scheduled: llm is open; 3 parked, the next in 5s"


def test_a_breaker_is_half_open_in_words() -> None:
    """The log has the code, a person the word."""
    event = BreakerChanged(
        service="llm", breaker_state="half_open", old="open", new="half_open", reason="healthy"
    )

    assert Lines().line(at(0.0, event)) == "llm breaker open → half-open: healthy"


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

    assert text == "call Dmitri Volkov …134 scheduled: no answer, again in 1h"
