"""The retry budget: a share of the recent attempts, and a floor that is always free."""

import math

from hypothesis import given
from hypothesis import strategies as st

from callagent_cli.resilience.budget import Budget
from callagent_cli.resilience.policy import BudgetPolicy

STEPS = st.lists(st.tuples(st.booleans(), st.floats(0, 3)), max_size=200)


@given(
    steps=STEPS,
    ratio=st.floats(0.01, 1),
    window_s=st.sampled_from([1.0, 7.0, 10.0]),
    floor_per_s=st.floats(0.01, 5),
)
def test_retries_never_exceed_their_share(
    steps: list[tuple[bool, float]], ratio: float, window_s: float, floor_per_s: float
) -> None:
    """After every retry the recent ones are at most the share of all, or the floor, rounded up."""
    budget = Budget(BudgetPolicy(ratio=ratio, window_s=window_s, floor_per_s=floor_per_s))
    now_s = 0.0
    sent: list[tuple[float, bool]] = []

    for retry, pause_s in steps:
        now_s += pause_s
        if not retry:
            budget.attempted(now_s)
            sent.append((now_s, False))
            continue
        wait_s = budget.take(now_s)
        if wait_s > 0:
            continue
        # What the window surely still holds, and what it may hold at most.
        certain = [one for one in sent if one[0] > now_s - 0.9 * window_s]
        possible = [one for one in sent if one[0] > now_s - window_s - 1e-6]
        share = max(ratio * (len(possible)), floor_per_s * window_s)
        assert sum(was_retry for _, was_retry in certain) + 1 <= math.ceil(share) + 1e-9
        sent.append((now_s, True))


@given(STEPS)
def test_a_refused_retry_waits_until_the_window_moves_and_a_share_comes(
    steps: list[tuple[bool, float]],
) -> None:
    """The wait is at most a tenth of the window, and waiting always ends."""
    budget = Budget(BudgetPolicy())
    now_s = 0.0
    for retry, pause_s in steps:
        now_s += pause_s
        if not retry:
            budget.attempted(now_s)
            continue
        waits = 0
        while (wait_s := budget.take(now_s)) > 0:
            assert wait_s <= 1.0 + 1e-9
            now_s += wait_s
            waits += 1
        assert waits <= 11


def test_the_floor_is_one_retry_a_second() -> None:
    """Without any other traffic ten retries go out in ten seconds, and the eleventh waits."""
    budget = Budget(BudgetPolicy())

    taken = [budget.take(0.5) for _ in range(11)]

    assert taken == [0.0] * 10 + [0.5]


def test_a_fifth_of_the_traffic_may_be_retries() -> None:
    """Of a hundred attempts that are no retries, 25 more make a fifth of 125."""
    budget = Budget(BudgetPolicy())
    for _ in range(100):
        budget.attempted(0.0)

    taken = [budget.take(0.0) for _ in range(40)]

    assert taken.count(0.0) == 25


def test_asking_alone_takes_no_share() -> None:
    """Looking at the wait is no retry."""
    budget = Budget(BudgetPolicy())

    assert [budget.wait_s(0.0) for _ in range(50)] == [0.0] * 50
