"""A lane: works one call from step to step until it ends, waits, or needs a person."""

from collections.abc import Awaitable, Callable
from typing import Final

from callagent_cli.calls.degradation import Degradation, Move, decide
from callagent_cli.calls.model import BEFORE_DIAL, Call, CallState, Step
from callagent_cli.errors import CircuitOpen, Deferred, ServiceError
from callagent_cli.events import StepStarted
from callagent_cli.resilience.outcome import Outcome
from callagent_cli.worker.dial.permission import NeverDial, NotNow, Permission
from callagent_cli.worker.dial.step import DialStep
from callagent_cli.worker.journey import Journey
from callagent_cli.worker.operations import Operations
from callagent_cli.worker.resources import Resources
from callagent_cli.worker.steps.compose import ComposeStep
from callagent_cli.worker.steps.crm import LookUpStep, RecordStep
from callagent_cli.worker.steps.degraded import Degraded
from callagent_cli.worker.steps.follow import FollowStep

FIRST_LOOK_UP_S: Final = 5.0
"""How soon after a lost answer the provider is asked for the first time."""

_SERVICES: Final = {
    Step.LOOK_UP: "crm",
    Step.COMPOSE: "llm",
    Step.DIAL: "elevenlabs",
    Step.FOLLOW: "elevenlabs",
    Step.RECORD: "crm",
}

Problem = ServiceError | CircuitOpen | Deferred


class Lane:
    """Runs calls one after the other; everything it knows of a call is in its `Journey`."""

    def __init__(
        self,
        resources: Resources,
        operations: Operations,
        degraded: Degraded,
        *,
        dial: DialStep,
        permission: Permission,
    ) -> None:
        self._resources = resources
        self._degraded = degraded
        self._permission = permission
        self._steps: dict[Step, Callable[[Journey], Awaitable[None]]] = {
            Step.LOOK_UP: LookUpStep(resources, operations, degraded),
            Step.COMPOSE: ComposeStep(resources, operations, degraded),
            Step.DIAL: dial,
            Step.FOLLOW: FollowStep(resources, operations),
            Step.RECORD: RecordStep(resources, operations),
        }

    async def work(self, call: Call) -> None:
        """Work on an active call until it leaves the lane."""
        resources = self._resources
        journey = Journey(call, resources.store, resources.bus, resources.clock)
        while journey.call.state is CallState.ACTIVE:
            step = needs = journey.call.step
            try:
                if step in BEFORE_DIAL:
                    needs = Step.DIAL
                    self._refuse_in_vain(journey.call)
                    needs = step
                resources.bus.emit(StepStarted(call=call.id, step=step.value))
                await self._steps[step](journey)
            except NeverDial as never:
                journey.move(CallState.CANCELLED, never.reason, attempts=0, due_utc_s=None)
            except NotNow as not_now:
                self._put_off(journey, not_now)
            except (ServiceError, CircuitOpen, Deferred) as problem:
                self._degrade(journey, needs, problem)

    def _refuse_in_vain(self, call: Call) -> None:
        """Raise when nobody can be dialed: no script is written that nobody can speak."""
        self._permission.check(call)
        breaker = self._resources.services.voice.breaker
        if breaker.state in {"open", "isolated"} and not breaker.poll():
            raise breaker.rejection(self._resources.clock.monotonic())

    def _put_off(self, journey: Journey, not_now: NotNow) -> None:
        attempts = journey.work.attempts_used
        if not_now.delay_s > 0:
            journey.schedule(not_now.reason, delay_s=not_now.delay_s, attempts=attempts)
        else:
            journey.park(not_now.reason, delay_s=0, attempts=attempts)

    def _degrade(self, journey: Journey, step: Step, problem: Problem) -> None:
        """Do what the rules of `calls.degradation` decide for the step that met the problem."""
        service = _SERVICES[step]
        fail_fast = self._resources.settings.services.elevenlabs.when_down == "fail"
        decision = decide(step, service, problem, fail_fast=fail_fast)
        used = 0 if decision.fresh else journey.work.attempts_used
        if decision.move is Move.GO_ON:
            self._go_on(journey, problem)
        elif decision.move is Move.PARK:
            journey.park(
                decision.reason,
                waits_for=decision.waits_for,
                delay_s=decision.delay_s,
                attempts=used,
            )
        elif decision.move is Move.RECONCILE:
            self._reconcile(journey, decision)
        else:
            self._end(journey, decision, service=service, problem=problem)

    def _end(
        self, journey: Journey, decision: Degradation, *, service: str, problem: Problem
    ) -> None:
        """Fail the call, or put it before a person; why it failed decides who takes it back."""
        outcome = problem.outcome if isinstance(problem, ServiceError) else Outcome.LOCAL_REJECTION
        journey.move(
            CallState.FAILED if decision.move is Move.FAIL else CallState.REVIEW,
            decision.reason,
            attempts=journey.work.attempts_used,
            failed_by=service,
            due_utc_s=None,
            results={**journey.call.results, "failure": {"outcome": outcome.value}},
        )

    def _reconcile(self, journey: Journey, decision: Degradation) -> None:
        now_utc_s = self._resources.clock.utc()
        journey.move(
            CallState.RECONCILING,
            decision.reason,
            attempts=journey.work.attempts_used,
            due_utc_s=now_utc_s + FIRST_LOOK_UP_S,
            reconciling_since_utc_s=now_utc_s,
            reconciling_closed_s=0.0,
            look_ups=0,
        )

    def _go_on(self, journey: Journey, problem: Problem) -> None:
        """Skip the step, and say once that it is skipped because its service is down."""
        step = journey.call.step
        refused = isinstance(problem, ServiceError) and problem.outcome is Outcome.REJECTED
        if not refused:
            self._degraded.begin(
                step.value, _SERVICES[step], instead="nothing", reason=problem.message
            )
        # An attempt that failed here may have left the call in backoff.
        if journey.call.state is not CallState.ACTIVE:
            journey.move(CallState.ACTIVE, "", due_utc_s=None)
        journey.finish_step(f"without {_SERVICES[step]}: {problem.message}")
