"""People who say that they want no more calls, and people who are suppressed while a run goes."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callagent_cli.calls.evidence import Result
from callagent_cli.errors import StoreError
from callagent_cli.events import CallChanged, Stamped
from callagent_cli.simulation.judge.evidence import Evidence
from callagent_cli.simulation.scenario.loader import load_scenario
from callagent_cli.simulation.twins.elevenlabs.conversation import Conversation
from callagent_cli.simulation.worlds.world import World
from callagent_cli.store.suppressions import SANDBOX, Suppression
from callagent_cli.worker import assembly
from callagent_cli.worker.resources import Resources
from callagent_cli.worker.steps.opt_outs import opt_out_of

SCENARIO = """
callagent: scenario/v1
name: small
title: A few people
campaign: {contacts: 3, lanes: 1}
people: {answered: PEOPLE, no_answer: OTHERS}
until: {at_most: 12h}
"""


class _List:
    """A suppression list in memory; `broken` makes it unreadable."""

    def __init__(self) -> None:
        self.kept: dict[str, Suppression] = {}
        self.broken = False

    def reason(self, *numbers: str) -> str:
        if self.broken:
            raise StoreError("the list cannot be read")
        return next((self.kept[each].reason for each in numbers if each in self.kept), "")

    def add(self, suppressions: Iterable[Suppression]) -> int:
        before = len(self.kept)
        for suppression in suppressions:
            self.kept.setdefault(suppression.number, suppression)
        return len(self.kept) - before


def _run(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    known: _List,
    *,
    answered: bool,
    follow: Callable[[float, Stamped], None] | None = None,
) -> tuple[Evidence, list[CallChanged]]:
    """Run three people through the real worker, with a list, and return what happened."""
    monkeypatch.setattr(
        assembly, "Resources", lambda **parts: Resources(**{**parts, "suppressions": known})
    )
    text = SCENARIO.replace("PEOPLE", str(int(answered))).replace("OTHERS", str(int(not answered)))
    path = folder / "small.yaml"
    path.write_text(text, encoding="utf-8")
    changes: list[CallChanged] = []

    def listen(at_s: float, stamped: Stamped) -> None:
        if isinstance(stamped.event, CallChanged):
            changes.append(stamped.event)
        if follow is not None:
            follow(at_s, stamped)

    evidence = World(load_scenario(path).scenario, 7, follow=listen).run()
    return evidence, changes


def _collect(monkeypatch: pytest.MonkeyPatch, value: object) -> None:
    """Have every agent of the platform collect this value in `do_not_call`."""
    analysis = Conversation._analysis

    def collecting(self: Conversation, status: str) -> dict[str, Any] | None:
        found = analysis(self, status)
        if found is None:
            return None
        return {**found, "data_collection_results": {"do_not_call": {"value": value}}}

    monkeypatch.setattr(Conversation, "_analysis", collecting)


@pytest.mark.parametrize(
    ("value", "opted_out"),
    [
        (True, True),
        (False, False),
        (None, False),
        ("yes", True),
        ("TRUE ", True),
        ("true", True),
        ("1", True),
        (1, True),
        (1.0, True),
        (0, False),
        ("no", False),
        ("false", False),
        ("", False),
        ("null", False),
        ("None", False),
        ("opted out", True),
        ("maybe", True),
        ("please stop calling me", True),
        (["yes"], True),
        ({"answer": False}, True),
        (2, True),
        (float("nan"), True),
    ],
)
def test_the_collected_field_is_read(value: object, opted_out: bool) -> None:
    """Yes in its many forms is an opt-out, and so is whatever cannot be read."""
    assert bool(opt_out_of({"do_not_call": value}, "do_not_call")) is opted_out


def test_nothing_else_is_an_opt_out() -> None:
    """Another field, an absent one, or no field at all says nothing."""
    assert opt_out_of({"dnc": True}, "do_not_call") == ""
    assert opt_out_of({}, "do_not_call") == ""
    assert opt_out_of({"": True}, "") == ""


@given(value=st.recursive(st.none() | st.booleans() | st.text() | st.floats(), st.lists))
def test_no_value_breaks_the_reading(value: object) -> None:
    """Whatever a model collected, the answer is a reason that is safe to show, or none."""
    reason = opt_out_of({"x": value}, "x")

    assert reason == "" or reason.isprintable()


def test_an_opt_out_is_kept_before_the_call_closes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a call is told to be done, the person is on the list, for the sandbox only."""
    known = _List()
    kept_when_done: list[int] = []
    _collect(monkeypatch, "yes")

    def follow(_at_s: float, stamped: Stamped) -> None:
        if isinstance(stamped.event, CallChanged) and stamped.event.new == "done":
            kept_when_done.append(len(known.kept))

    evidence, _ = _run(tmp_path, monkeypatch, known, answered=True, follow=follow)

    assert evidence.totals == {"done": 3}
    assert kept_when_done == [1, 2, 3]
    assert {each.scope for each in known.kept.values()} == {SANDBOX}


def test_whoever_opted_out_is_not_dialed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A voicemail would be dialed again, but not when the person said no."""
    known = _List()
    _collect(monkeypatch, value=True)
    monkeypatch.setattr(
        "callagent_cli.worker.steps.follow.result_of",
        lambda _facts: Result.VOICEMAIL,
    )

    evidence, _ = _run(tmp_path, monkeypatch, known, answered=True)

    assert evidence.totals == {"done": 3}
    assert len(evidence.placed) == 3


def test_whoever_is_suppressed_before_a_run_reaches_them_is_not_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person on the list after the import is cancelled with the reason, and never rings."""
    known = _List()
    number = "+12015550101"
    known.add([Suppression(number=number, reason="asked", added_utc_s=0.0)])

    evidence, changes = _run(tmp_path, monkeypatch, known, answered=True)

    assert evidence.totals == {"done": 2, "cancelled": 1}
    assert number not in {call.number for call in evidence.placed}
    assert [change.reason for change in changes if change.new == "cancelled"] == ["asked"]


def test_whoever_is_suppressed_between_two_dials_is_not_dialed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list is asked at the moment of each dial, not once."""
    known = _List()

    def follow(_at_s: float, stamped: Stamped) -> None:
        event = stamped.event
        if isinstance(event, CallChanged) and event.new == "scheduled":
            known.add(
                Suppression(number=f"+12015550{number}", reason="asked", added_utc_s=0.0)
                for number in ("100", "101", "102")
            )

    evidence, _ = _run(tmp_path, monkeypatch, known, answered=False, follow=follow)

    assert evidence.totals == {"cancelled": 3}
    assert len(evidence.placed) == 1


def test_an_unreadable_list_stops_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When it cannot be known who must not be called, nobody is."""
    known = _List()
    known.broken = True

    with pytest.raises(StoreError, match="cannot be read"):
        _run(tmp_path, monkeypatch, known, answered=True)
