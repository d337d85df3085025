"""What people ask of a running worker: pause, drain, stop, lanes; and who waits to hear of it."""

import asyncio
from collections.abc import Callable
from typing import Final

from callagent_cli.errors import ExitCode
from callagent_cli.events import Bus, LanesChanged, RunDraining, RunPaused, RunResumed

LANES_MAX: Final = 1000


class Control:
    """The worker's will. `wake` is set whenever something may be possible that was not before.

    `cut` ends the session where it stands; whoever began the session hands it in.
    """

    def __init__(self, bus: Bus, lanes: int) -> None:
        self._bus = bus
        self.lanes = lanes
        self.paused_by = ""
        self.draining = False
        self.exit_code: ExitCode | None = None
        self.wake = asyncio.Event()
        self.cut: Callable[[], object] = _nothing_to_cut

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

    def stop(self) -> None:
        """End where it stands, as a second Ctrl-C does: the next run resumes calls in flight."""
        self.draining = True
        self.exit_code = ExitCode.INTERRUPTED
        self.cut()

    def set_lanes(self, lanes: int, by: str) -> None:
        """Work on this many calls at a time, 1 to 1000; running ones finish."""
        if lanes != self.lanes and 1 <= lanes <= LANES_MAX:
            self.lanes = lanes
            self._bus.emit(LanesChanged(lanes=lanes, by=by))
            self.wake.set()


def _nothing_to_cut() -> None:
    """Leave it at a drain: nobody began a session that could be cut."""
