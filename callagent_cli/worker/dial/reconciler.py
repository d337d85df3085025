"""Looks up, in the background, every dial of which nobody knows whether it rang."""

from collections.abc import Collection
from typing import Final

from callagent_cli.calls.ledger import open_dial
from callagent_cli.calls.model import Call, CallState, Dial, DialStatus, Step
from callagent_cli.errors import CircuitOpen, Deferred, ServiceError
from callagent_cli.resilience.work import Work
from callagent_cli.store.port import Claim
from callagent_cli.worker.dial.prover import Prover
from callagent_cli.worker.journey import Journey
from callagent_cli.worker.operations import Operations
from callagent_cli.worker.resources import Resources

WAITS_S: Final = (5.0, 10.0, 20.0, 60.0)
"""Between look-ups; the last one repeats."""

HELD_WAIT_S: Final = 600.0
"""How long a call is left alone whose look-up the breaker does not let out, unless it closes."""

_DIALED: Final = frozenset({Step.DIAL})
"""Where a call stands whose dial is looked up: nothing else can have an unknown outcome."""

CLOSED_PATIENCE_S: Final = 30 * 60.0
PATIENCE_S: Final = 24 * 3600.0


class Reconciler:
    """Finds the due look-ups and does them one by one, on behalf of no lane.

    A failed call whose last dial is open is looked up too, once the service is healthy: found, it
    is adopted; absent, it stays failed and is proven not called.
    """

    def __init__(self, resources: Resources, operations: Operations, prover: Prover) -> None:
        self._resources = resources
        self._operation = operations.look_up
        self._max_attempts = resources.services.voice.ladder.attempts
        self._prover = prover
        self._unproven: dict[str, float] = {}
        self._are_held = True  # By an earlier run, perhaps.

    def remember_unproven(self) -> None:
        """Find the failed calls whose last dial is open; those not known yet are due soon."""
        resources = self._resources
        due_s = resources.clock.monotonic() + WAITS_S[0]
        for call_id in resources.store.calls_with_open_dials(resources.campaign):
            call = resources.store.call(call_id)
            if call is not None and call.state is CallState.FAILED:
                self._unproven.setdefault(call_id, due_s)
        self._unproven = dict(sorted(self._unproven.items(), key=lambda entry: entry[1]))

    @property
    def unproven(self) -> int:
        """How many failed calls still wait for their look-up."""
        return len(self._unproven)

    def due_in_s(self) -> float | None:
        """Return the seconds until the next look-up of a failed call; None when there is none.

        They are kept in the order they are due.
        """
        due_s = next(iter(self._unproven.values()), None)
        return None if due_s is None else due_s - self._resources.clock.monotonic()

    def claim(self, states: Collection[CallState]) -> Call | None:
        """Return a call that is due for a look-up, and put its next one off.

        `states` are those in which there are calls at all.
        """
        resources = self._resources
        is_closed = resources.services.voice.breaker.state == "closed"
        if CallState.RECONCILING in states:
            now_utc_s = resources.clock.utc()
            if is_closed and self._are_held:
                self._let_go(now_utc_s)
            self._are_held = not is_closed
            call = resources.store.first_call(
                Claim(
                    campaign=resources.campaign,
                    state=CallState.RECONCILING,
                    due_utc_s=now_utc_s,
                    steps=_DIALED,
                )
            )
            if call is not None:
                return self._put_off(call, now_utc_s, is_closed=is_closed)
        return self._claim_unproven() if is_closed else None

    def refused(self, call: Call) -> bool:
        """Say whether the breaker lets no look-up out; what follows from that is done then."""
        resources = self._resources
        if resources.services.voice.breaker.state == "closed":
            return False
        if open_dial(resources.store.dials(call.id)) is None:
            self._settled_by_a_person(call)
        elif call.state is CallState.RECONCILING:
            self._give_up_if_late(self._journey(call))
        return True

    async def look_up(self, call: Call) -> None:
        """Do one look-up and what follows from it."""
        resources = self._resources
        dial = open_dial(resources.store.dials(call.id))
        if dial is None:
            self._settled_by_a_person(call)
            return
        try:
            proven = await resources.services.voice.aside(
                self._operation, lambda: self._prover.prove(dial), Work(call.id, begun=True)
            )
        except (ServiceError, CircuitOpen, Deferred):
            proven = dial
        self._conclude(call.id, proven)

    def _claim_unproven(self) -> Call | None:
        while (due_in_s := self.due_in_s()) is not None and due_in_s <= 0:
            call_id = next(iter(self._unproven))
            call = self._resources.store.call(call_id)
            del self._unproven[call_id]
            if call is not None and call.state is CallState.FAILED:
                # Put in again at the end, so that the first one is always the next one due.
                self._unproven[call_id] = self._resources.clock.monotonic() + WAITS_S[-1]
                return call
        return None

    def _put_off(self, call: Call, now_utc_s: float, *, is_closed: bool) -> Call:
        journey = self._journey(call)
        if not is_closed:
            # Only its patience can end meanwhile: each look around costs a write.
            left_s = self._since_utc_s(call) + PATIENCE_S - now_utc_s
            wait_s = min(HELD_WAIT_S, left_s) if left_s > 0 else WAITS_S[-1]
            journey.note(due_utc_s=now_utc_s + wait_s)
            return journey.call
        wait_s = WAITS_S[min(call.look_ups + 1, len(WAITS_S) - 1)]
        journey.note(
            look_ups=call.look_ups + 1,
            due_utc_s=now_utc_s + wait_s,
            reconciling_closed_s=call.reconciling_closed_s + wait_s,
        )
        return journey.call

    def _let_go(self, now_utc_s: float) -> None:
        """Bring forward what was held while the breaker let nothing out, spread over a minute."""
        resources = self._resources
        reconciling = frozenset({CallState.RECONCILING})
        soon_utc_s = now_utc_s + WAITS_S[-1]
        held = [
            call
            for call in resources.store.calls(resources.campaign, reconciling)
            if call.due_utc_s is not None and call.due_utc_s > soon_utc_s
        ]
        for place, call in enumerate(held):
            due_utc_s = now_utc_s + WAITS_S[-1] * place / len(held)
            self._journey(call).note(due_utc_s=due_utc_s)

    def _settled_by_a_person(self, call: Call) -> None:
        self._unproven.pop(call.id, None)
        if call.state is CallState.RECONCILING:
            self._journey(call).park("the dial was settled", delay_s=0, attempts=call.attempts)

    def _conclude(self, call_id: str, dial: Dial) -> None:
        store = self._resources.store
        call = store.call(call_id)
        if call is None or call.state not in {CallState.RECONCILING, CallState.FAILED}:
            return  # A person, or a requeue, was faster.
        journey = self._journey(call)
        if open_dial(store.dials(call_id)) is not None:
            if call.state is CallState.RECONCILING:
                self._give_up_if_late(journey)
            return
        self._unproven.pop(call_id, None)
        if dial.status is DialStatus.PLACED:
            self._adopt(journey, dial)
        else:
            self._absent(journey)

    def _adopt(self, journey: Journey, dial: Dial) -> None:
        call = journey.call
        placed = {"placed_utc_s": dial.intended_utc_s, "reason": dial.reason}
        journey.note(
            step=Step.FOLLOW,
            conversation=dial.conversation,
            dials=call.dials + 1,
            failed_by="",
            incident="",
            results={**call.results, Step.DIAL.value: placed},
        )
        journey.park("the call was placed: found by look-up", delay_s=0, attempts=0)

    def _absent(self, journey: Journey) -> None:
        call = journey.call
        if call.state is CallState.FAILED:
            journey.note(reason=f"{call.reason} (proven not called)")
        elif call.attempts >= self._max_attempts:
            journey.move(
                CallState.FAILED,
                "attempts used up, proven not called",
                failed_by="elevenlabs",
                due_utc_s=None,
                results={**call.results, "failure": {"outcome": "unknown"}},
            )
        else:
            journey.park("proven not called", delay_s=0, attempts=call.attempts)

    def _give_up_if_late(self, journey: Journey) -> None:
        call = journey.call
        age_s = self._resources.clock.utc() - self._since_utc_s(call)
        if call.reconciling_closed_s >= CLOSED_PATIENCE_S or age_s >= PATIENCE_S:
            minutes = age_s / 60
            journey.move(
                CallState.REVIEW,
                f"nobody knows whether the phone rang, after {minutes:.0f} min",
                due_utc_s=None,
            )

    @staticmethod
    def _since_utc_s(call: Call) -> float:
        return call.reconciling_since_utc_s or call.updated_utc_s

    def _journey(self, call: Call) -> Journey:
        resources = self._resources
        return Journey(call, resources.store, resources.bus, resources.clock)
