"""Notices a run that stands still although it may dial: a hang that no breaker sees."""

from typing import Final

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
        if isinstance(event, AttemptFinished | HealthChecked | BreakerChanged):
            return self._service_event(now_s, event)
        if isinstance(event, CallChanged):
            self._waiting = self._waiting and event.new != "active"
            return self._moved(now_s) if event.new in _MOVES else False
        if isinstance(event, StepFinished):
            return self._moved(now_s)
        if isinstance(event, GateClosed):
            self._excused_s = max(self._excused_s, now_s + (event.delay_s or 0.0))
        elif isinstance(event, RunWaiting):
            self._waiting = True
            self._excused_s = max(self._excused_s, now_s + (event.due_in_s or 0.0))
        else:
            return self._run_event(now_s, event)
        return False

    def _service_event(
        self, now_s: float, event: AttemptFinished | HealthChecked | BreakerChanged
    ) -> bool:
        if event.breaker_state != "closed":
            self._unwell.add(event.service)
        elif event.service in self._unwell:
            self._unwell.discard(event.service)
            self.moved_s = now_s
        return isinstance(event, AttemptFinished) and event.outcome == "ok" and self._moved(now_s)

    def _run_event(self, now_s: float, event: Event) -> bool:
        if isinstance(event, RunStarted):
            self._running = True
        elif isinstance(event, RunPaused):
            self._paused = True
        elif isinstance(event, RunResumed):
            self._paused = False
        elif isinstance(event, RunDraining | RunEnded):
            self._running = False
        else:
            return False
        return self._moved(now_s)

    def _moved(self, now_s: float) -> bool:
        self.moved_s = now_s
        return True
