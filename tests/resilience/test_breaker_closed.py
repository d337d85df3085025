"""The closed breaker: what it counts, and what opens it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from resilience_doubles import Bench

from callagent_cli.resilience.policy import BreakerPolicy


def test_everything_is_admitted_with_one_and_the_same_permit() -> None:
    """Admission while closed creates nothing."""
    breaker = Bench().breaker

    assert breaker.admit() is breaker.admit() is breaker.closed_permit
    assert not breaker.admit().trial


def test_the_fourth_failure_since_the_last_success_opens_it() -> None:
    """Three failures leave it closed, the fourth opens it for 30 s."""
    bench = Bench()

    bench.fail(3)
    assert bench.state == "closed"
    bench.fail()

    assert bench.state == "open"
    assert [(change.old, change.new) for change in bench.changes] == [("closed", "open")]
    assert bench.changes[0].open_s == 30.0
    assert "4 failures since the last success: 503" in bench.breaker.reason


def test_failures_of_different_operations_add_up() -> None:
    """Two failures of dialing and two of following make four."""
    bench = Bench()

    bench.fail(2, "voice.dial")
    bench.fail(2, "voice.follow")

    assert bench.state == "open"
    assert bench.breaker.failed_operations == {"voice.dial", "voice.follow"}


def test_a_success_clears_only_its_own_operation() -> None:
    """Following that works takes back nothing of dialing that fails."""
    bench = Bench()

    bench.fail(2, "voice.dial")
    bench.fail(1, "voice.follow")
    bench.succeed(1, "voice.follow")
    bench.fail(1, "voice.dial")
    assert bench.state == "closed"
    bench.fail(1, "voice.dial")

    assert bench.state == "open"


def test_a_success_of_the_operation_starts_its_count_again() -> None:
    """Three failures, a success and three failures are not four in a row."""
    bench = Bench()

    bench.fail(3)
    bench.succeed()
    bench.fail(3)

    assert bench.state == "closed"


def test_a_success_from_before_an_outage_clears_nothing_after_it() -> None:
    """Three failures of the present era stay three when a call of an earlier one succeeds."""
    bench = Bench()
    early = bench.breaker.admit()
    bench.open()
    bench.breaker.reset("by hand")

    bench.fail(3)
    bench.end(early, failed=False)
    bench.fail(1)

    assert bench.state == "open"


def rate_only(minimum: int = 10) -> BreakerPolicy:
    """Return a policy in which only the share of failures opens the breaker."""
    return BreakerPolicy(failures=1_000, minimum_attempts=minimum)


def test_half_of_ten_attempts_within_a_minute_open_it() -> None:
    """Five successes and five failures of one operation are a share of 50 %."""
    bench = Bench(rate_only())

    bench.succeed(5)
    bench.fail(4)
    assert bench.state == "closed"
    bench.fail()

    assert bench.state == "open"
    assert "5 of 10 attempts of voice.dial failed" in bench.breaker.reason


def test_fewer_than_ten_attempts_have_no_share() -> None:
    """Nine failures of nine attempts do not open it by their share."""
    bench = Bench(rate_only())

    bench.fail(9)

    assert bench.state == "closed"


def test_less_than_half_does_not_open_it() -> None:
    """Six successes before five failures are a share below 50 %."""
    bench = Bench(rate_only())

    bench.succeed(6)
    bench.fail(5)

    assert bench.state == "closed"


def test_the_share_is_that_of_one_operation() -> None:
    """Ten attempts of two operations are not ten attempts of one."""
    bench = Bench(rate_only())

    bench.fail(5, "voice.dial")
    bench.fail(5, "voice.follow")

    assert bench.state == "closed"


def test_failures_older_than_the_window_have_no_share() -> None:
    """What failed more than a minute ago counts no more."""
    bench = Bench(rate_only())

    bench.fail(9)
    bench.clock.advance(61)
    bench.succeed(5)
    bench.fail(4)

    assert bench.state == "closed"


SLOW = BreakerPolicy(failures=1_000, slow_call_s=3.0, slow_ratio=0.5)


def test_slow_successes_open_it_when_that_is_configured() -> None:
    """Half of ten attempts longer than `slow_call_s` open it, though all succeeded."""
    bench = Bench(SLOW)

    bench.succeed(5)
    for _ in range(5):
        assert bench.state == "closed"
        bench.end(bench.breaker.admit(), failed=False, took_s=3.1)

    assert bench.state == "open"
    assert bench.breaker.reason == "5 of 10 attempts of voice.dial took over 3 s"


def test_slow_failures_count_as_slow_too() -> None:
    """A slow attempt is slow however it ends."""
    bench = Bench(SLOW)

    bench.succeed(6)
    for took_s in (3.1, 3.1, 3.1, 3.1, 3.1, 3.1):
        assert bench.state == "closed"
        bench.end(bench.breaker.admit(), failed=took_s == 3.1, took_s=took_s)

    assert bench.state == "open"


def test_slow_calls_are_no_matter_unless_configured() -> None:
    """By default an attempt may take as long as its timeout allows."""
    bench = Bench()

    for _ in range(20):
        bench.end(bench.breaker.admit(), failed=False, took_s=1_000.0)

    assert bench.state == "closed"


def test_a_released_permit_changes_nothing() -> None:
    """A cancelled or throttled attempt is no evidence."""
    bench = Bench()

    bench.fail(3)
    for _ in range(10):
        bench.breaker.release(bench.breaker.admit())

    assert bench.state == "closed"
    bench.fail()
    assert bench.state == "open"


@pytest.mark.parametrize("health", ["healthy", "unhealthy", "unknown"])
def test_health_checks_do_not_move_a_closed_breaker(health: str) -> None:
    """A failing check is no traffic, and a healthy one clears no failures."""
    bench = Bench()
    bench.fail(3)

    for _ in range(10):
        bench.breaker.observe_health(health, idle=lambda: True)  # type: ignore[arg-type]

    assert bench.state == "closed"
    bench.fail()
    assert bench.state == "open"


def test_a_reset_of_a_closed_breaker_only_forgets_its_failures() -> None:
    """A person's reset starts the counts over and is no move."""
    bench = Bench()
    bench.fail(3)

    bench.breaker.reset("by hand")
    bench.fail(3)

    assert bench.state == "closed"
    assert bench.changes == []


def test_nothing_has_to_be_waited_for_while_closed() -> None:
    """A closed breaker moves only by what is reported to it."""
    bench = Bench()

    assert not bench.breaker.poll()
    assert bench.breaker.next_change_s() == float("inf")
    assert bench.breaker.retry_after_s == 0.0
    bench.breaker.check(bench.breaker.generation)
    bench.breaker.admit_quietly()


@given(
    st.lists(
        st.sampled_from(["dial", "follow", "look_up"]).flatmap(
            lambda name: st.tuples(st.just(name), st.booleans())
        ),
        max_size=60,
    )
)
def test_the_count_is_the_sum_of_each_operations_failures_in_a_row(
    results: list[tuple[str, bool]],
) -> None:
    """In any order of results, it opens exactly when the sum of the rows reaches four."""
    bench = Bench(BreakerPolicy(minimum_attempts=1_000))
    rows = {"dial": 0, "follow": 0, "look_up": 0}

    for name, failed in results:
        assert bench.state == "closed"
        if failed:
            bench.fail(1, name)
        else:
            bench.succeed(1, name)
        rows[name] = rows[name] + 1 if failed else 0
        if sum(rows.values()) >= 4:
            assert bench.state == "open"
            return

    assert bench.state == "closed"
