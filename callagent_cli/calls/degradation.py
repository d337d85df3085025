"""What happens to a call when a step cannot be done: decided here, done by the worker."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from callagent_cli.calls.model import BEFORE_DIAL, Step
from callagent_cli.errors import CircuitOpen, Deferred, ServiceError
from callagent_cli.resilience.outcome import RULES, Evidence, Outcome

OUTBOX_RETRY_S: Final = 60.0
"""How long a step of a placed call rests when its retries are used up and its breaker is closed."""

Problem = ServiceError | CircuitOpen | Deferred


class Move(Enum):
    """What the worker does with the call."""

    GO_ON = "go_on"
    PARK = "park"
    RECONCILE = "reconcile"
    FAIL = "fail"
    REVIEW = "review"


@dataclass(frozen=True, slots=True, kw_only=True)
class Degradation:
    """The decision: `waits_for` names the service a parked call waits for, `delay_s` a due time.

    `fresh` says that the step starts over with all its attempts.
    """

    move: Move
    reason: str
    waits_for: str = ""
    delay_s: float | None = None
    fresh: bool = False


def decide(step: Step, service: str, problem: Problem, *, fail_fast: bool) -> Degradation:
    """Return what follows when `step` could not be done because of `problem`.

    `service` is the one that the step needs. `fail_fast` is the operator's choice that calls fail
    while the voice platform is down; one that is isolated needs a person, and its calls park.
    """
    reason = problem.message
    if step is Step.LOOK_UP:
        return Degradation(move=Move.GO_ON, reason=reason)
    if isinstance(problem, CircuitOpen):
        if fail_fast and step is Step.DIAL and problem.state == "open":
            return Degradation(move=Move.FAIL, reason=reason)
        return Degradation(move=Move.PARK, reason=reason, waits_for=service)
    if isinstance(problem, Deferred):
        return Degradation(move=Move.PARK, reason=reason, delay_s=problem.delay_s)
    return _after_failure(step, service, problem)


def _after_failure(step: Step, service: str, error: ServiceError) -> Degradation:
    reason = error.message
    if error.outcome is Outcome.UNKNOWN and step is Step.DIAL:
        return Degradation(move=Move.RECONCILE, reason=reason)
    if RULES[error.outcome].evidence is Evidence.ISOLATES:
        return Degradation(move=Move.PARK, reason=reason, waits_for=service)
    if step in BEFORE_DIAL or step is Step.DIAL:
        return Degradation(move=Move.FAIL, reason=reason)
    if error.outcome is Outcome.REJECTED:
        refused = Move.REVIEW if step is Step.FOLLOW else Move.GO_ON
        return Degradation(move=refused, reason=reason)
    return Degradation(move=Move.PARK, reason=reason, delay_s=OUTBOX_RETRY_S, fresh=True)
