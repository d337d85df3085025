"""One call on its way: its legal moves, each saved and told in the same turn of the loop."""

from typing import Any, Final

from callagent_cli.calls.model import LEGAL_MOVES, NEXT_STEP, RUNG, Call, CallState, Step
from callagent_cli.clock import Clock
from callagent_cli.events import Bus, CallChanged, StepFinished
from callagent_cli.masking import mask
from callagent_cli.resilience.work import Work
from callagent_cli.store.port import Store

_PROGRESS: Final = {"step", "attempts", "dials", "conversation", "results"}
"""What most changes that are no move consist of; the store writes them more cheaply."""


class IllegalMove(RuntimeError):
    """A programmer's error: the call's diagram has no such arrow."""


class Journey:
    """Holds the newest value of one call; nobody else changes it meanwhile."""

    def __init__(self, call: Call, store: Store, bus: Bus, clock: Clock) -> None:
        self.call = call
        self.work = CallWork(self)
        self._store = store
        self._bus = bus
        self._clock = clock

    def move(self, new: CallState, reason: str, **changes: Any) -> None:  # noqa: ANN401
        """Take the call to another state; raises `IllegalMove` if the diagram has no such arrow."""
        old = self.call.state
        if new is not old and new not in LEGAL_MOVES[old]:
            raise IllegalMove(f"{self.call.id}: {old} → {new}")
        self.note(state=new, reason=reason, **changes)
        call = self.call
        due_in_s = None if call.due_utc_s is None else call.due_utc_s - self._clock.utc()
        self._bus.emit(
            CallChanged(
                call=call.id,
                old=old.value,
                new=new.value,
                step=call.step.value,
                reason=reason,
                name=call.contact.name,
                number=mask(call.contact.number),
                due_in_s=due_in_s,
                waits_for=call.waits_for,
                dials=call.dials,
                result=call.result,
            )
        )

    def note(self, **changes: Any) -> None:  # noqa: ANN401 — the fields of Call.
        """Save changes that are no move."""
        self.call = self.call.evolve(updated_utc_s=self._clock.utc(), **changes)
        if changes.keys() <= _PROGRESS:
            self._store.save_progress(self.call)
        else:
            self._store.save_call(self.call)

    def activate(self) -> None:
        """Begin or go on working on the call."""
        self.work = CallWork(self)
        self.move(CallState.ACTIVE, "", due_utc_s=None, waits_for="", parked_utc_s=None)

    def park(
        self, reason: str, *, waits_for: str = "", delay_s: float | None = None, attempts: int
    ) -> None:
        """Free the lane until a service is back, or until `delay_s` has passed."""
        now_utc_s = self._clock.utc()
        self.move(
            CallState.PARKED,
            reason,
            waits_for=waits_for,
            attempts=attempts,
            parked_utc_s=now_utc_s,
            due_utc_s=None if delay_s is None else now_utc_s + delay_s,
        )

    def schedule(self, reason: str, *, delay_s: float, attempts: int = 0) -> None:
        """Free the lane until a set time: a calling window, or a redial."""
        due_utc_s = self._clock.utc() + delay_s
        self.move(CallState.SCHEDULED, reason, attempts=attempts, due_utc_s=due_utc_s)

    def finish_step(self, detail: str, *, to: Step | None = None, **changes: Any) -> None:  # noqa: ANN401
        """Go to the next step, or `to` another one; what the step found is among `changes`."""
        step = self.call.step
        self._bus.emit(StepFinished(call=self.call.id, step=step.value, detail=detail))
        following = to or NEXT_STEP[step]
        if following is None:
            self.move(CallState.DONE, detail, attempts=0, **changes)
            return
        self.note(step=following, attempts=0, **changes)
        self.work = CallWork(self)

    def succeeded(self) -> None:
        """Begin to count the attempts anew: a step of many requests had one that succeeded."""
        if self.work.attempts_used:
            self.work.attempts_used = 0
            self.note(attempts=0)

    def results_with(self, **found: Any) -> dict[str, Any]:  # noqa: ANN401 — any JSON value.
        """Return the call's results with what the current step found."""
        step = self.call.step.value
        return {**self.call.results, step: {**self.call.results.get(step, {}), **found}}


class CallWork(Work):
    """Keeps the Guard's waits in the call's own state, so that a restart finds them."""

    __slots__ = ("_journey",)

    def __init__(self, journey: Journey) -> None:
        call = journey.call
        super().__init__(call.id, attempts_used=call.attempts, begun=call.step in RUNG)
        self._journey = journey

    def on_wait(self, delay_s: float, reason: str) -> None:
        """Save the wait: the call is in backoff and keeps its lane."""
        journey = self._journey
        journey.move(
            CallState.BACKOFF,
            reason,
            attempts=self.attempts_used,
            due_utc_s=journey._clock.utc() + delay_s,  # noqa: SLF001 — two halves of one thing.
        )

    def on_attempt(self) -> None:
        """Save that the wait is over."""
        self._journey.move(CallState.ACTIVE, "", due_utc_s=None)
