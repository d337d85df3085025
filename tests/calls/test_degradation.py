"""What follows when a step cannot be done, written out: each step with each problem."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callagent_cli.calls.degradation import OUTBOX_RETRY_S, Degradation, Move, Problem, decide
from callagent_cli.calls.model import Step
from callagent_cli.errors import CircuitOpen, Deferred, ServiceError
from callagent_cli.resilience.outcome import Outcome

TABLE: Final = """
                 look_up  compose  dial       follow  record
unavailable      go_on    fail     fail       again   again
timeout          go_on    fail     fail       again   again
not_sent         go_on    fail     fail       again   again
throttled        go_on    fail     fail       again   again
busy_here        go_on    fail     fail       again   again
unknown          go_on    fail     reconcile  again   again
rejected         go_on    fail     fail       review  go_on
misconfigured    go_on    waits    waits      waits   waits
unauthorized     go_on    waits    waits      waits   waits
quota            go_on    waits    waits      waits   waits
cancelled        go_on    fail     fail       again   again
local_rejection  go_on    fail     fail       again   again
ok               go_on    fail     fail       again   again
open             go_on    waits    waits      waits   waits
half_open        go_on    waits    waits      waits   waits
isolated         go_on    waits    waits      waits   waits
deferred         go_on    later    later      later   later
"""
"""`waits` parks for the service, `later` for a time, `again` for a minute with all attempts."""

FULL: Final[dict[str, Degradation]] = {
    "go_on": Degradation(move=Move.GO_ON, reason="why"),
    "fail": Degradation(move=Move.FAIL, reason="why"),
    "reconcile": Degradation(move=Move.RECONCILE, reason="why"),
    "review": Degradation(move=Move.REVIEW, reason="why"),
    "waits": Degradation(move=Move.PARK, reason="why", waits_for="crm"),
    "later": Degradation(move=Move.PARK, reason="why", delay_s=7.0),
    "again": Degradation(move=Move.PARK, reason="why", delay_s=OUTBOX_RETRY_S, fresh=True),
}
_HEAD, *_ROWS = [line.split() for line in TABLE.strip().splitlines()]
CELLS: Final = [
    (row[0], Step(step), word) for row in _ROWS for step, word in zip(_HEAD, row[1:], strict=True)
]


def _problem(name: str) -> Problem:
    if name == "deferred":
        return Deferred("crm", delay_s=7.0, reason="throttled")
    if name in {"open", "half_open", "isolated"}:
        return CircuitOpen("crm", state=name, retry_after_s=9.0, since_s=1.0, reason="down")
    return ServiceError("why", outcome=Outcome(name))


PROBLEMS: Final = {name: _problem(name) for name, _, _ in CELLS}
STATES: Final = ("open", "half_open", "isolated")
ISOLATING: Final = {"misconfigured", "unauthorized", "quota"}


def test_the_table_has_every_step_and_every_problem() -> None:
    """No outcome is forgotten when one is added."""
    problems = {*map(str, Outcome), "open", "half_open", "isolated", "deferred"}

    assert {name for name, _, _ in CELLS} == problems
    assert len(CELLS) == len(problems) * len(Step)


@pytest.mark.parametrize("fail_fast", [False, True])
@pytest.mark.parametrize(("name", "step", "word"), CELLS)
def test_each_cell_of_the_table(name: str, step: Step, word: str, *, fail_fast: bool) -> None:
    """All of the decision; failing fast changes the dial at an open breaker, and nothing else."""
    problem = _problem(name)
    fails_fast = fail_fast and step is Step.DIAL and name == "open"
    expected = FULL["fail" if fails_fast else word]
    decision = decide(step, "crm", problem, fail_fast=fail_fast)

    assert decision.reason == problem.message
    assert (decision.move, decision.waits_for, decision.delay_s, decision.fresh) == (
        expected.move,
        expected.waits_for,
        expected.delay_s,
        expected.fresh,
    )


@given(
    step=st.sampled_from([Step.FOLLOW, Step.RECORD]),
    name=st.sampled_from(sorted({name for name, _, _ in CELLS})),
    fail_fast=st.booleans(),
)
def test_a_call_whose_phone_has_rung_never_fails_and_never_reconciles(
    step: Step, name: str, *, fail_fast: bool
) -> None:
    """Its conversation took place: what is left waits, is skipped, or comes before a person."""
    decision = decide(step, "crm", _problem(name), fail_fast=fail_fast)

    assert decision.move in {Move.PARK, Move.GO_ON, Move.REVIEW}


@given(
    step=st.sampled_from(Step),
    name=st.sampled_from(sorted({name for name, _, _ in CELLS})),
    delay_s=st.floats(0, 1e6),
    fail_fast=st.booleans(),
)
def test_a_parked_call_knows_what_it_waits_for(
    step: Step, name: str, delay_s: float, *, fail_fast: bool
) -> None:
    """Either a service or a time, never both and never neither; no other move has any."""
    problem = (
        Deferred("crm", delay_s=delay_s, reason="gate") if name == "deferred" else _problem(name)
    )
    decision = decide(step, "crm", problem, fail_fast=fail_fast)
    ways = (decision.waits_for != "") + (decision.delay_s is not None)

    assert ways == (1 if decision.move is Move.PARK else 0)
    assert not decision.fresh or decision.delay_s == OUTBOX_RETRY_S


def _as_worded(step: Step, problem: str, *, fail_fast: bool) -> Move:
    """Return the move as DESIGN.md words it."""
    fails = fail_fast and step is Step.DIAL and problem == "open"
    move = Move.PARK
    if step is Step.LOOK_UP:
        move = Move.GO_ON
    elif problem in {*STATES, *ISOLATING, "deferred"}:
        move = Move.FAIL if fails else Move.PARK
    elif step is Step.DIAL and problem == "unknown":
        move = Move.RECONCILE
    elif step in {Step.COMPOSE, Step.DIAL}:
        move = Move.FAIL
    elif problem == "rejected":
        move = Move.REVIEW if step is Step.FOLLOW else Move.GO_ON
    return move


@pytest.mark.parametrize("fail_fast", [False, True])
@pytest.mark.parametrize("problem", sorted(PROBLEMS))
@pytest.mark.parametrize("step", Step)
def test_every_step_with_every_problem(step: Step, problem: str, *, fail_fast: bool) -> None:
    """Told once more as the rules are worded, and not as a table."""
    decision = decide(step, "service", PROBLEMS[problem], fail_fast=fail_fast)

    assert decision.move is _as_worded(step, problem, fail_fast=fail_fast)
    assert decision.reason == PROBLEMS[problem].message


@pytest.mark.parametrize("step", [Step.COMPOSE, Step.DIAL, Step.FOLLOW, Step.RECORD])
@pytest.mark.parametrize("problem", [*STATES, *sorted(ISOLATING)])
def test_what_a_breaker_refuses_waits_for_the_service(step: Step, problem: str) -> None:
    """It goes on when the service is back, and not by the clock."""
    decision = decide(step, "llm", PROBLEMS[problem], fail_fast=False)

    assert (decision.waits_for, decision.delay_s, decision.fresh) == ("llm", None, False)


@pytest.mark.parametrize("step", [Step.COMPOSE, Step.DIAL, Step.FOLLOW, Step.RECORD])
def test_what_does_not_fit_the_deadline_waits_as_long_as_it_must(step: Step) -> None:
    """The ladder goes on where it stood."""
    decision = decide(step, "elevenlabs", PROBLEMS["deferred"], fail_fast=False)

    assert (decision.waits_for, decision.delay_s, decision.fresh) == ("", 7.0, False)


@pytest.mark.parametrize("step", [Step.FOLLOW, Step.RECORD])
@pytest.mark.parametrize("problem", ["unavailable", "timeout", "not_sent"])
def test_a_placed_call_begins_its_ladder_anew(step: Step, problem: str) -> None:
    """Used-up retries park the step for a minute; it has all its attempts again."""
    decision = decide(step, "crm", PROBLEMS[problem], fail_fast=False)

    assert (decision.move, decision.delay_s, decision.fresh) == (Move.PARK, OUTBOX_RETRY_S, True)
