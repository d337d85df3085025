"""What the keys of the screen ask of a worker in another process: commands left in the store."""

import time
from collections.abc import Callable

from callagent_cli.cli.place.workplace import Workplace
from callagent_cli.cli.screen.attach import StoreFeed
from callagent_cli.monitor.folds import MUTE_S
from callagent_cli.monitor.ports import CommandName
from callagent_cli.monitor.state import ViewState
from callagent_cli.reporting.incidents.mutes import mute_argument

NO_WORKER = "no worker runs"

PATIENCE_S = 0.25
"""How long a key may hold up the screen; a transaction of the worker lasts milliseconds."""


class StoreCommands:
    """Implements the screen's `Commands` through the store; the worker looks every 250 ms.

    What became of a command comes back as an event. `by` is who presses the keys.
    """

    def __init__(
        self,
        place: Workplace,
        feed: StoreFeed,
        state: ViewState,
        *,
        by: str,
        clock_utc: Callable[[], float] = time.time,
    ) -> None:
        self._place, self._feed, self._state = place, feed, state
        self._by, self._clock_utc = by, clock_utc

    def refusal(self, command: CommandName) -> str:
        """Return why a command is not possible; empty when it is."""
        worker = self._feed.worker
        if command == "detach":
            return ""
        if worker is None:
            return NO_WORKER
        if command == "drain" and self._state.draining is not None:
            return "it drains already"
        return ""

    def pause(self) -> str:
        """Ask it to stop new dials."""
        return self._ask("pause")

    def resume(self) -> str:
        """Ask it to dial again."""
        return self._ask("resume")

    def drain(self) -> str:
        """Ask it to let what is in flight finish, and to end."""
        return self._ask("drain")

    def stop(self) -> str:
        """Ask it to end now, as a second signal does."""
        return self._ask("stop")

    def trip(self, service: str) -> str:
        """Ask it to isolate a service."""
        return self._ask("trip", service)

    def reset(self, service: str) -> str:
        """Ask it to close a service's breaker."""
        return self._ask("reset", service)

    def check(self, service: str) -> str:
        """Ask it to check a service's health."""
        return self._ask("check", service)

    def acknowledge(self, alert: str) -> str:
        """Ask it to note that somebody has seen an alert, or all."""
        return self._ask("ack", alert)

    def mute(self, service: str) -> str:
        """Ask it to silence a service's alerts for ten minutes."""
        self._ask("mute", mute_argument(service, self._clock_utc() + MUTE_S))
        return f"asked the worker to mute {service} for {MUTE_S / 60:.0f} minutes"

    def lanes(self, change: int) -> str:
        """Ask it to work more or fewer calls at the same time, one at least."""
        return self._ask("lanes", str(max(1, (self._state.lanes or 1) + change)))

    def requeue(self, service: str) -> str:
        """Ask it to take back the calls that a service made fail."""
        return self._ask("requeue", service)

    def _ask(self, name: str, argument: str = "") -> str:
        store = self._place.write_store(patience_s=PATIENCE_S)
        try:
            store.add_command(name, argument, self._by, self._clock_utc())
            store.flush()
        finally:
            store.close()
        return f"asked the worker: {name} {argument}".rstrip()
