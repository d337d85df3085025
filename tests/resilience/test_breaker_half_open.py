"""The half-open breaker: how many trials, whose successes count, and what ends it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from resilience_doubles import Bench, caught

from callagent_cli.errors import CircuitOpen
from callagent_cli.resilience.policy import BreakerPolicy


def test_one_trial_at_a_time() -> None:
    """While a trial is under way everybody else is refused at once."""
    bench = Bench().half_open()

    bench.breaker.admit(30)
    error = bench.refused()

    assert error.state == "half_open"
    assert error.retry_after_s == pytest.approx(35.0)
    assert not bench.breaker.trial_is_free


def test_as_many_trials_as_the_policy_says() -> None:
    """With three trials the fourth caller is refused."""
    bench = Bench(BreakerPolicy(trials=3)).half_open()

    permits = [bench.breaker.admit() for _ in range(3)]

    bench.refused()
    assert len(set(map(id, permits))) == 3
    assert all(permit.trial for permit in permits)


def test_a_returned_permit_makes_room_for_the_next_trial() -> None:
    """A trial that taught nothing is no failure and no success, and blocks nobody."""
    bench = Bench().half_open()

    bench.breaker.release(bench.breaker.admit())

    assert bench.state == "half_open"
    assert bench.breaker.admit().trial


def test_two_successes_close_it() -> None:
    """The first success leaves it half-open, the second closes it."""
    bench = Bench().half_open()

    bench.succeed()
    assert bench.state == "half_open"
    bench.succeed()

    assert bench.state == "closed"
    assert bench.breaker.reason == "2 trials succeeded"
    assert bench.breaker.failed_operations == frozenset()


def test_only_successes_of_an_operation_that_failed_count() -> None:
    """Following that works proves nothing about dialing that failed."""
    bench = Bench().half_open()

    bench.succeed(10, "voice.follow")
    assert bench.state == "half_open"
    bench.succeed(2, "voice.dial")

    assert bench.state == "closed"


def test_an_operation_that_fails_as_a_trial_counts_among_the_failed_ones() -> None:
    """After following failed in half-open, its successes close the breaker as well."""
    bench = Bench().half_open()
    bench.fail(1, "voice.follow")
    bench.clock.advance(60)

    bench.succeed(2, "voice.follow")

    assert bench.state == "closed"


def test_any_operation_counts_when_none_has_failed() -> None:
    """A breaker that a person isolated and whose key then changed has seen no failure."""
    bench = Bench().isolated("unauthorized")
    bench.breaker.credential_changed()

    bench.succeed(2, "voice.look_up")

    assert bench.state == "closed"


def test_the_first_failed_trial_opens_it_again() -> None:
    """One success before does not help, and does not count in the next round."""
    bench = Bench().half_open()

    bench.succeed()
    bench.fail()
    assert bench.state == "open"
    bench.clock.advance(60)
    bench.succeed()

    assert bench.state == "half_open"


def test_a_trial_holds_its_permit_for_its_attempts_time_and_5_seconds() -> None:
    """A hung trial makes room when its lease is over, and not before."""
    bench = Bench().half_open()
    bench.breaker.admit(30)

    bench.clock.advance(34.9)
    bench.refused()
    bench.clock.advance(0.1)

    assert bench.breaker.trial_is_free
    assert bench.breaker.admit().trial


@pytest.mark.parametrize("failed", [True, False])
def test_what_comes_after_the_lease_changes_nothing(*, failed: bool) -> None:
    """A trial that outlived its lease decides neither for nor against."""
    bench = Bench(BreakerPolicy(successes_to_close=1)).half_open()
    hung = bench.breaker.admit(30)
    bench.clock.advance(35)

    bench.end(hung, failed=failed)

    assert bench.state == "half_open"


def test_a_trial_past_its_lease_isolates_nothing() -> None:
    """The same holds for an answer about key or account."""
    bench = Bench().half_open()
    hung = bench.breaker.admit(30)
    bench.clock.advance(35)

    bench.breaker.isolate("unauthorized", "401", permit=hung)

    assert bench.state == "half_open"


def test_a_trial_may_isolate() -> None:
    """A trial that meets a wrong key ends the round."""
    bench = Bench().half_open()

    bench.breaker.isolate("unauthorized", "401", permit=bench.breaker.admit())

    assert (bench.state, bench.breaker.owner) == ("isolated", "unauthorized")


def test_an_ended_trial_can_not_decide_twice() -> None:
    """A second success with the same permit is not a second trial."""
    bench = Bench().half_open()
    permit = bench.breaker.admit()

    bench.end(permit, failed=False)
    bench.end(permit, failed=False)
    bench.breaker.release(permit)

    assert bench.state == "half_open"
    assert bench.breaker.trial_is_free


def test_two_healthy_checks_in_a_row_close_an_idle_one() -> None:
    """With no call that could be the trial, health is all there is to go by."""
    bench = Bench().open()

    bench.breaker.observe_health("healthy", idle=lambda: True)
    assert bench.state == "half_open"
    bench.breaker.observe_health("unknown", idle=lambda: True)
    bench.breaker.observe_health("healthy", idle=lambda: True)
    assert bench.state == "half_open"
    bench.breaker.observe_health("healthy", idle=lambda: True)

    assert bench.state == "closed"


def test_healthy_checks_do_not_close_it_while_a_call_could_be_the_trial() -> None:
    """A real attempt proves more than a check."""
    bench = Bench().open()

    for _ in range(10):
        bench.breaker.observe_health("healthy", idle=lambda: False)

    assert bench.state == "half_open"


def test_failing_checks_do_not_open_it_again() -> None:
    """Only a trial decides in half-open."""
    bench = Bench().half_open()

    for _ in range(10):
        bench.breaker.observe_health("unhealthy")

    assert bench.breaker.admit().trial


def test_a_request_beside_the_traffic_is_refused() -> None:
    """What is no evidence must not take the place of a trial."""
    bench = Bench().half_open()

    with caught(CircuitOpen):
        bench.breaker.admit_quietly()

    assert bench.breaker.trial_is_free


def test_a_refusal_without_a_trial_under_way_asks_for_no_wait() -> None:
    """Where a trial is free there is nothing to wait for."""
    bench = Bench().half_open()

    with caught(CircuitOpen) as errors:
        bench.breaker.admit_quietly()

    assert errors[0].retry_after_s == 0.0


@given(
    trials=st.integers(1, 4),
    asks=st.lists(st.tuples(st.floats(0, 20), st.floats(1, 30)), max_size=40),
)
def test_never_more_live_trials_than_the_policy_says(
    trials: int, asks: list[tuple[float, float]]
) -> None:
    """However callers come and however long they hold their leases, the limit is kept."""
    bench = Bench(BreakerPolicy(trials=trials)).half_open()
    ends_s: list[float] = []

    for pause_s, lease_s in asks:
        bench.clock.advance(pause_s)
        ends_s = [end_s for end_s in ends_s if end_s > bench.clock.now_s]
        free = bench.breaker.trial_is_free
        assert free is (len(ends_s) < trials)
        if free:
            bench.breaker.admit(lease_s)
            ends_s.append(bench.clock.now_s + lease_s + 5)
        else:
            assert bench.refused().retry_after_s == pytest.approx(min(ends_s) - bench.clock.now_s)
