"""The worker: fills its lanes, looks after what waits, and knows when it is done."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from math import inf
from typing import Final

from callagent_cli.calls.ledger import open_dial
from callagent_cli.calls.model import FINAL_STATES, LEGAL_MOVES, Call, CallState, DialStatus
from callagent_cli.errors import ExitCode, StoreError
from callagent_cli.events import BreakerChanged, CallChanged, RunWaiting, Stamped, StepFinished
from callagent_cli.worker.agenda import Agenda
from callagent_cli.worker.calendar import Calendar
from callagent_cli.worker.control import Control
from callagent_cli.worker.degraded import Degraded
from callagent_cli.worker.dial.ledger import DialLedger
from callagent_cli.worker.dial.permission import Permission
from callagent_cli.worker.dial.prover import Prover
from callagent_cli.worker.dial.reconciler import Reconciler
from callagent_cli.worker.dial.step import DialStep
from callagent_cli.worker.ending import Ending, drained, ending_of, still_waits
from callagent_cli.worker.journey import Journey
from callagent_cli.worker.lane import Lane
from callagent_cli.worker.operations import Operations
from callagent_cli.worker.recovery import free, recover
from callagent_cli.worker.requeue import requeue
from callagent_cli.worker.resources import Resources

LOOK_UPS_AT_ONCE: Final = 4
LOOK_AGAIN_S: Final = 60.0
"""How often a sleeping worker looks around: a suspended machine counts no time meanwhile."""

LAST_LOOK_UPS_S: Final = 120.0
"""How long a run that is otherwise done waits for its open look-ups."""

TICK_S: Final = 0.001
"""No wait is shorter: a loop's clock may not be able to tell a shorter one."""

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
        self._max_wait_s = max_wait_s
        self._waiting_since_s: float | None = None
        self._closing_since_s: float | None = None
        self._recovered: list[str] = []
        self._failed = False
        self._moved = True
        self._told = ""
        self._fatal: BaseException | None = None
        self._timer: asyncio.TimerHandle
        resources.bus.listen(self._listen, BreakerChanged, StepFinished, CallChanged)

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
            await self._until_something_moves()

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
        while len(self._lanes) < self.control.lanes:
            call = self.agenda.claim(states)
            if call is None:
                break
            journey = self._journey(call)
            journey.activate()  # The next claim, in this very turn, must not find it again.
            self._told = ""
            self._start(self._lanes, journey.call, self._lane.work)

    def _start(
        self,
        tasks: dict[str, asyncio.Task[None]],
        call: Call,
        work: Callable[[Call], Awaitable[None]],
    ) -> None:
        task = self._watched(asyncio.create_task(self._contained(call, work), name=call.id))
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

    async def _contained(self, call: Call, work: Callable[[Call], Awaitable[None]]) -> None:
        """Do the work for one call; whatever breaks in it stays in it."""
        try:
            await work(call)
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
        if state in LEGAL_MOVES[journey.call.state]:
            journey.move(state, reason, failed_by="callagent", due_utc_s=None)
        else:
            journey.move(journey.call.state, reason)

    def _journey(self, call: Call) -> Journey:
        resources = self._steady
        return Journey(call, resources.store, resources.bus, resources.clock)

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
            self._closing_since_s = None
            return None
        resources = self._steady
        if self.control.draining:
            reconciling = totals.get(CallState.RECONCILING, 0) > 0
            waits_on = self._last_look_ups(also=reconciling, patient=False)
            return None if waits_on else drained(totals, self.control.exit_code)
        waits = still_waits(resources, self.agenda, self.control, totals)
        if not waits.reason:
            waits_on = self._last_look_ups(also=False, patient=True)
            return None if waits_on else ending_of(totals, waits.exit_code, waits.ended)
        self._closing_since_s = None
        waited_s = self._waited_s()
        if self._max_wait_s is not None and waited_s >= self._max_wait_s:
            return ending_of(totals, ExitCode.STOPPED, f"waited {waited_s:.0f} s: {waits.reason}")
        self._tell(waits.reason)
        return None

    def _last_look_ups(self, *, also: bool, patient: bool) -> bool:
        """Say whether the run, otherwise done, still waits for a look-up.

        `also` when calls are reconciling; unless `patient`, only while the service is well.
        """
        now_s = self._steady.clock.monotonic()
        if self._closing_since_s is None:
            self._closing_since_s = now_s
            self._reconciler.remember_unproven()
        breaker = self.resources.services.voice.breaker
        hopeless = breaker.state == "isolated" or (not patient and breaker.state != "closed")
        is_open = also or self._reconciler.unproven > 0 or bool(self._look_ups)
        if hopeless or not is_open or now_s - self._closing_since_s >= LAST_LOOK_UPS_S:
            return False
        self._tell("looking up dials whose outcome is open")
        return True

    def _waited_s(self) -> float:
        """Return how long nothing has moved but trials."""
        now_s = self._steady.clock.monotonic()
        if self._waiting_since_s is None:
            self._waiting_since_s = now_s
        return now_s - self._waiting_since_s

    def _tell(self, reason: str) -> None:
        if reason != self._told:
            self._told = reason
            due_in_s = min((due_s for due_s in self._dues_in_s() if due_s > 0), default=None)
            self.resources.bus.emit(RunWaiting(reason=reason, due_in_s=due_in_s))

    # Waiting

    async def _until_something_moves(self) -> None:
        """Sleep until the next due time, until somebody sets `wake`, or until it is looked again.

        A look at which nothing can be new ends nobody's sleep.
        """
        due_s = asyncio.get_running_loop().time() + self._due_in_s()
        self._look_later(due_s, self._mark())
        try:
            await self.control.wake.wait()
        finally:
            self._timer.cancel()

    def _look_later(self, due_s: float, mark: object) -> None:
        loop = asyncio.get_running_loop()
        look_s = min(due_s, loop.time() + LOOK_AGAIN_S)
        self._timer = loop.call_at(look_s, self._look, due_s, mark)

    def _look(self, due_s: float, mark: object) -> None:
        if asyncio.get_running_loop().time() >= due_s or self._may_be_new(mark):
            self.control.wake.set()
        else:
            self._look_later(due_s, mark)

    def _mark(self) -> object:
        """Return what stays the same while nothing can move; None when a breaker may by itself."""
        for guard in self.resources.services.guards.values():
            if guard.breaker.state != "closed":
                return None
        return self.resources.store.mark()

    def _may_be_new(self, mark: object) -> bool:
        """Say whether there may be something to do since `mark`, without a due time or a wake."""
        was_set = self._calendar.follow(self.resources.store, self.resources.campaign)
        return was_set or mark is None or self._mark() != mark

    def _due_in_s(self) -> float:
        """Return the seconds until time alone changes something; infinity when it does not.

        Something changes when a call is due, and when the patience with a wait is over.
        """
        now_s = self._steady.clock.monotonic()
        waits = self._dues_in_s()
        for since_s, limit_s in (
            (self._waiting_since_s, self._max_wait_s),
            (self._closing_since_s, LAST_LOOK_UPS_S),
        ):
            if since_s is not None and limit_s is not None:
                waits.append(limit_s - (now_s - since_s))
        return max(min((wait_s for wait_s in waits if wait_s > 0), default=inf), TICK_S)

    def _dues_in_s(self) -> list[float]:
        """Return in how many seconds the next call, and the next look-up, is due.

        What is due already needs more than time: a lane, a service or a person, who sets `wake`.
        """
        resources = self._steady
        now_utc_s = resources.clock.utc()
        due_utc_s = resources.store.next_due(resources.campaign, after_utc_s=now_utc_s)
        look_up_in_s = self._reconciler.due_in_s()
        waits = [] if due_utc_s is None else [due_utc_s - now_utc_s]
        return waits if look_up_in_s is None else [*waits, look_up_in_s]

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
                self._waiting_since_s = None
        elif isinstance(event, CallChanged):
            self._moved = self._moved or event.new != event.old
            if event.new in FINAL_STATES:
                self._waiting_since_s = None
                self._failed = self._failed or event.new == "failed"


async def _cancelled(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait for their end; the first error among them is already known."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
