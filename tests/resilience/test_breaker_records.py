"""What of a breaker outlives a restart: remaining times, cut down to what is configured."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from resilience_doubles import Bench

from callagent_cli.resilience.breaker import BreakerRecord, Owner
from callagent_cli.resilience.policy import BreakerPolicy
from callagent_cli.resilience.recovery import RecoveryRecord


def restarted(bench: Bench, *, start_s: float = 7.0, policy: BreakerPolicy | None = None) -> Bench:
    """Return a bench whose breaker took up the other's record, on a clock that began anew."""
    written = msgspec.json.encode(bench.breaker.record())
    other = Bench(policy)
    other.clock.now_s = start_s
    other.breaker.restore(msgspec.json.decode(written, type=BreakerRecord))
    return other


def test_an_open_time_goes_on_with_what_remained_of_it() -> None:
    """The remaining 12 s are waited for, on a monotonic clock with another origin."""
    bench = Bench().open()
    bench.clock.advance(18)

    other = restarted(bench)

    assert other.refused().retry_after_s == pytest.approx(12.0)
    other.clock.advance(12)
    assert other.breaker.admit().trial


def test_the_operations_that_failed_are_still_the_ones_to_prove() -> None:
    """After a restart, too, following does not close what dialing opened."""
    other = restarted(Bench().half_open())

    other.succeed(3, "voice.follow")
    assert other.state == "half_open"
    other.succeed(2, "voice.dial")

    assert other.state == "closed"


def test_a_grey_failure_is_remembered() -> None:
    """A healthy check after the restart does not bring the trial forward, and doubling goes on."""
    bench = Bench().half_open()
    bench.fail()

    other = restarted(bench)

    other.breaker.observe_health("healthy")
    assert other.state == "open"
    other.clock.advance(60)
    other.fail()
    assert other.breaker.retry_after_s == pytest.approx(120.0)


@pytest.mark.parametrize("owner", ["operator", "unauthorized", "misconfigured"])
def test_an_isolation_stays_with_its_owner_and_reason(owner: Owner) -> None:
    """A restart is not the act that lifts it."""
    other = restarted(Bench().isolated(owner))

    assert (other.refused().reason, other.breaker.owner) == ("a reason", owner)
    assert other.changes == []


def test_the_timetable_without_credit_starts_over() -> None:
    """The wait under way ends as announced; the next one is the first again."""
    bench = Bench().isolated("quota")
    bench.clock.advance(300)
    bench.breaker.isolate("quota", "402", permit=bench.breaker.admit())
    bench.clock.advance(100)

    other = restarted(bench)

    assert other.refused().retry_after_s == pytest.approx(500.0)
    other.clock.advance(500)
    other.breaker.isolate("quota", "402", permit=other.breaker.admit())
    assert other.refused().retry_after_s == pytest.approx(300.0)


def test_a_closed_breaker_has_nothing_to_take_up() -> None:
    """Three failures before a restart are not three failures after it."""
    bench = Bench()
    bench.fail(3)

    other = restarted(bench)
    other.fail(3)

    assert other.state == "closed"


def test_permits_from_before_a_restore_change_nothing() -> None:
    """The breaker does not mistake the closed era before for the state it took up."""
    bench = Bench()
    early = bench.breaker.admit()

    bench.breaker.restore(Bench().open().breaker.record())
    for _ in range(4):
        bench.end(early, failed=True)
    bench.end(early, failed=False)

    assert bench.state == "open"
    assert bench.changes == []


def test_a_lowered_cap_cuts_down_what_was_stored() -> None:
    """After the settings were changed the stored open time obeys the present ones."""
    bench = Bench().half_open()
    bench.fail()

    other = restarted(bench, policy=BreakerPolicy(open_s=5, open_cap_s=10))

    assert other.refused().retry_after_s == pytest.approx(11.0)
    other.clock.advance(11)
    other.fail()
    assert other.breaker.retry_after_s == pytest.approx(10.0)


@given(
    remaining_s=st.floats(-1e9, 1e9),
    open_s=st.floats(-1e9, 1e9),
    quota_round=st.integers(0, 50),
)
def test_no_record_makes_anybody_wait_longer_than_configured(
    remaining_s: float, open_s: float, quota_round: int
) -> None:
    """Whatever a record says, the wait lies between nothing and the configured maximum."""
    bench = Bench()
    bench.breaker.restore(
        BreakerRecord(
            state="isolated" if quota_round else "open",
            owner="quota" if quota_round else "",
            recovery=RecoveryRecord(
                open_s=open_s, remaining_s=remaining_s, trial_failed=True, quota_round=quota_round
            ),
        )
    )

    longest_s = 1_800.0 if quota_round else 330.0
    assert 0.0 <= bench.breaker.retry_after_s <= longest_s + 1e-6
    assert bench.breaker.retry_after_s == pytest.approx(min(max(remaining_s, 0.0), longest_s))
    bench.clock.advance(longest_s + 1)
    bench.fail()
    assert bench.breaker.retry_after_s <= 300.0 + 1e-6
