"""When a dial may go out again, and what a look-up proves."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callagent_cli.calls.ledger import Graces, found_late, match, open_dial, proof_wait_s
from callagent_cli.calls.model import OPEN_DIALS, Dial, DialStatus

GRACES = Graces(unknown_s=30.0, refused_s=3.0)


@dataclass(frozen=True)
class Listed:
    """A call as a look-up finds it."""

    conversation: str
    attempt_id: str | None = None


def a_dial(name: str = "dial_1", status: DialStatus = DialStatus.UNKNOWN) -> Dial:
    """Return a dial of one call."""
    return Dial(id=name, call="call_1", number="+12125550100", status=status, intended_utc_s=1000.0)


@pytest.mark.parametrize("status", DialStatus)
def test_a_dial_is_open_exactly_when_it_may_have_rung(status: DialStatus) -> None:
    """Only such a dial stands in the way of the next."""
    found = open_dial([a_dial("dial_0", DialStatus.ABSENT), a_dial("dial_1", status)])

    assert (found is not None) == (status in OPEN_DIALS)


def test_no_dial_is_no_open_dial() -> None:
    """The first dial of a call has nothing before it."""
    assert open_dial([]) is None


@pytest.mark.parametrize(
    ("status", "grace_s"),
    [(DialStatus.UNKNOWN, 30.0), (DialStatus.INTENT, 30.0), (DialStatus.UNPROVEN, 3.0)],
)
@given(waited_s=st.floats(0, 1e6))
def test_absence_is_proof_only_after_the_grace(
    status: DialStatus, grace_s: float, waited_s: float
) -> None:
    """What remains is never negative and never too short."""
    wait_s = proof_wait_s(a_dial(status=status), waited_s, GRACES)

    assert wait_s >= 0
    assert (wait_s == 0) == (waited_s >= grace_s)
    assert waited_s + wait_s >= grace_s - 1e-6


def test_a_call_that_echoes_the_dial_is_its_call() -> None:
    """Whatever else is listed."""
    listed = [Listed("conv_1", "dial_9"), Listed("conv_2"), Listed("conv_3", "dial_1")]

    assert match(a_dial(), listed, frozenset()) == Listed("conv_3", "dial_1")


def test_a_call_that_echoes_nothing_is_taken_for_it() -> None:
    """Mistaking it for another one could ring a person twice."""
    assert match(a_dial(), [Listed("conv_2")], frozenset()) == Listed("conv_2")


def test_the_call_of_another_dial_is_not_its_call() -> None:
    """By its echo, or because that dial's conversation is known."""
    listed = [Listed("conv_1", "dial_0"), Listed("conv_2")]

    assert match(a_dial(), listed, frozenset({"conv_2"})) is None


@given(
    listed=st.lists(
        st.builds(
            Listed,
            st.sampled_from(["conv_1", "conv_2", "conv_3"]),
            st.sampled_from([None, "", "dial_0", "dial_1", "dial_2"]),
        )
    ),
    known=st.frozensets(st.sampled_from(["conv_1", "conv_2", "conv_3"])),
)
def test_a_match_is_never_known_and_never_another_dials(
    listed: list[Listed], known: frozenset[str]
) -> None:
    """For any list: what is taken for this dial's call could be it."""
    found = match(a_dial(), listed, known)

    if found is not None:
        assert found in listed
        assert found.conversation not in known
        assert found.attempt_id in {None, "", "dial_1"}
    else:
        assert all(each.conversation in known or each.attempt_id for each in listed)


def test_a_dial_thought_absent_is_found_late() -> None:
    """Its call is listed after all: the person was rung."""
    dials = [
        a_dial("dial_0", DialStatus.ABSENT),
        a_dial("dial_1", DialStatus.PLACED),
        a_dial("dial_2", DialStatus.REFUSED),
    ]
    listed = [Listed("conv_0", "dial_0"), Listed("conv_1", "dial_1"), Listed("conv_9")]

    assert found_late(dials, listed) == [(dials[0], listed[0])]
