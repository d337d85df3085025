"""Keeps the due times in place when the calendar is set back."""

from typing import Final

from callagent_cli.calls.model import CallState
from callagent_cli.worker.resources import Resources

STEP_MIN_S: Final = 2.0
"""What a calendar drifts between two looks is less than this."""

_WAITING: Final = frozenset({CallState.PARKED, CallState.RECONCILING, CallState.SCHEDULED})


class Calendar:
    """Notices that the calendar was set back, and takes the due times along.

    A retry due in five seconds must not be due in an hour and five seconds because the clock was
    corrected. One set forward, as after a night's sleep of the machine, makes calls due at once,
    which is harmless: windows and proofs are checked before each dial.
    """

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._offset_s = self._offset()

    def follow(self) -> None:
        """Look at the calendar; to be called before due times are compared with it."""
        offset_s = self._offset()
        step_s = offset_s - self._offset_s
        self._offset_s = offset_s
        if step_s < -STEP_MIN_S:
            self._take_along(step_s)

    def _offset(self) -> float:
        clock = self._resources.clock
        return clock.utc() - clock.monotonic()

    def _take_along(self, step_s: float) -> None:
        store = self._resources.store
        for call in store.calls(self._resources.campaign, _WAITING):
            if call.due_utc_s is not None:
                store.save_call(call.evolve(due_utc_s=call.due_utc_s + step_s))
