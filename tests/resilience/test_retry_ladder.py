"""The ladder of waits: nominal times, jitter, Retry-After, and where it ends."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from resilience_doubles import busy_here, down, lost, no_credit, refused, throttled, wrong_key

from callagent_cli.errors import NetworkFailure, ServiceError, ServiceTimeout
from callagent_cli.resilience.ladder import RetryLadder
from callagent_cli.resilience.outcome import RULES, Evidence, Outcome
from callagent_cli.resilience.policy import RetryPolicy

POLICIES = st.builds(
    RetryPolicy,
    initial_delay_s=st.floats(0.01, 100),
    factor=st.floats(1, 5),
    retries=st.integers(0, 20),
    delay_cap_s=st.floats(0.01, 1_000),
    jitter=st.sampled_from(["quarter", "full", "none"]),
)


def ladder(policy: RetryPolicy | None = None, seed: int = 1) -> RetryLadder:
    """Return a ladder."""
    return RetryLadder(policy or RetryPolicy(), Random(seed))


def test_the_nominal_waits_are_5_10_20_40_60_and_60_again() -> None:
    """They double and stop at the cap."""
    exact = ladder(RetryPolicy(jitter="none", retries=6))

    waits_s = [exact.decide(down(), used, 0).delay_s for used in range(1, 7)]

    assert waits_s == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0]


def test_by_default_there_are_four_attempts() -> None:
    """After the fourth failure it gives up, without a wait."""
    by_default = ladder()

    actions = [by_default.decide(down(), used, 0).action for used in range(1, 6)]

    assert by_default.attempts == 4
    assert actions == ["retry", "retry", "retry", "give_up", "give_up"]
    assert by_default.decide(down(), 4, 0).delay_s == 0.0


@given(policy=POLICIES, used=st.integers(1, 30), seed=st.integers(0, 2**16))
def test_jitter_is_applied_after_the_cap_and_within_its_range(
    policy: RetryPolicy, used: int, seed: int
) -> None:
    """A quarter up or down of the capped time, or anything below it, or the time itself."""
    decision = ladder(policy, seed).decide(down(), used, 0)
    if used > policy.retries:
        assert (decision.action, decision.delay_s) == ("give_up", 0.0)
        return
    nominal_s = min(policy.initial_delay_s * policy.factor ** (used - 1), policy.delay_cap_s)
    low, high = {"quarter": (0.75, 1.25), "full": (0.0, 1.0), "none": (1.0, 1.0)}[policy.jitter]

    assert decision.action == "retry"
    assert decision.reason == "backoff"
    assert nominal_s * low - 1e-9 <= decision.delay_s <= nominal_s * high + 1e-9


@given(POLICIES)
def test_nominal_waits_never_shrink_and_never_pass_the_cap(policy: RetryPolicy) -> None:
    """Each wait is at least the one before, and at most the cap."""
    exact = RetryPolicy(
        initial_delay_s=policy.initial_delay_s,
        factor=policy.factor,
        retries=20,
        delay_cap_s=policy.delay_cap_s,
        jitter="none",
    )

    waits_s = [ladder(exact).decide(down(), used, 0).delay_s for used in range(1, 21)]

    assert waits_s == sorted(waits_s)
    assert max(waits_s) <= policy.delay_cap_s


@given(
    policy=POLICIES,
    used=st.integers(1, 20),
    asked_s=st.floats(0, 100_000),
    limit=st.booleans(),
    seed=st.integers(0, 2**16),
)
def test_a_retry_after_is_a_floor(
    policy: RetryPolicy, used: int, asked_s: float, *, limit: bool, seed: int
) -> None:
    """No decision to retry comes earlier than the service asked for, and at most 1 s later."""
    error = throttled(asked_s) if limit else down(asked_s)

    decision = ladder(policy, seed).decide(error, used, used)

    if decision.action == "retry":
        assert decision.delay_s >= asked_s
        if decision.reason == "retry_after":
            assert decision.delay_s <= asked_s + 1.0
    else:
        assert used > policy.retries


def test_a_shorter_retry_after_does_not_shorten_the_ladder() -> None:
    """A service that is down asks for 1 s; the ladder waits its 5 s."""
    exact = ladder(RetryPolicy(jitter="none"))

    assert exact.decide(down(1.0), 1, 0).delay_s == 5.0
    assert exact.decide(down(7.0), 1, 0).delay_s == 7.0


def test_a_rate_limit_is_retried_as_soon_as_it_says() -> None:
    """A fraction of a second is enough where nothing is broken."""
    exact = ladder(RetryPolicy(jitter="none"))

    decision = exact.decide(throttled(0.9), 0, 1)

    assert (decision.action, decision.delay_s, decision.reason) == ("retry", 0.9, "retry_after")


@pytest.mark.parametrize("error", [throttled(), busy_here()])
def test_limits_use_up_no_attempt_and_wait_longer_each_time(error: ServiceError) -> None:
    """However often a limit is met, the ladder does not end; without a time its wait grows."""
    exact = ladder(RetryPolicy(jitter="none"))

    decisions = [exact.decide(error, 3, limited) for limited in range(1, 10)]

    assert {decision.action for decision in decisions} == {"retry"}
    assert not any(decision.counted for decision in decisions)
    assert [one.delay_s for one in decisions[:6]] == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0]


@pytest.mark.parametrize("error", [refused(), no_credit(), wrong_key(), lost()])
def test_what_another_try_cannot_help_ends_it_at_once(error: ServiceError) -> None:
    """Permanent errors are not retried, and an unknown outcome not before it is known."""
    decision = ladder().decide(error, 1, 0)

    assert (decision.action, decision.delay_s) == ("give_up", 0.0)
    assert decision.reason == error.message


@pytest.mark.parametrize("error", [down(), ServiceTimeout("late"), NetworkFailure("no route")])
def test_transient_errors_are_retried(error: ServiceError) -> None:
    """Down, late and never sent are worth another try."""
    assert ladder().decide(error, 1, 0).action == "retry"


def test_there_is_a_rule_for_every_outcome() -> None:
    """Only transient outcomes are retried; limits and content are no evidence."""
    assert set(RULES) == set(Outcome)
    assert {outcome for outcome, rule in RULES.items() if rule.retried} == {
        Outcome.UNAVAILABLE,
        Outcome.TIMEOUT,
        Outcome.NOT_SENT,
        Outcome.THROTTLED,
        Outcome.BUSY_HERE,
    }
    assert {one for one, rule in RULES.items() if rule.evidence is Evidence.FAILURE} == {
        Outcome.UNAVAILABLE,
        Outcome.TIMEOUT,
        Outcome.UNKNOWN,
        Outcome.NOT_SENT,
    }
    assert {one for one, rule in RULES.items() if rule.evidence is Evidence.ISOLATES} == {
        Outcome.MISCONFIGURED,
        Outcome.UNAUTHORIZED,
        Outcome.QUOTA,
    }
