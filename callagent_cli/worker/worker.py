"""The worker: fills its lanes, looks after what waits, and knows when it is done."""

import asyncio
from collections.abc import Collection
from dataclasses import replace
from typing import Final

from callagent_cli.calls.model import FINAL_STATES, Call, CallState
from callagent_cli.errors import ExitCode
from callagent_cli.events import (
    BreakerChanged,
    CallChanged,
    HealthChecked,
    RunWaiting,
    Stamped,
    StepFinished,
)
from callagent_cli.worker.again.recovery import free, recover
from callagent_cli.worker.again.requeue import requeue
from callagent_cli.worker.boundary import Work, contained
from callagent_cli.worker.control import Control
from callagent_cli.worker.dial.ledger import DialLedger
from callagent_cli.worker.dial.permission import Permission
from callagent_cli.worker.dial.prover import Prover
from callagent_cli.worker.dial.reconciler import Reconciler
from callagent_cli.worker.dial.step import DialStep
from callagent_cli.worker.journey import Journey
from callagent_cli.worker.lane import Lane
from callagent_cli.worker.operations import Operations
from callagent_cli.worker.resources import Resources
from callagent_cli.worker.steps.degraded import Degraded
from callagent_cli.worker.turn.agenda import Agenda
from callagent_cli.worker.turn.calendar import Calendar
from callagent_cli.worker.turn.ending import Ending, drained, ending_of, proving, still_waits
from callagent_cli.worker.turn.patience import Patience
from callagent_cli.worker.turn.waking import Waking

LOOK_UPS_AT_ONCE: Final = 4
_PREPARATIONS: Final = frozenset({"look_up", "compose"})


class Worker:
    """Works one campaign until nothing can move any more by itself."""

    def __init__(
        self,
        resources: Resources,
        operations: Operations,
        control: Control,
        *,
        max_wait_s: float | None = None,
    ) -> None:
        self.resources = resources
        self._calendar = Calendar(resources.clock)
        resources = self._steady = replace(resources, clock=self._calendar.clock)
        self.control = control
        self.agenda = Agenda(resources, control)
        self._ledger = DialLedger(resources.store, resources.bus, resources.clock)
        prover = Prover(resources, self._ledger)
        # Whether a person may be called is asked of the true calendar, at once.
        permission = Permission(self.resources, control, self._ledger)
        dial = DialStep(resources, operations, self._ledger, prover=prover, permission=permission)
        degraded = Degraded(resources.bus)
        self._lane = Lane(resources, operations, degraded, dial=dial, permission=permission)
        self._reconciler = Reconciler(resources, operations, prover)
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._look_ups: dict[str, asyncio.Task[None]] = {}
        self._patience = Patience(resources.clock, max_wait_s)
        self._waking = Waking(
            resources,
            control,
            self._calendar,
            patience=self._patience,
            look_up_in_s=self._reconciler.due_in_s,
        )
        self._recovered: list[str] = []
        self._failed = False
        self._moved = True
        self._told = ""
        self._waits_for_check = False
        self._fatal: BaseException | None = None
        resources.bus.listen(self._listen, BreakerChanged, StepFinished, CallChanged)
        resources.bus.listen(self._listen_to_checks, HealthChecked)

    async def run(self) -> Ending:
        """Work until the end; raises `StoreError` when nothing can be kept any more.

        Cancelled, it stops at once: what was under way is found by the next worker as a crash
        would have left it.
        """
        recover(self._steady, self._ledger)
        self._reconciler.remember_unproven()
        checkers = [
            self._watched(asyncio.create_task(checker.run(), name=f"health {name}"))
            for name, checker in self.resources.services.checkers.items()
        ]
        try:
            return await self._work()
        finally:
            for guard in self.resources.services.guards.values():
                guard.disarm()
                guard.slots.stop()
            await _cancelled([*checkers, *self._lanes.values(), *self._look_ups.values()])

    def watch(self, task: asyncio.Task[None]) -> None:
        """End the run with the error of a task that it cannot do without, should it have one."""
        self._watched(task)

    @property
    def lanes_busy(self) -> int:
        """How many calls are being worked."""
        return len(self._lanes)

    async def _work(self) -> Ending:
        while True:
            self.control.wake.clear()
            if self._fatal is not None:
                raise self._fatal
            self._calendar.follow(self.resources.store, self.resources.campaign)
            totals = self._totals()
            self._take_back(totals)
            self._interrupt_backoff()
            totals = self._totals(totals)
            self._look_up(totals)
            totals = self._totals(totals)
            # A claim takes calls out of these states and puts none in.
            self._fill(totals)
            ending = self._ending(totals)
            if ending is not None:
                return ending
            await self._waking.until_something_moves()

    def _totals(self, known: dict[CallState, int] | None = None) -> dict[CallState, int]:
        """Count the calls by state; the counts of this turn hold until one of them moves."""
        if known is not None and not self._moved:
            return known
        self._moved = False
        return self.resources.store.totals(self.resources.campaign)

    # Lanes and look-ups

    def _look_up(self, states: Collection[CallState]) -> None:
        """Begin the look-ups that are due."""
        refused = 0
        while len(self._look_ups) + refused < LOOK_UPS_AT_ONCE:
            call = self._reconciler.claim(states)
            if call is None:
                return
            if call.id in self._look_ups:
                continue
            if self._reconciler.refused(call):
                refused += 1
            else:
                self._start(self._look_ups, call, self._reconciler.look_up)
        if refused:  # More may be due; everybody else comes first.
            asyncio.get_running_loop().call_soon(self.control.wake.set)

    def _fill(self, states: Collection[CallState]) -> None:
        resources = self._steady
        while len(self._lanes) < self.control.lanes:
            call = self.agenda.claim(states)
            if call is None:
                break
            journey = Journey(call, resources.store, resources.bus, resources.clock)
            journey.activate()  # The next claim, in this very turn, must not find it again.
            self._told = ""
            self._start(self._lanes, journey.call, self._lane.work)

    def _start(
        self,
        tasks: dict[str, asyncio.Task[None]],
        call: Call,
        work: Work,
    ) -> None:
        task = self._watched(asyncio.create_task(contained(call, work, self._steady), name=call.id))
        tasks[call.id] = task

        def ended(_: asyncio.Task[None]) -> None:
            if tasks.get(call.id) is task:  # The call may be at work again already.
                del tasks[call.id]
                self.agenda.released(call.id)
            self.control.wake.set()

        task.add_done_callback(ended)

    def _watched(self, task: asyncio.Task[None]) -> asyncio.Task[None]:
        def ended(done: asyncio.Task[None]) -> None:
            if not done.cancelled() and (error := done.exception()) is not None:
                self._fatal = self._fatal or error
                self.control.wake.set()

        task.add_done_callback(ended)
        return task

    def _interrupt_backoff(self) -> None:
        """Free the lanes that only wait, in a drain: their attempts and due times are stored."""
        if not self.control.draining:
            return
        for call_id, task in list(self._lanes.items()):
            call = self.resources.store.call(call_id)
            if call is not None and call.state is CallState.BACKOFF:
                task.cancel()
                free(call, self._steady, "the worker drained")

    # The end

    def _ending(self, totals: dict[CallState, int]) -> Ending | None:
        """Return how the run ends, None while anything can move.

        `totals` are from before the lanes were filled: while none is busy, nothing was claimed.
        """
        if self._lanes:
            self._patience.stop_closing()
            return None
        resources = self._steady
        if self.control.draining:
            reconciling = totals.get(CallState.RECONCILING, 0) > 0
            waits_on = self._last_look_ups(also=reconciling, patient=False)
            return None if waits_on else drained(totals, self.control.exit_code)
        waits = still_waits(resources, self.agenda, self.control, totals)
        if not waits.reason:
            waits_on = self._last_look_ups(also=False, patient=True) or self._last_check()
            return None if waits_on else ending_of(totals, waits.exit_code, waits.ended)
        self._patience.stop_closing()
        waited_s = self._patience.waited_s()
        if self._patience.is_waited_out(waited_s):
            return ending_of(totals, ExitCode.STOPPED, f"waited {waited_s:.0f} s: {waits.reason}")
        self._tell(waits.reason)
        return None

    def _last_look_ups(self, *, also: bool, patient: bool) -> bool:
        """Say whether the run, otherwise done, still waits for a look-up.

        `also` when calls are reconciling; unless `patient`, only while the service is well.
        """
        if self._patience.begin_closing():
            self._reconciler.remember_unproven()
        breaker = self.resources.services.voice.breaker
        hopeless = breaker.state == "isolated" or (not patient and breaker.state != "closed")
        is_open = also or self._reconciler.unproven > 0 or bool(self._look_ups)
        if hopeless or not is_open or self._patience.is_closed:
            return False
        self._tell("looking up dials whose outcome is open")
        return True

    def _last_check(self) -> bool:
        """Say whether the run, otherwise done, still waits for a service to prove itself well."""
        breaker = proving(self.resources)
        self._waits_for_check = breaker is not None and not self._patience.is_closed
        if breaker is None or not self._waits_for_check:
            return False
        self._tell(f"a last look at {breaker.service}, whose breaker is {breaker.state}")
        return True

    def _tell(self, reason: str) -> None:
        if reason != self._told:
            self._told = reason
            event = RunWaiting(reason=reason, due_in_s=self._waking.due_in_s())
            self.resources.bus.emit(event)

    # What listeners were told

    def _take_back(self, states: Collection[CallState]) -> None:
        """Do what a listener was told of and must not do himself.

        A failed call may have an open dial; the recovery of a service lets calls begin again.
        `states` are those in which there are calls at all.
        """
        resources = self._steady
        services, self._recovered = self._recovered, []
        if self._failed or "elevenlabs" in services:
            self._failed = False
            self._reconciler.remember_unproven()
        if not resources.settings.requeue_after_outage or CallState.FAILED not in states:
            return
        for service in services:
            self._requeue("llm" if service == "llm_fallback" else service)
        for service in ("elevenlabs", "llm", "crm"):
            if self.agenda.needs_trial(service, lanes_busy=bool(self._lanes)):
                self._requeue(service, at_most=1)

    def _requeue(self, service: str, *, at_most: int | None = None) -> None:
        resources = self._steady
        requeue(
            resources.store,
            resources.bus,
            resources.clock,
            campaign=resources.campaign,
            failed_by=service,
            outage_only=True,
            at_most=at_most,
        )

    def _listen(self, stamped: Stamped) -> None:
        event = stamped.event
        if isinstance(event, BreakerChanged):
            if event.new == "closed":
                self._recovered.append(event.service)
                self.control.wake.set()
        elif isinstance(event, StepFinished):
            if event.step not in _PREPARATIONS:
                self._patience.moved()
        elif isinstance(event, CallChanged):
            self._moved = self._moved or event.new != event.old
            if event.new in FINAL_STATES:
                self._patience.moved()
                self._failed = self._failed or event.new == "failed"

    def _listen_to_checks(self, _stamped: Stamped) -> None:
        if self._waits_for_check:
            self.control.wake.set()


async def _cancelled(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait for their end; the first error among them is already known."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
