"""When a dial may go out again, and what proves that the last one placed no call."""

from dataclasses import dataclass, field
from random import Random
from typing import Final
from unittest.mock import create_autospec

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callagent_cli.calls.ledger import Graces, found_late, match, open_dial, proof_wait_s
from callagent_cli.calls.model import OPEN_DIALS, Dial, DialStatus
from callagent_cli.clock import Clock
from callagent_cli.events import Bus
from callagent_cli.store.port import Store
from callagent_cli.worker.dial.ledger import DialLedger

GRACES: Final = Graces(unknown_s=30.0, refused_s=3.0)
HOUR_S: Final = 3600.0
EPOCH_S: Final = 1_767_603_600.0

labels = st.sampled_from([None, "", "dial_0", "dial_1", "dial_2"])


@dataclass(frozen=True)
class Listed:
    """A call as a look-up finds it."""

    conversation: str
    attempt_id: str | None = None


@dataclass(slots=True)
class SettableClock:
    """A clock whose calendar a person can set; the running time goes on regardless."""

    monotonic_s: float = 50.0
    utc_s: float = EPOCH_S
    clock: Clock = field(init=False)

    def __post_init__(self) -> None:
        self.clock = Clock(lambda: self.monotonic_s, lambda: self.utc_s, Random(7))

    def go_on(self, seconds: float, *, set_by_s: float = 0.0) -> None:
        """Let time pass, and set the calendar besides."""
        self.monotonic_s += seconds
        self.utc_s += seconds + set_by_s


def _dial(name: str = "dial_1", status: DialStatus = DialStatus.UNKNOWN) -> Dial:
    return Dial(
        id=name, call="call_1", number="+12125550100", status=status, intended_utc_s=EPOCH_S
    )


lists = st.lists(
    st.builds(Listed, st.sampled_from(["conv_1", "conv_2", "conv_3"]), labels), max_size=6
)


def _ledger(calendar: SettableClock) -> DialLedger:
    """Return the ledger of a worker that has just begun."""
    return DialLedger(create_autospec(Store, instance=True), Bus(calendar.clock), calendar.clock)


@pytest.mark.parametrize("status", [DialStatus.UNKNOWN, DialStatus.UNPROVEN])
@pytest.mark.parametrize("set_by_s", [-HOUR_S, 0.0, HOUR_S])
def test_setting_the_calendar_neither_shortens_nor_lengthens_a_proof(
    status: DialStatus, set_by_s: float
) -> None:
    """An hour forward is no proof of a dial that just ended; an hour back does not delay one."""
    calendar = SettableClock()
    ledger = _ledger(calendar)
    grace_s = 30.0 if status is DialStatus.UNKNOWN else 3.0
    dial = ledger.settle(_dial(), status)

    calendar.go_on(1.0, set_by_s=set_by_s)
    early_s = proof_wait_s(dial, ledger.waited_s(dial), GRACES)
    calendar.go_on(early_s)

    assert early_s == grace_s - 1.0
    assert proof_wait_s(dial, ledger.waited_s(dial), GRACES) == 0.0


@given(
    passed=st.lists(
        st.tuples(st.integers(0, 40), st.sampled_from([-HOUR_S, 0.0, HOUR_S])), max_size=8
    )
)
def test_only_time_that_passed_counts_whatever_the_calendar_shows(
    passed: list[tuple[int, float]],
) -> None:
    """After any number of settings the wait is the grace less the seconds that went by."""
    calendar = SettableClock()
    ledger = _ledger(calendar)
    dial = ledger.settle(_dial(), DialStatus.UNKNOWN)
    for seconds, set_by_s in passed:
        calendar.go_on(seconds, set_by_s=set_by_s)

    gone_s = sum(seconds for seconds, _ in passed)
    assert proof_wait_s(dial, ledger.waited_s(dial), GRACES) == max(0.0, 30.0 - gone_s)


@pytest.mark.parametrize("status", sorted(OPEN_DIALS))
def test_a_restart_waits_the_whole_grace_again(status: DialStatus) -> None:
    """A worker that finds an open dial does not trust the calendar for how old it is."""
    calendar = SettableClock()
    _ledger(calendar).settle(_dial(), DialStatus.UNKNOWN)
    calendar.go_on(25.0, set_by_s=HOUR_S)
    ledger, dial = _ledger(calendar), _dial(status=status).evolve(ended_utc_s=EPOCH_S)

    waits_s = [proof_wait_s(dial, ledger.waited_s(dial), GRACES)]
    calendar.go_on(2.0)
    waits_s.append(proof_wait_s(dial, ledger.waited_s(dial), GRACES))

    grace_s = 3.0 if status is DialStatus.UNPROVEN else 30.0
    assert waits_s == [grace_s, grace_s - 2.0]


def test_a_dial_that_is_settled_as_open_twice_keeps_its_first_end() -> None:
    """A look-up that proves nothing does not begin the grace anew."""
    calendar = SettableClock()
    ledger = _ledger(calendar)
    first = ledger.settle(_dial(), DialStatus.UNKNOWN)
    calendar.go_on(20.0)
    second = ledger.settle(first, DialStatus.UNKNOWN)

    assert ledger.waited_s(second) == 20.0
    assert second.ended_utc_s == EPOCH_S


@given(status=st.sampled_from(DialStatus), waited_s=st.floats(0, 1e6), more_s=st.floats(0, 1e6))
def test_waiting_longer_never_makes_the_wait_longer(
    status: DialStatus, waited_s: float, more_s: float
) -> None:
    """The wait only falls, from the grace to nothing."""
    dial = _dial(status=status)
    before_s = proof_wait_s(dial, waited_s, GRACES)

    assert 0.0 <= proof_wait_s(dial, waited_s + more_s, GRACES) <= before_s <= GRACES.unknown_s


@given(found=st.lists(st.sampled_from(DialStatus), max_size=6))
def test_the_open_dial_is_the_first_that_may_have_rung(found: list[DialStatus]) -> None:
    """None but an open one is returned, and one is whenever there is any."""
    dials = [_dial(f"dial_{index}", status) for index, status in enumerate(found)]
    expected = [dial for dial in dials if dial.status in OPEN_DIALS][:1]

    assert open_dial(iter(dials)) == (expected[0] if expected else None)


@pytest.mark.parametrize(
    ("listed", "known", "expected"),
    [
        ([], "", None),
        ([("a", "dial_1")], "", "a"),
        ([("a", None)], "", "a"),
        ([("a", "")], "", "a"),
        ([("a", "dial_2")], "", None),
        ([("a", None), ("b", "dial_1")], "", "b"),
        ([("b", "dial_1"), ("a", None)], "", "b"),
        ([("a", "dial_1"), ("b", "dial_1")], "", "a"),
        ([("a", None), ("b", None)], "", "a"),
        ([("a", None), ("b", None)], "a", "b"),
        ([("a", "dial_1")], "a", None),
        ([("a", "dial_1"), ("b", None)], "a", "b"),
        ([("a", None), ("b", "dial_2")], "a", None),
    ],
)
def test_which_call_a_dial_placed(
    listed: list[tuple[str, str | None]], known: str, expected: str | None
) -> None:
    """Its own id comes first, then a call without one; a known conversation is never taken."""
    calls = [Listed(conversation, label) for conversation, label in listed]
    found = match(_dial(), iter(calls), frozenset({known}))

    assert (found and found.conversation) == expected


@given(listed=lists, known=st.frozensets(st.sampled_from(["conv_1", "conv_2", "conv_3"])))
def test_an_exact_id_wins_over_any_unlabeled_call(
    listed: list[Listed], known: frozenset[str]
) -> None:
    """Wherever it stands in the list, unless its conversation is another dial's."""
    found = match(_dial(), listed, known)
    unknown = [call for call in listed if call.conversation not in known]

    if any(call.attempt_id == "dial_1" for call in unknown):
        assert found is not None
        assert found.attempt_id == "dial_1"
    elif any(not call.attempt_id for call in unknown):
        assert found is not None
        assert not found.attempt_id
    else:
        assert found is None


@given(
    listed=lists,
    found=st.lists(st.sampled_from(DialStatus), min_size=3, max_size=3),
)
def test_only_a_dial_thought_absent_can_be_found_late(
    listed: list[Listed], found: list[DialStatus]
) -> None:
    """Each of them whose id is echoed, once, with a call that echoes it; no other dial."""
    dials = [_dial(f"dial_{index}", status) for index, status in enumerate(found)]
    late = found_late(dials, listed)
    echoed = {call.attempt_id for call in listed}

    assert [dial for dial, _ in late] == [
        dial
        for dial in dials
        if dial.status in {DialStatus.ABSENT, DialStatus.REFUSED} and dial.id in echoed
    ]
    assert all(call in listed and call.attempt_id == dial.id for dial, call in late)


@pytest.mark.parametrize("status", DialStatus)
def test_a_dial_is_open_exactly_when_it_may_have_rung(status: DialStatus) -> None:
    """Only such a dial stands in the way of the next."""
    found = open_dial([_dial("dial_0", DialStatus.ABSENT), _dial("dial_1", status)])

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
    wait_s = proof_wait_s(_dial(status=status), waited_s, GRACES)

    assert wait_s >= 0
    assert (wait_s == 0) == (waited_s >= grace_s)
    assert waited_s + wait_s >= grace_s - 1e-6


def test_a_call_that_echoes_the_dial_is_its_call() -> None:
    """Whatever else is listed."""
    listed = [Listed("conv_1", "dial_9"), Listed("conv_2"), Listed("conv_3", "dial_1")]

    assert match(_dial(), listed, frozenset()) == Listed("conv_3", "dial_1")


def test_a_call_that_echoes_nothing_is_taken_for_it() -> None:
    """Mistaking it for another one could ring a person twice."""
    assert match(_dial(), [Listed("conv_2")], frozenset()) == Listed("conv_2")


def test_the_call_of_another_dial_is_not_its_call() -> None:
    """By its echo, or because that dial's conversation is known."""
    listed = [Listed("conv_1", "dial_0"), Listed("conv_2")]

    assert match(_dial(), listed, frozenset({"conv_2"})) is None


@given(
    listed=lists,
    known=st.frozensets(st.sampled_from(["conv_1", "conv_2", "conv_3"])),
)
def test_a_match_is_never_known_and_never_another_dials(
    listed: list[Listed], known: frozenset[str]
) -> None:
    """For any list: what is taken for this dial's call could be it."""
    found = match(_dial(), listed, known)

    if found is not None:
        assert found in listed
        assert found.conversation not in known
        assert found.attempt_id in {None, "", "dial_1"}
    else:
        assert all(each.conversation in known or each.attempt_id for each in listed)


def test_a_dial_thought_absent_is_found_late() -> None:
    """Its call is listed after all: the person was rung."""
    dials = [
        _dial("dial_0", DialStatus.ABSENT),
        _dial("dial_1", DialStatus.PLACED),
        _dial("dial_2", DialStatus.REFUSED),
    ]
    listed = [Listed("conv_0", "dial_0"), Listed("conv_1", "dial_1"), Listed("conv_9")]

    assert found_late(dials, listed) == [(dials[0], listed[0])]
