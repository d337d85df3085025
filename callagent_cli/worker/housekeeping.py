"""The worker's housekeeping: a heartbeat each second, and the commands left in the store."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from callagent_cli.errors import ExitCode, UsageError
from callagent_cli.events import CommandObeyed
from callagent_cli.reporting.incidents.affected import failed_calls
from callagent_cli.reporting.incidents.incident import is_incident
from callagent_cli.store.port import Command, RunRow
from callagent_cli.worker.again.requeue import requeue
from callagent_cli.worker.again.review import review
from callagent_cli.worker.control import Control
from callagent_cli.worker.kept.run import RunNotes
from callagent_cli.worker.resources import Resources

HEARTBEAT_S: Final = 1.0
COMMANDS_S: Final = 0.25


class Housekeeping:
    """Keeps the run's row alive and obeys commands; a command it does not know changes nothing."""

    def __init__(self, resources: Resources, control: Control, row: RunRow) -> None:
        self._resources = resources
        self._control = control
        self.row = row
        RunNotes(resources)
        self._commands: dict[str, Callable[[Command], None]] = {
            "pause": lambda command: control.pause(command.by),
            "resume": lambda command: control.resume(command.by),
            "drain": lambda command: control.drain(f"asked by {command.by}", ExitCode.DONE),
            "stop": lambda _command: control.stop(),
            "lanes": self._lanes,
            "trip": self._trip,
            "reset": self._reset,
            "check": self._check,
            "requeue": self._requeue,
            "review": self._review,
            "ack": _heard,
            "mute": _heard,
            "unmute": _heard,
        }

    async def run(self) -> None:
        """Look for commands and beat until cancelled."""
        beats = round(HEARTBEAT_S / COMMANDS_S)
        while True:
            for _ in range(beats):
                self.obey()
                await asyncio.sleep(COMMANDS_S)
            self.beat()

    def beat(self, **changes: object) -> None:
        """Save the run's row as alive now."""
        now_utc_s = self._resources.clock.utc()
        lanes = self._control.lanes
        self.row = _replace(self.row, heartbeat_utc_s=now_utc_s, lanes=lanes, **changes)
        self._resources.store.save_run(self.row)
        self._resources.beat()

    def obey(self) -> None:
        """Carry out the commands that were left since the last look."""
        for command in self._resources.store.take_commands():
            self.carry_out(command)

    def carry_out(self, command: Command) -> None:
        """Carry out one command and tell it; one that is not known changes nothing."""
        obeyed = self._commands.get(command.name)
        if obeyed is None:
            return
        obeyed(command)
        if command.name != "review":  # A decision tells itself.
            self._resources.bus.emit(
                CommandObeyed(command=command.name, argument=command.argument, by=command.by)
            )
        self._control.wake.set()

    def _lanes(self, command: Command) -> None:
        if command.argument.isdecimal():
            self._control.set_lanes(int(command.argument), command.by)

    def _trip(self, command: Command) -> None:
        guard = self._resources.services.guards.get(command.argument)
        if guard is not None:
            guard.breaker.isolate("operator", f"tripped by {command.by}")

    def _reset(self, command: Command) -> None:
        guard = self._resources.services.guards.get(command.argument)
        if guard is not None:
            guard.breaker.reset(f"reset by {command.by}")

    def _check(self, command: Command) -> None:
        checker = self._resources.services.checkers.get(command.argument)
        if checker is not None:
            checker.check_soon()

    def _requeue(self, command: Command) -> None:
        resources, wanted = self._resources, command.argument
        calls = failed_calls(resources.store, wanted) if is_incident(wanted) else frozenset[str]()
        if is_incident(wanted) and not calls:
            return  # Without ids a requeue would take back everything.
        requeue(
            resources.store,
            resources.bus,
            resources.clock,
            campaign=resources.campaign,
            failed_by="" if calls else wanted,
            calls=calls,
        )

    def _review(self, command: Command) -> None:
        resources = self._resources
        call_id, _, decision = command.argument.partition(" ")
        with suppress(UsageError):  # It was decided, or found out, in the meantime.
            review(
                resources.store,
                resources.bus,
                resources.clock,
                call_id=call_id,
                decision=decision,
                by=command.by,
            )


def _heard(_command: Command) -> None:
    """Do nothing more than tell it: the incidents listen for themselves."""


def _replace(row: RunRow, **changes: object) -> RunRow:
    return RunRow(**{**{name: getattr(row, name) for name in row.__slots__}, **changes})
