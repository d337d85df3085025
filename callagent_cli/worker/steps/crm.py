"""The two steps of the CRM: who the person is, before the dial; what became of it, after."""

from callagent_cli.calls.model import Step
from callagent_cli.worker.journey import Journey
from callagent_cli.worker.operations import Operations
from callagent_cli.worker.ports import CustomerRecords
from callagent_cli.worker.resources import Resources
from callagent_cli.worker.steps.degraded import Degraded


class LookUpStep:
    """Reads the person from the CRM; the call goes on without when that fails."""

    def __init__(self, resources: Resources, operations: Operations, degraded: Degraded) -> None:
        self._services = resources.services
        self._operation = operations.crm_look_up
        self._degraded = degraded

    async def __call__(self, journey: Journey) -> None:
        """Do the step."""
        records = self._services.records
        if records is None:
            journey.finish_step("no CRM configured")
            return
        contact = journey.call.contact
        person = await self._services.guards["crm"].run(
            self._operation,
            lambda: records.look_up(crm_id=contact.crm_id, number=contact.number),
            journey.work,
        )
        if self._services.guards["crm"].breaker.state == "closed":
            self._degraded.end(Step.LOOK_UP.value, "crm")
        if person is None:
            journey.finish_step("not in the CRM")
            return
        found = journey.results_with(crm_id=person.id, properties=dict(person.properties))
        journey.finish_step("found in the CRM", results=found)


class RecordStep:
    """Writes the call into the CRM, once: a record whose answer was lost is looked for first."""

    def __init__(self, resources: Resources, operations: Operations) -> None:
        self._resources = resources
        self._operation = operations.crm_record

    async def __call__(self, journey: Journey) -> None:
        """Do the step."""
        records = self._resources.services.records
        if records is None:
            journey.finish_step(journey.call.result)
            return
        record_id = await self._resources.services.guards["crm"].run(
            self._operation, lambda: self._attempt(journey, records), journey.work
        )
        journey.finish_step(
            journey.call.result, results=journey.results_with(asked=True, id=record_id)
        )

    async def _attempt(self, journey: Journey, records: CustomerRecords) -> str:
        call = journey.call
        breaker = self._resources.services.guards["crm"].breaker
        generation = breaker.generation
        if call.results.get("record", {}).get("asked"):
            known = await records.find_record(call.id)
            if known is not None:
                return known
        else:
            journey.note(results=journey.results_with(asked=True))
            await self._resources.store.durable()
        breaker.check(generation)  # The first half took a moment: nothing is sent while open.
        follow = call.results.get("follow", {})
        look_up = call.results.get("look_up", {})
        dial = call.results.get("dial", {})
        return await records.record(
            call_id=call.id,
            marker=call.id,
            crm_id=str(look_up.get("crm_id") or call.contact.crm_id),
            title=f"callagent: {call.result}",
            body=f"Conversation {call.conversation or 'none'}, {call.result}.",
            status=call.result,
            duration_s=float(follow.get("duration_s") or 0.0),
            to_number=call.contact.number,
            at_utc_s=float(dial.get("placed_utc_s") or self._resources.clock.utc()),
        )
