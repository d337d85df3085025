"""The step that rings a phone: look up what is open, then one intent on disk, then one POST."""

import asyncio

from callagent_cli.calls.ledger import Graces, match, open_dial, proof_wait_s
from callagent_cli.calls.model import Call, Dial, DialStatus, mask
from callagent_cli.calls.windows import opens_in_s
from callagent_cli.errors import CircuitOpen, ServiceError
from callagent_cli.events import DialIntended, DialLookedUp, DialSettled
from callagent_cli.resilience.outcome import Outcome
from callagent_cli.worker.control import Control
from callagent_cli.worker.journey import Journey
from callagent_cli.worker.operations import Operations
from callagent_cli.worker.resources import Resources


class NotNow(Exception):
    """The dial was not sent: outside the calling window, paused, or draining."""

    def __init__(self, reason: str, *, delay_s: float) -> None:
        super().__init__(reason)
        self.reason = reason
        self.delay_s = delay_s


class DialLedger:
    """Writes what is known of each dial, and tells it."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def dials(self, call: Call) -> list[Dial]:
        """Return the call's dials, the oldest first."""
        return self._resources.store.dials(call.id)

    def intend(self, call: Call) -> Dial:
        """Write the intent; it is on disk once the store is durable."""
        clock = self._resources.clock
        dial = Dial(
            id=clock.new_id("dial"),
            call=call.id,
            number=call.contact.number,
            status=DialStatus.INTENT,
            intended_utc_s=clock.utc(),
        )
        self._resources.store.save_dial(dial)
        number = mask(dial.number)
        self._resources.bus.emit(DialIntended(call=call.id, dial=dial.id, number=number))
        return dial

    def settle(
        self, dial: Dial, status: DialStatus, *, reason: str = "", conversation: str = ""
    ) -> Dial:
        """Write what became of a dial."""
        resources = self._resources
        settled = dial.evolve(
            status=status,
            reason=reason,
            conversation=conversation,
            ended_utc_s=resources.clock.utc() if dial.ended_utc_s is None else dial.ended_utc_s,
        )
        resources.store.save_dial(settled)
        told = "unknown" if status is DialStatus.UNPROVEN else status.value
        resources.bus.emit(
            DialSettled(
                call=dial.call,
                dial=dial.id,
                status=told,  # type: ignore[arg-type]
                conversation=conversation,
                reason=reason,
            )
        )
        return settled


class Prover:
    """Asks the provider what became of a dial whose outcome is open."""

    def __init__(self, resources: Resources, ledger: DialLedger) -> None:
        self._resources = resources
        self._ledger = ledger
        voice = resources.settings.services.elevenlabs
        self.graces = Graces(unknown_s=voice.lookup_grace_s, refused_s=voice.refusal_grace_s)

    async def prove(self, dial: Dial) -> Dial:
        """Return the dial as placed, as absent, or unchanged while its absence is no proof yet.

        Raises `ServiceError` when the look-up failed: that proves nothing.
        """
        clock = self._resources.clock
        wait_s = proof_wait_s(dial, clock.utc(), self.graces)
        found = await self._resources.services.telephony.look_up(
            call_id=dial.call, since_utc_s=dial.intended_utc_s
        )
        known = frozenset(
            other.conversation
            for other in self._resources.store.dials(dial.call)
            if other.conversation and other.id != dial.id
        )
        call = match(dial, found, known)
        conversation = "" if call is None else call.conversation
        proven = call is not None or wait_s <= 0
        self._resources.bus.emit(
            DialLookedUp(
                call=dial.call,
                dial=dial.id,
                found=call is not None,
                conversation=conversation,
                proven=proven,
            )
        )
        if call is not None:
            return self._ledger.settle(
                dial, DialStatus.PLACED, reason="found by look-up", conversation=conversation
            )
        if proven:
            return self._ledger.settle(dial, DialStatus.ABSENT, reason="proven not called")
        return dial


class DialStep:
    """Rings a person at most once: no second POST before the first is refused or disproven."""

    def __init__(self, resources: Resources, operations: Operations, control: Control) -> None:
        self._resources = resources
        self._operation = operations.dial
        self._control = control
        self.ledger = DialLedger(resources)
        self.prover = Prover(resources, self.ledger)

    async def __call__(self, journey: Journey) -> None:
        """Do the step; raises what the Guard raises, or `NotNow`."""
        placed = await self._resources.services.voice.run(
            self._operation, lambda: self._attempt(journey), journey.work
        )
        now_utc_s = self._resources.clock.utc()
        journey.finish_step(
            f"placed as {placed.conversation}",
            conversation=placed.conversation,
            dials=journey.call.dials + 1,
            results=journey.results_with(placed_utc_s=now_utc_s, reason=placed.reason),
        )

    async def _attempt(self, journey: Journey) -> Dial:
        """Make one attempt: look up an open dial first, ask the breaker again, then dial."""
        breaker = self._resources.services.voice.breaker
        generation = breaker.generation
        known = open_dial(self.ledger.dials(journey.call))
        if known is not None:
            await self._until_absence_is_proof(known)
            known = await self.prover.prove(known)
            if known.status is DialStatus.PLACED:
                return known
            breaker.check(generation)
        self._refuse_unless_now(journey.call)
        dial = self.ledger.intend(journey.call)
        await self._resources.store.durable()
        try:
            breaker.check(generation)
            self._refuse_unless_now(journey.call)
        except (CircuitOpen, NotNow):
            self.ledger.settle(dial, DialStatus.REFUSED, reason="not sent")
            raise
        return await self._post(journey.call, dial)

    async def _until_absence_is_proof(self, dial: Dial) -> None:
        """Wait out a short grace; a long one raises `NotNow` and frees the lane."""
        wait_s = proof_wait_s(dial, self._resources.clock.utc(), self.prover.graces)
        if wait_s > self.prover.graces.refused_s:
            raise NotNow("too early to know whether the last dial rang", delay_s=wait_s)
        while wait_s > 0:
            await asyncio.sleep(wait_s)
            wait_s = proof_wait_s(dial, self._resources.clock.utc(), self.prover.graces)

    async def _post(self, call: Call, dial: Dial) -> Dial:
        """Send the one request that may ring the phone, and write what it answered."""
        try:
            placed = await self._resources.services.telephony.dial(
                call_id=call.id,
                attempt_id=dial.id,
                number=call.contact.number,
                variables=self._variables(call),
                first_message=str(call.results.get("compose", {}).get("text", "")),
            )
        except ServiceError as error:
            self.ledger.settle(dial, _status_after(error), reason=error.message)
            raise
        return self.ledger.settle(
            dial, DialStatus.PLACED, reason=placed.reason, conversation=placed.conversation
        )

    @staticmethod
    def _variables(call: Call) -> dict[str, str]:
        contact = call.contact
        return {**contact.variables, "name": contact.name, "extension": contact.extension}

    def _refuse_unless_now(self, call: Call) -> None:
        """Raise `NotNow` when this person may not be called at this moment."""
        if self._control.paused_by:
            raise NotNow(f"paused by {self._control.paused_by}", delay_s=0)
        if self._control.draining:
            raise NotNow("the worker is draining", delay_s=0)
        window = self._resources.window
        if window is not None:
            now_utc_s = self._resources.clock.utc()
            wait_s = opens_in_s(window, call.contact.timezone, now_utc_s)
            if wait_s > 0:
                raise NotNow("outside the calling window", delay_s=wait_s)


def _status_after(error: ServiceError) -> DialStatus:
    if error.outcome is Outcome.UNKNOWN:
        return DialStatus.UNKNOWN
    if error.outcome in {Outcome.UNAVAILABLE, Outcome.TIMEOUT}:
        return DialStatus.UNPROVEN
    return DialStatus.REFUSED
