"""Notices a run that stands still although it may dial: a hang that no breaker sees."""

from collections.abc import Callable
from typing import Any, Final

from callagent_cli.events import (
    AttemptFinished,
    BreakerChanged,
    CallChanged,
    Event,
    GateClosed,
    HealthChecked,
    RunDraining,
    RunEnded,
    RunPaused,
    RunResumed,
    RunStarted,
    RunWaiting,
    StepFinished,
)

STALL_S: Final = 300.0
"""Dialing is allowed and nothing has moved for this long: a person should look."""

_NEVER: Final = float("inf")
_OF_THE_RUN: Final = (RunStarted, RunPaused, RunResumed, RunDraining, RunEnded)
_MOVES: Final = frozenset({"done", "failed", "review", "cancelled", "scheduled", "reconciling"})


class Stall:
    """Folds events into the time at which a run would have stood still for too long.

    A pause, a drain, a calling window, a wait that a service asked for, and a service in
    `required` that is down are reasons to stand still and never a stall. While the run waits with
    idle lanes, any breaker that is not closed is such a reason.
    """

    def __init__(self, required: frozenset[str]) -> None:
        self._required = required
        self._running = False
        self._paused = False
        self._waiting = False
        self._unwell: set[str] = set()
        self._excused_s = 0.0
        self.moved_s = 0.0
        self.told = False
        self._looks: dict[type[Event], Callable[[float, Any], bool]] = {
            AttemptFinished: self._attempt,
            HealthChecked: self._service,
            BreakerChanged: self._service,
            CallChanged: self._call,
            StepFinished: self._step,
            GateClosed: self._gate,
            RunWaiting: self._wait,
            **dict.fromkeys(_OF_THE_RUN, self._run),
        }

    @property
    def hears(self) -> frozenset[type[Event]]:
        """The events that say whether the run moves."""
        return frozenset(self._looks)

    @property
    def due_s(self) -> float:
        """The monotonic time at which this is a stall; infinity while it cannot become one."""
        if self.told or not self._running or self._paused:
            return _NEVER
        if self._unwell if self._waiting else self._unwell & self._required:
            return _NEVER
        return max(self.moved_s, self._excused_s) + STALL_S

    def observe(self, now_s: float, event: Event) -> bool:
        """Take in one event; return whether it shows that things move, or need not move."""
        look = self._looks.get(type(event))
        return look is not None and look(now_s, event)

    def _attempt(self, now_s: float, event: AttemptFinished) -> bool:
        self._service(now_s, event)
        return event.outcome == "ok" and self._moved(now_s)

    def _service(
        self, now_s: float, event: AttemptFinished | HealthChecked | BreakerChanged
    ) -> bool:
        if event.breaker_state != "closed":
            self._unwell.add(event.service)
        elif event.service in self._unwell:
            self._unwell.discard(event.service)
            self.moved_s = now_s
        return False

    def _call(self, now_s: float, event: CallChanged) -> bool:
        self._waiting = self._waiting and event.new != "active"
        return event.new in _MOVES and self._moved(now_s)

    def _step(self, now_s: float, _event: StepFinished) -> bool:
        return self._moved(now_s)

    def _gate(self, now_s: float, event: GateClosed) -> bool:
        self._excused_s = max(self._excused_s, now_s + (event.delay_s or 0.0))
        return False

    def _wait(self, now_s: float, event: RunWaiting) -> bool:
        self._waiting = True
        self._excused_s = max(self._excused_s, now_s + (event.due_in_s or 0.0))
        return False

    def _run(self, now_s: float, event: Event) -> bool:
        if isinstance(event, RunStarted):
            self._running = True
        elif isinstance(event, RunPaused | RunResumed):
            self._paused = isinstance(event, RunPaused)
        else:
            self._running = False
        return self._moved(now_s)

    def _moved(self, now_s: float) -> bool:
        self.moved_s = now_s
        return True
