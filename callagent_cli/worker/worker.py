"""The worker: fills its lanes, looks after what waits, and knows when it is done."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from callagent_cli.calls.ledger import open_dial
from callagent_cli.calls.model import Call, CallState, DialStatus
from callagent_cli.errors import ExitCode, StoreError
from callagent_cli.events import BreakerChanged, RunWaiting, Stamped
from callagent_cli.worker.agenda import Agenda
from callagent_cli.worker.control import Control
from callagent_cli.worker.degraded import Degraded
from callagent_cli.worker.ending import Ending, ending_of, still_waits
from callagent_cli.worker.journey import Journey
from callagent_cli.worker.lane import Lane
from callagent_cli.worker.operations import Operations
from callagent_cli.worker.reconciler import Reconciler
from callagent_cli.worker.recovery import recover
from callagent_cli.worker.requeue import requeue
from callagent_cli.worker.resources import Resources

LOOK_UPS_AT_ONCE: Final = 4
LAST_LOOK_UPS_S: Final = 120.0
"""How long a run that is otherwise done waits for its open look-ups."""


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
        self.control = control
        self.agenda = Agenda(resources, control)
        self._lane = Lane(resources, operations, control, Degraded(resources.bus))
        attempts = resources.services.voice.ladder.attempts
        self._reconciler = Reconciler(resources, operations, attempts)
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._look_ups: dict[str, asyncio.Task[None]] = {}
        self._max_wait_s = max_wait_s
        self._waiting_since_s: float | None = None
        self._told = ""
        self._fatal: BaseException | None = None
        resources.bus.listen(self._listen)

    async def run(self) -> Ending:
        """Work until the end; raises `StoreError` when nothing can be kept any more.

        Cancelled, it stops at once: what was under way is found by the next worker as a crash
        would have left it.
        """
        recover(self.resources)
        self._reconciler.remember_unproven()
        checkers = [
            asyncio.create_task(checker.run(), name=f"health {name}")
            for name, checker in self.resources.services.checkers.items()
        ]
        try:
            return await self._work()
        finally:
            await _cancelled([*checkers, *self._lanes.values(), *self._look_ups.values()])
            for guard in self.resources.services.guards.values():
                guard.disarm()
                guard.slots.stop()

    @property
    def lanes_busy(self) -> int:
        """How many calls are being worked."""
        return len(self._lanes)

    async def _work(self) -> Ending:
        while True:
            self.control.wake.clear()
            if self._fatal is not None:
                raise self._fatal
            if self.control.draining:
                self._interrupt_backoff()
            self._fill()
            ending = self._ending()
            if ending is not None:
                return ending
            await self._until_something_moves()

    def _fill(self) -> None:
        while len(self._look_ups) < LOOK_UPS_AT_ONCE:
            call = self._reconciler.claim()
            if call is None or call.id in self._look_ups:
                break
            self._start(self._look_ups, call, self._reconciler.look_up(call))
        while len(self._lanes) < self.control.lanes:
            call = self.agenda.claim()
            if call is None:
                break
            journey = self._journey(call)
            journey.activate()  # The next claim, in this very turn, must not find it again.
            self._start(self._lanes, call, self._one_call(journey.call))

    def _start(
        self, tasks: dict[str, asyncio.Task[None]], call: Call, work: Coroutine[Any, Any, None]
    ) -> None:
        task = asyncio.create_task(work, name=call.id)
        tasks[call.id] = task

        def ended(done: asyncio.Task[None]) -> None:
            tasks.pop(call.id, None)
            self.agenda.released(call.id)
            if not done.cancelled() and (error := done.exception()) is not None:
                self._fatal = error
            self.control.wake.set()

        task.add_done_callback(ended)

    async def _one_call(self, call: Call) -> None:
        """Work one call; whatever breaks in it stays in it."""
        try:
            await self._lane.work(call)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 — the per-call boundary of DESIGN.md.
            self._broken(call, error)

    def _broken(self, call: Call, error: Exception) -> None:
        """Put a call whose own program failed before a person, or fail it if it never rang."""
        store = self.resources.store
        dials = store.dials(call.id)
        rang = any(dial.status is DialStatus.PLACED for dial in dials)
        state = CallState.REVIEW if rang or open_dial(dials) else CallState.FAILED
        journey = self._journey(store.call(call.id) or call)
        reason = f"internal error: {type(error).__name__}: {error}"
        journey.move(state, reason, failed_by="callagent", due_utc_s=None)

    def _journey(self, call: Call) -> Journey:
        resources = self.resources
        return Journey(call, resources.store, resources.bus, resources.clock)

    def _interrupt_backoff(self) -> None:
        """Free the lanes that only wait: their attempts and due times are stored."""
        for call_id, task in list(self._lanes.items()):
            call = self.resources.store.call(call_id)
            if call is not None and call.state is CallState.BACKOFF:
                task.cancel()

    def _ending(self) -> Ending | None:
        if self._lanes or self._look_ups:
            self._waiting_since_s = None
            return None
        resources = self.resources
        now_s = resources.clock.monotonic()
        if self._waiting_since_s is None:
            self._waiting_since_s = now_s
        waited_s = now_s - self._waiting_since_s
        totals = resources.store.totals(resources.campaign)
        if self.control.draining:
            return ending_of(totals, self.control.exit_code, "drained")
        waits = still_waits(resources, self.agenda, self.control, totals)
        if waits.reason and self._max_wait_s is not None and waited_s >= self._max_wait_s:
            return ending_of(totals, ExitCode.STOPPED, f"waited {waited_s:.0f} s: {waits.reason}")
        if waits.reason:
            self._tell(waits.reason)
            return None
        if self._reconciler.unproven and waited_s < LAST_LOOK_UPS_S:
            self._tell("looking up dials whose outcome is open")
            return None
        return ending_of(totals, waits.exit_code, waits.ended)

    def _tell(self, reason: str) -> None:
        if reason != self._told:
            self._told = reason
            due_in_s = self._due_in_s()
            self.resources.bus.emit(RunWaiting(reason=reason, due_in_s=due_in_s))

    async def _until_something_moves(self) -> None:
        """Sleep until the next due time or until somebody sets `wake`."""
        due_in_s = self._due_in_s()
        timer = None
        if due_in_s is not None:
            loop = asyncio.get_running_loop()
            timer = loop.call_later(due_in_s, self.control.wake.set)
        try:
            await self.control.wake.wait()
        finally:
            if timer is not None:
                timer.cancel()
        if self._lanes or self._look_ups:
            self._told = ""

    def _due_in_s(self) -> float | None:
        resources = self.resources
        now_utc_s = resources.clock.utc()
        dues = [
            resources.store.next_due(resources.campaign, after_utc_s=now_utc_s),
            self._reconciler.next_due_s(),
        ]
        waits = [due - now_utc_s for due in dues if due is not None and due > now_utc_s]
        if self._waiting_since_s is not None:
            waited_s = resources.clock.monotonic() - self._waiting_since_s
            limits = (self._max_wait_s, LAST_LOOK_UPS_S if self._reconciler.unproven else None)
            waits += [limit - waited_s for limit in limits if limit and limit > waited_s]
        return min(waits, default=None)

    def _listen(self, stamped: Stamped) -> None:
        event = stamped.event
        if not isinstance(event, BreakerChanged) or event.new != "closed":
            return
        if event.service == "elevenlabs":
            self._reconciler.remember_unproven()
        resources = self.resources
        if resources.settings.requeue_after_outage:
            requeue(
                resources.store,
                resources.bus,
                resources.clock,
                campaign=resources.campaign,
                failed_by=event.service,
            )


async def _cancelled(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        try:
            await task
        except asyncio.CancelledError:
            continue
