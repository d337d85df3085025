"""A lane: works one call from step to step until it ends, waits, or needs a person."""

from collections.abc import Awaitable, Callable

from callagent_cli.calls.degradation import Degradation, Move, decide
from callagent_cli.calls.model import RUNG, Call, CallState, Step
from callagent_cli.errors import CircuitOpen, Deferred, ServiceError
from callagent_cli.events import StepStarted
from callagent_cli.resilience.outcome import Outcome
from callagent_cli.worker.control import Control
from callagent_cli.worker.degraded import Degraded
from callagent_cli.worker.dialing import DialStep, NotNow
from callagent_cli.worker.journey import Journey
from callagent_cli.worker.operations import Operations
from callagent_cli.worker.resources import Resources
from callagent_cli.worker.steps import ComposeStep, FollowStep, LookUpStep, RecordStep

FIRST_LOOK_UP_S = 5.0
"""How soon after a lost answer the provider is asked for the first time."""


class Lane:
    """Runs calls one after the other; everything it knows of a call is in its `Journey`."""

    def __init__(
        self, resources: Resources, operations: Operations, control: Control, degraded: Degraded
    ) -> None:
        self._resources = resources
        self._control = control
        self._degraded = degraded
        self._steps: dict[Step, Callable[[Journey], Awaitable[None]]] = {
            Step.LOOK_UP: LookUpStep(resources, operations, degraded),
            Step.COMPOSE: ComposeStep(resources, operations, degraded),
            Step.DIAL: DialStep(resources, operations, control),
            Step.FOLLOW: FollowStep(resources, operations),
            Step.RECORD: RecordStep(resources, operations),
        }

    async def work(self, call: Call) -> None:
        """Work on an active call until it leaves the lane."""
        resources = self._resources
        journey = Journey(call, resources.store, resources.bus, resources.clock)
        while journey.call.state is CallState.ACTIVE:
            step = journey.call.step
            if step not in RUNG and not self._control.may_dial:
                journey.park("paused or draining", delay_s=0, attempts=journey.call.attempts)
                return
            resources.bus.emit(StepStarted(call=call.id, step=step.value))
            try:
                await self._steps[step](journey)
            except NotNow as not_now:
                self._put_off(journey, not_now)
            except (ServiceError, CircuitOpen, Deferred) as problem:
                self._degrade(journey, problem)

    def _put_off(self, journey: Journey, not_now: NotNow) -> None:
        attempts = journey.work.attempts_used
        if not_now.delay_s > 0:
            journey.schedule(not_now.reason, delay_s=not_now.delay_s)
            journey.note(attempts=attempts)
        else:
            journey.park(not_now.reason, delay_s=0, attempts=attempts)

    def _degrade(self, journey: Journey, problem: ServiceError | CircuitOpen | Deferred) -> None:
        """Do what the rules of `calls.degradation` decide."""
        step = journey.call.step
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
            state = CallState.FAILED if decision.move is Move.FAIL else CallState.REVIEW
            journey.move(state, decision.reason, attempts=used, failed_by=service, due_utc_s=None)

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

    def _go_on(self, journey: Journey, problem: ServiceError | CircuitOpen | Deferred) -> None:
        """Skip the step, and say once that it is skipped because its service is down."""
        step = journey.call.step
        refused = isinstance(problem, ServiceError) and problem.outcome is Outcome.REJECTED
        if not refused:
            self._degraded.begin(
                step.value, _SERVICES[step], instead="nothing", reason=problem.message
            )
        # An attempt that failed here may have left the call in backoff.
        if journey.call.state is not CallState.ACTIVE:
            journey.move(CallState.ACTIVE, "")
        journey.finish_step(f"without {_SERVICES[step]}: {problem.message}")


_SERVICES = {
    Step.LOOK_UP: "crm",
    Step.COMPOSE: "llm",
    Step.DIAL: "elevenlabs",
    Step.FOLLOW: "elevenlabs",
    Step.RECORD: "crm",
}
