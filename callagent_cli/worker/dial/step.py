"""The step that rings a phone: look up what is open, then one intent on disk, then one POST."""

import asyncio
from typing import Final

from callagent_cli.calls.evidence import result_of_refusal
from callagent_cli.calls.ledger import open_dial
from callagent_cli.calls.model import Call, Dial, DialStatus
from callagent_cli.errors import CircuitOpen, InvalidPayload, ServiceError
from callagent_cli.resilience.outcome import Outcome
from callagent_cli.worker.dial.ledger import DialLedger
from callagent_cli.worker.dial.permission import NotNow, Permission
from callagent_cli.worker.dial.prover import Prover
from callagent_cli.worker.journey import Journey
from callagent_cli.worker.operations import Operations
from callagent_cli.worker.resources import Resources
from callagent_cli.worker.steps.conclusion import conclude

_TICK_S: Final = 0.001
"""No wait is shorter: a loop's clock may not be able to tell a shorter one."""


class DialStep:
    """Rings a person at most once: no second POST before the first is refused or disproven."""

    def __init__(
        self,
        resources: Resources,
        operations: Operations,
        ledger: DialLedger,
        *,
        prover: Prover,
        permission: Permission,
    ) -> None:
        self._resources = resources
        self._operation = operations.dial
        self._ledger = ledger
        self._prover = prover
        self._permission = permission

    async def __call__(self, journey: Journey) -> None:
        """Do the step; raises what the Guard raises, or `NotNow`."""
        if open_dial(self._ledger.dials(journey.call.id)) is None:
            self._permission.check(journey.call)  # Nobody waits for a slot to hear this.
        try:
            placed = await self._resources.services.voice.run(
                self._operation, lambda: self._attempt(journey), journey.work
            )
        except InvalidPayload as refusal:
            result = result_of_refusal(refusal.code) if refusal.personal else None
            if result is None:
                raise
            conclude(journey, self._resources, result, dials=journey.call.dials + 1)
            return
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
        known = open_dial(self._ledger.dials(journey.call.id))
        if known is not None:
            await self._until_absence_is_proof(known)
            known = await self._prover.prove(known)
            if known.status is DialStatus.PLACED:
                return known
            breaker.check(generation)
        self._permission.check(journey.call)
        self._permission.check_number(journey.call)
        dial = self._ledger.intend(journey.call)
        await self._resources.store.durable()
        try:
            breaker.check(generation)
            self._permission.check(journey.call)
        except (CircuitOpen, NotNow):
            self._ledger.settle(dial, DialStatus.REFUSED, reason="not sent")
            raise
        return await self._post(journey.call, dial)

    async def _until_absence_is_proof(self, dial: Dial) -> None:
        """Wait out a short grace; a long one raises `NotNow` and frees the lane."""
        wait_s = self._prover.wait_s(dial)
        if wait_s > self._prover.graces.refused_s:
            raise NotNow("too early to know whether the last dial rang", delay_s=wait_s)
        while wait_s > 0:
            await asyncio.sleep(max(wait_s, _TICK_S))
            wait_s = self._prover.wait_s(dial)

    async def _post(self, call: Call, dial: Dial) -> Dial:
        """Send the one request that may ring the phone, and write what it answered."""
        contact = call.contact
        variables = {
            **contact.variables,
            "name": contact.name,
            "extension": contact.extension,
        }
        try:
            placed = await self._resources.services.telephony.dial(
                call_id=call.id,
                attempt_id=dial.id,
                number=contact.number,
                variables=variables,
                first_message=str(call.results.get("compose", {}).get("text", "")),
            )
        except ServiceError as error:
            self._ledger.settle(dial, _status_after(error), reason=error.message)
            raise
        except CircuitOpen:  # The door refused it: the breaker opened in this very moment.
            self._ledger.settle(dial, DialStatus.REFUSED, reason="not sent")
            raise
        return self._ledger.settle(
            dial, DialStatus.PLACED, reason=placed.reason, conversation=placed.conversation
        )


def _status_after(error: ServiceError) -> DialStatus:
    if error.outcome in {Outcome.UNKNOWN, Outcome.TIMEOUT}:
        return DialStatus.UNKNOWN
    return DialStatus.UNPROVEN if error.outcome is Outcome.UNAVAILABLE else DialStatus.REFUSED
