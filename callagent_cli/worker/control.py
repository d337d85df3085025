"""What people ask of a running worker: pause, drain, stop, lanes; and who waits to hear of it."""

import asyncio
from typing import Final

from callagent_cli.errors import ExitCode
from callagent_cli.events import Bus, LanesChanged, RunDraining, RunPaused, RunResumed

LANES_MAX: Final = 1000


class Control:
    """The worker's will. `wake` is set whenever something may be possible that was not before."""

    def __init__(self, bus: Bus, lanes: int) -> None:
        self._bus = bus
        self.lanes = lanes
        self.paused_by = ""
        self.draining = False
        self.exit_code: ExitCode | None = None
        self.wake = asyncio.Event()

    def pause(self, by: str) -> None:
        """Dial nobody new; calls that have rung are followed and recorded."""
        if not self.paused_by:
            self.paused_by = by
            self._bus.emit(RunPaused(by=by))

    def resume(self, by: str) -> None:
        """Dial again."""
        if self.paused_by:
            self.paused_by = ""
            self._bus.emit(RunResumed(by=by))
            self.wake.set()

    def drain(self, reason: str, exit_code: ExitCode) -> None:
        """Claim nothing more, let what has rung finish, and end with `exit_code`."""
        if not self.draining:
            self.draining = True
            self.exit_code = exit_code
            self._bus.emit(RunDraining(reason=reason))
            self.wake.set()

    def set_lanes(self, lanes: int, by: str) -> None:
        """Work on this many calls at a time, 1 to 1000; running ones finish."""
        if lanes != self.lanes and 1 <= lanes <= LANES_MAX:
            self.lanes = lanes
            self._bus.emit(LanesChanged(lanes=lanes, by=by))
            self.wake.set()
