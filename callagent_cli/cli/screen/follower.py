"""Follows a run for the screen, and in plain lines once the screen is gone."""

from typing import Protocol

import msgspec

from callagent_cli.events import CallChanged, Stamped
from callagent_cli.monitor.state import ViewState
from callagent_cli.store.port import Store


class Lines(Protocol):
    """Prints the run in lines."""

    def __call__(self, stamped: Stamped) -> None:
        """Print an event."""

    def alert(self, line: str) -> None:
        """Print an alert's line."""


class ScreenFollower:
    """Folds a run's events for the screen; without the screen it prints plain lines instead.

    With `numbers` the screen shows whole phone numbers; the events have masked ones.
    """

    def __init__(self, state: ViewState, plain: Lines, numbers: Store | None = None) -> None:
        self.state = state
        self.on_screen = False
        self._plain = plain
        self._numbers = numbers

    def __call__(self, stamped: Stamped) -> None:
        """Take one event."""
        self.state.fold(self._with_number(stamped))
        if not self.on_screen:
            self._plain(stamped)

    def alert(self, line: str) -> None:
        """Print an alert's line when the screen does not show it."""
        if not self.on_screen:
            self._plain.alert(line)

    def _with_number(self, stamped: Stamped) -> Stamped:
        event = stamped.event
        if self._numbers is None or not isinstance(event, CallChanged) or not event.number:
            return stamped
        call = self._numbers.call(event.call)
        if call is None:
            return stamped
        return stamped._replace(event=msgspec.structs.replace(event, number=call.contact.number))
