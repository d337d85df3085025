"""The open breaker: what it refuses, how long, and what health checks change about that."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from resilience_doubles import Bench, caught

from callagent_cli.errors import CircuitOpen
from callagent_cli.resilience.policy import BreakerPolicy


def test_it_refuses_everything_until_the_open_time_is_over() -> None:
    """One millisecond before 30 s nothing is admitted; at 30 s a trial is."""
    bench = Bench().open()

    bench.clock.advance(29.999)
    bench.refused()
    bench.clock.advance(0.001)

    assert bench.breaker.admit().trial
    assert bench.state == "half_open"
    assert bench.breaker.reason == "open time over"


def test_a_refusal_says_what_why_since_when_and_when_to_ask_again() -> None:
    """The error carries service, state, reason, since and the remaining time."""
    bench = Bench().open()
    bench.clock.advance(10)

    error = bench.refused()

    assert (error.service, error.state, error.trial) == ("voice", "open", False)
    assert error.retry_after_s == pytest.approx(20.0)
    assert error.since_s == pytest.approx(10.0)
    assert "4 failures" in error.reason
    assert "voice breaker is open" in error.message


def test_each_refusal_is_a_fresh_error() -> None:
    """Two refusals share no object that could collect tracebacks."""
    bench = Bench().open()

    assert bench.refused() is not bench.refused()


@given(st.integers(min_value=0, max_value=2**32))
def test_the_open_time_is_jittered_by_a_tenth(seed: int) -> None:
    """The first open time lies between 27 and 33 s."""
    bench = Bench(random=Random(seed)).open()

    assert 27.0 <= bench.breaker.retry_after_s <= 33.0
    assert bench.changes[-1].open_s == pytest.approx(bench.breaker.retry_after_s)


def test_each_failed_trial_doubles_the_open_time_up_to_the_cap() -> None:
    """30, 60, 120, 240 and from then on 300 s."""
    bench = Bench().open()
    opened_s = [bench.breaker.retry_after_s]

    for _ in range(5):
        bench.clock.advance(bench.breaker.retry_after_s)
        bench.fail()
        opened_s.append(bench.breaker.retry_after_s)

    assert opened_s == pytest.approx([30, 60, 120, 240, 300, 300])


def test_closing_makes_the_next_open_time_the_first_again() -> None:
    """After a recovery the next outage begins with 30 s."""
    bench = Bench().half_open()
    bench.fail()
    bench.clock.advance(60)
    bench.succeed(2)
    assert bench.state == "closed"

    bench.open()

    assert bench.breaker.retry_after_s == pytest.approx(30.0)


def test_a_healthy_check_half_opens_it_at_once() -> None:
    """No trial has failed, so health is all that is asked for."""
    bench = Bench().open()
    bench.clock.advance(1)

    bench.breaker.observe_health("healthy")

    assert bench.state == "half_open"
    assert bench.breaker.reason == "a health check was healthy"
    assert bench.breaker.admit().trial


def test_an_unknown_health_leaves_it_to_the_open_time() -> None:
    """A check that proves nothing neither shortens nor extends the open time."""
    bench = Bench().open()
    bench.breaker.observe_health("unknown")
    bench.clock.advance(29)
    bench.breaker.observe_health("unknown")
    bench.refused()

    bench.clock.advance(1)

    assert bench.breaker.admit().trial


def test_a_stale_failing_check_leaves_it_to_the_open_time() -> None:
    """An answer older than 30 s is unknown, and unknown is not unhealthy."""
    bench = Bench().open()
    bench.clock.advance(5)
    bench.breaker.observe_health("unhealthy")
    bench.clock.advance(30)
    bench.refused()

    bench.clock.advance(0.01)

    assert bench.breaker.admit().trial


def check_every_ten_seconds(bench: Bench, seconds: float, health: str = "unhealthy") -> float:
    """Let failing checks come in until a trial is possible; return how long that took."""
    waited_s = 0.0
    while waited_s < seconds:
        bench.breaker.observe_health(health)  # type: ignore[arg-type]
        if bench.state == "half_open":
            return waited_s
        bench.clock.advance(10)
        waited_s += 10
    return waited_s


def test_failing_checks_keep_it_open_for_15_minutes() -> None:
    """Then one trial goes out all the same, for the check may be what is broken."""
    bench = Bench().open()

    assert check_every_ten_seconds(bench, 2_000) == 900


def test_while_checks_go_on_failing_one_trial_goes_every_5_minutes() -> None:
    """After a failed trial the next one waits 300 s, however long the checks have failed."""
    bench = Bench().open()
    check_every_ten_seconds(bench, 2_000)
    bench.fail()

    waits_s = []
    for _ in range(3):
        waits_s.append(check_every_ten_seconds(bench, 2_000))
        bench.fail()

    assert waits_s == [300, 300, 300]


def test_checks_that_failed_before_the_breaker_opened_do_not_spend_the_patience() -> None:
    """An hour of failing checks beside working calls is no reason to try again at once."""
    bench = Bench()
    check_every_ten_seconds(bench, 3_600)
    bench.open()

    assert check_every_ten_seconds(bench, 2_000) == 900


def test_health_learned_before_the_opening_is_forgotten() -> None:
    """A check that was healthy a second before the failures says nothing about them."""
    bench = Bench()
    bench.breaker.observe_health("healthy")
    bench.clock.advance(1)
    bench.open()

    assert bench.refused().retry_after_s == pytest.approx(30.0)


def test_after_a_failed_trial_health_alone_does_not_do() -> None:
    """A grey failure: the checks are healthy, the work is not; the grown open time must pass."""
    bench = Bench().open()
    bench.breaker.observe_health("healthy")
    bench.fail()
    assert bench.breaker.retry_after_s == pytest.approx(60.0)

    assert check_every_ten_seconds(bench, 600, "healthy") == 60


def test_a_refusal_past_the_open_time_names_the_next_possible_instant() -> None:
    """With fresh failing checks the open time is over and yet nothing is admitted."""
    bench = Bench().open()
    bench.clock.advance(40)
    bench.breaker.observe_health("unhealthy")

    retry_after_s = bench.refused().retry_after_s

    assert retry_after_s == pytest.approx(30.001)
    bench.clock.advance(retry_after_s - 0.01)
    bench.refused()
    bench.clock.advance(0.02)
    assert bench.breaker.admit().trial


def test_until_then_there_is_no_need_to_ask() -> None:
    """The quiet time ends with the open time, and a health check ends it at once."""
    bench = Bench().open()

    bench.refused()
    assert bench.breaker.quiet_until_s == pytest.approx(bench.clock.now_s + 30)
    with caught(CircuitOpen):
        bench.breaker.refuse_unless_possible(bench.clock.now_s + 29)
    bench.breaker.observe_health("healthy")

    bench.breaker.refuse_unless_possible(bench.clock.now_s)


def test_results_of_attempts_begun_before_change_nothing() -> None:
    """Late results neither close it nor extend its open time."""
    bench = Bench()
    late = bench.breaker.admit()
    bench.open()
    bench.clock.advance(10)

    bench.end(late, failed=False)
    bench.end(late, failed=True)
    bench.breaker.release(late)
    bench.breaker.isolate("unauthorized", "401", permit=late)

    assert bench.state == "open"
    assert bench.breaker.retry_after_s == pytest.approx(20.0)


def test_a_request_beside_the_traffic_is_refused() -> None:
    """What is no evidence may not be sent while open either."""
    bench = Bench().open()

    with caught(CircuitOpen) as errors:
        bench.breaker.admit_quietly()

    assert errors[0].state == "open"


def test_whoever_asks_again_learns_that_it_moved() -> None:
    """An operation of two requests may check between them whether the breaker moved."""
    bench = Bench()
    generation = bench.breaker.generation
    bench.open()

    with caught(CircuitOpen) as errors:
        bench.breaker.check(generation)

    assert errors[0].state == "open"


def test_a_person_closes_it_at_once() -> None:
    """A reset needs neither open time nor trial."""
    bench = Bench().open()

    bench.breaker.reset("reset by ann")

    assert bench.state == "closed"
    assert bench.breaker.reason == "reset by ann"
    assert bench.breaker.failed_operations == frozenset()
    assert bench.breaker.retry_after_s == 0.0


def test_the_grown_open_time_never_passes_the_cap() -> None:
    """A cap below the first doubling is kept too."""
    bench = Bench(BreakerPolicy(open_s=30, open_cap_s=40)).half_open()

    bench.fail()

    assert bench.breaker.retry_after_s == pytest.approx(40.0)
