"""What follows when a step cannot be done: every step with every problem."""

import pytest

from callagent_cli.calls.degradation import OUTBOX_RETRY_S, Move, Problem, decide
from callagent_cli.calls.model import Step
from callagent_cli.errors import CircuitOpen, Deferred, ServiceError
from callagent_cli.resilience.outcome import Outcome

ERRORS = {outcome.value: ServiceError("an error", outcome=outcome) for outcome in Outcome}
STATES = ("open", "half_open", "isolated")


def rejection(state: str) -> CircuitOpen:
    """Return what a breaker raises."""
    return CircuitOpen("elevenlabs", state=state, retry_after_s=9.0, since_s=1.0, reason="down")


PROBLEMS: dict[str, Problem] = {
    **ERRORS,
    **{state: rejection(state) for state in STATES},
    "deferred": Deferred("elevenlabs", delay_s=7.0, reason="throttled"),
}
ISOLATING = {"misconfigured", "unauthorized", "quota"}


def expected(step: Step, problem: str, *, fail_fast: bool) -> Move:
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
    """The whole table."""
    decision = decide(step, "service", PROBLEMS[problem], fail_fast=fail_fast)

    assert decision.move is expected(step, problem, fail_fast=fail_fast)
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
