"""What the keys of the screen do to a worker in the same process."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from callagent_cli.calls.model import CallState
from callagent_cli.counting import counted
from callagent_cli.monitor.folds import MUTE_S
from callagent_cli.monitor.ports import CommandName
from callagent_cli.reporting.incidents.mutes import mute_argument
from callagent_cli.store.port import Command
from callagent_cli.worker.housekeeping import Housekeeping
from callagent_cli.worker.worker import Worker

IN_THIS_PROCESS = "the run is in this process and would end with it: drain, or stop now"
ENDED = "the run has ended"


class WorkerCommands:
    """Implements the screen's `Commands` on the worker itself: each is carried out at once.

    `session` is the run as a future. `by` is who presses the keys.
    """

    def __init__(
        self,
        worker: Worker,
        housekeeping: Housekeeping,
        session: "asyncio.Future[Any]",
        *,
        by: str,
        clock_utc: Callable[[], float] = time.time,
    ) -> None:
        self._worker, self._housekeeping, self._session = worker, housekeeping, session
        self._by, self._clock_utc = by, clock_utc

    def refusal(self, command: CommandName) -> str:
        """Return why a command is not possible; empty when it is."""
        if self._session.done():
            return ENDED
        control = self._worker.control
        if command == "detach":
            return IN_THIS_PROCESS
        if command == "drain" and control.draining:
            return "it drains already"
        if command in {"pause", "resume", "lanes"} and control.draining:
            return "the run drains: nothing more begins"
        return ""

    def pause(self) -> str:
        """Stop new dials."""
        self._carry_out("pause")
        return "paused: calls whose phone has rung finish"

    def resume(self) -> str:
        """Dial again."""
        self._carry_out("resume")
        return "dialing again"

    def drain(self) -> str:
        """Let what is in flight finish, and end."""
        self._carry_out("drain")
        return "draining: the run ends when the calls in flight have finished"

    def stop(self) -> str:
        """End now, as a second signal does."""
        self._carry_out("stop")
        return "stopped"

    def trip(self, service: str) -> str:
        """Isolate a service."""
        self._carry_out("trip", service)
        return f"{service} is isolated; r resets it"

    def reset(self, service: str) -> str:
        """Close a service's breaker."""
        self._carry_out("reset", service)
        return f"the {service} breaker is closed"

    def check(self, service: str) -> str:
        """Check a service's health."""
        if service not in self._worker.resources.services.checkers:
            return f"{service} has no health check"
        self._carry_out("check", service)
        return f"checking {service}"

    def acknowledge(self, alert: str) -> str:
        """Note that somebody has seen an alert, or all."""
        self._carry_out("ack", alert)
        return "acknowledged: reminders become rare"

    def mute(self, service: str) -> str:
        """Silence a service's alerts for ten minutes."""
        self._carry_out("mute", mute_argument(service, self._clock_utc() + MUTE_S))
        return f"alerts about {service} are silent for {MUTE_S / 60:.0f} minutes"

    def lanes(self, change: int) -> str:
        """Work more or fewer calls at the same time, one at least."""
        wanted = max(1, self._worker.control.lanes + change)
        self._carry_out("lanes", str(wanted))
        return counted(wanted, "lane")

    def requeue(self, service: str) -> str:
        """Take back the calls that a service made fail."""
        before = self._failed()
        self._carry_out("requeue", service)
        taken = before - self._failed()
        return f"{counted(taken, 'call')} taken back"

    def _failed(self) -> int:
        resources = self._worker.resources
        return resources.store.totals(resources.campaign).get(CallState.FAILED, 0)

    def _carry_out(self, name: str, argument: str = "") -> None:
        command = Command(
            id=0, name=name, argument=argument, by=self._by, asked_utc_s=self._clock_utc()
        )
        self._housekeeping.carry_out(command)
