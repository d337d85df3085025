"""The worker's own calendar: it cannot be set back under a due time."""

from typing import Final

from callagent_cli.calls.model import CallState
from callagent_cli.clock import Clock
from callagent_cli.store.port import Store

STEP_MIN_S: Final = 2.0
"""What a calendar drifts between two looks is less than this."""

_WAITING: Final = frozenset({CallState.PARKED, CallState.RECONCILING, CallState.SCHEDULED})


class Calendar:
    """Goes on evenly until it is told to follow the true one, and then takes the due times along.

    A retry due in five seconds must not be due in an hour and five seconds because the clock was
    corrected. One set forward, as after a night's sleep of the machine, makes calls due at once,
    which is harmless: windows and proofs are checked before each dial. `clock` is the true clock
    with this calendar in place of its own.
    """

    def __init__(self, clock: Clock) -> None:
        self._true = clock
        self._offset_s = clock.utc() - clock.monotonic()
        self.clock = Clock(clock.monotonic, self._utc, clock.random)

    def follow(self, store: Store, campaign: str) -> bool:
        """Look at the true calendar; due times move back with it. Return whether it was set."""
        offset_s = self._true.utc() - self._true.monotonic()
        step_s = offset_s - self._offset_s
        self._offset_s = offset_s
        if step_s >= -STEP_MIN_S:
            return step_s >= STEP_MIN_S
        for call in store.calls(campaign, _WAITING):
            if call.due_utc_s is not None:
                store.save_call(call.evolve(due_utc_s=call.due_utc_s + step_s))
        return True

    def _utc(self) -> float:
        return self._true.monotonic() + self._offset_s
