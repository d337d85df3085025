"""Contact after contact refused with one code."""

from hypothesis import given
from hypothesis import strategies as st

from callagent_cli.resilience.rejections import RejectionStreaks


def test_the_fifth_contact_completes_the_streak() -> None:
    """Four are four people, five are a setting."""
    streaks = RejectionStreaks()

    complete = [streaks.rejected("dial", "bad", f"call{number}") for number in range(5)]

    assert complete == [False] * 4 + [True]


def test_another_code_or_operation_is_another_streak() -> None:
    """Codes do not add up, and neither do operations."""
    streaks = RejectionStreaks()
    for number in range(4):
        streaks.rejected("dial", "bad", f"call{number}")

    assert not streaks.rejected("record", "bad", "call9")
    assert not streaks.rejected("dial", "other", "call9")
    assert not streaks.rejected("dial", "bad", "call9")


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 8)), max_size=60))
def test_it_is_complete_when_the_last_refusals_of_one_code_name_five_contacts(
    refusals: list[tuple[str, int]],
) -> None:
    """In any order of codes and contacts, the streak is the tail with one code."""
    streaks = RejectionStreaks()
    tail: list[tuple[str, int]] = []

    for code, contact in refusals:
        tail = [one for one in tail if one[0] == code] if tail and tail[-1][0] == code else []
        tail.append((code, contact))
        complete = streaks.rejected("dial", code, str(contact))
        assert complete is (len(set(tail)) >= 5)
