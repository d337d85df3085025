"""The steps around the dial: look up, compose, follow, record."""

import asyncio
from typing import Final

from callagent_cli.calls.evidence import Facts, result_of
from callagent_cli.calls.model import CallState, Step
from callagent_cli.errors import CircuitOpen, Deferred, InvalidPayload, ServiceError
from callagent_cli.resilience.outcome import Outcome
from callagent_cli.resilience.work import Work
from callagent_cli.services.conversations import Conversation
from callagent_cli.worker.conclusion import conclude
from callagent_cli.worker.degraded import Degraded
from callagent_cli.worker.journey import Journey
from callagent_cli.worker.operations import Operations
from callagent_cli.worker.opt_outs import OptOuts
from callagent_cli.worker.ports import Composer, CustomerRecords
from callagent_cli.worker.prompts import fill
from callagent_cli.worker.resources import Resources

_NOT_YET_VISIBLE_S: Final = 60.0
"""How long a placed conversation may answer 404 before that is believed."""

_STALLED_EVERY_S: Final = 300.0
_STALLED_FOR_S: Final = 24 * 3600.0
_HTTP_NOT_FOUND: Final = 404


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


class ComposeStep:
    """Has the first model write the opening; the second stands in while the first is down."""

    def __init__(self, resources: Resources, operations: Operations, degraded: Degraded) -> None:
        self._services = resources.services
        self._operations = operations.compose
        self._degraded = degraded
        self._prompt = resources.settings.services.llm.prompt

    async def __call__(self, journey: Journey) -> None:
        """Do the step; the last model's problem is raised when no model could."""
        prompt = fill(self._prompt, journey.call)
        composers = self._services.composers
        for name, composer in composers[:-1]:
            # A model that has a stand-in gets one attempt: waiting would help nobody.
            once = Work(journey.call.id, retries=False)
            try:
                text = await self._compose(name, composer, prompt, once)
            except (ServiceError, CircuitOpen, Deferred) as problem:
                self._stand_in(name, problem)
                continue
            if self._services.guards[name].breaker.state == "closed":
                self._degraded.end(Step.COMPOSE.value, name)
            self._finish(journey, name, text)
            return
        name, composer = composers[-1]
        self._finish(journey, name, await self._compose(name, composer, prompt, journey.work))

    def _stand_in(self, name: str, problem: ServiceError | CircuitOpen | Deferred) -> None:
        """Say that the next model writes instead, unless only this text was refused."""
        if not (isinstance(problem, ServiceError) and problem.outcome is Outcome.REJECTED):
            second = self._services.composers[-1][0]
            self._degraded.begin(Step.COMPOSE.value, name, instead=second, reason=problem.message)

    async def _compose(self, name: str, composer: Composer, prompt: str, work: Work) -> str:
        return await self._services.guards[name].run(
            self._operations[name], lambda: composer.compose(prompt=prompt), work
        )

    @staticmethod
    def _finish(journey: Journey, name: str, text: str) -> None:
        journey.finish_step(f"composed by {name}", results=journey.results_with(text=text, by=name))


class FollowStep:
    """Asks every few seconds how the conversation goes, until it has ended."""

    def __init__(self, resources: Resources, operations: Operations) -> None:
        self._resources = resources
        self._voice = resources.services.voice
        self._telephony = resources.services.telephony
        self._operation = operations.follow
        self._opt_outs = OptOuts(resources)
        self._settings = resources.settings.services.elevenlabs

    async def __call__(self, journey: Journey) -> None:
        """Do the step: it ends in the next step, a redial, or a wait for a stalled call."""
        settings = self._settings
        is_fresh = self._age_s(journey) < settings.follow_every_s
        while True:
            age_s = self._age_s(journey)
            # A call that comes back from a wait is asked about at once.
            if is_fresh:
                await asyncio.sleep(settings.follow_every_s)
            is_fresh = True
            conversation = await self._voice.run(
                self._operation, lambda: self._ask(journey), journey.work
            )
            journey.succeeded()
            if conversation is not None and conversation.terminal:
                self._conclude(journey, conversation)
                return
            if age_s >= settings.follow_lease_s:
                self._stall(journey, age_s)
                return

    def _age_s(self, journey: Journey) -> float:
        placed = journey.call.results.get("dial", {}).get("placed_utc_s")
        now_utc_s = self._resources.clock.utc()
        return float(now_utc_s - placed) if isinstance(placed, int | float) else 0.0

    async def _ask(self, journey: Journey) -> Conversation | None:
        """Return how the conversation stands; None when it cannot be seen yet.

        That is part of the attempt: an answer of 404 to a young call is no refusal.
        """
        try:
            return await self._telephony.conversation(journey.call.conversation)
        except InvalidPayload as error:
            young = self._age_s(journey) < _NOT_YET_VISIBLE_S
            if error.status == _HTTP_NOT_FOUND and young:
                return None
            raise

    def _stall(self, journey: Journey, age_s: float) -> None:
        minutes = age_s / 60
        if age_s >= _STALLED_FOR_S:
            journey.move(CallState.REVIEW, f"still in progress after {minutes:.0f} min")
            return
        reason = f"stalled: in progress for {minutes:.0f} min"
        journey.park(reason, delay_s=_STALLED_EVERY_S, attempts=0)

    def _conclude(self, journey: Journey, conversation: Conversation) -> None:
        result = result_of(
            Facts(
                status=conversation.status,
                call_result=conversation.call_result,
                duration_s=conversation.duration_s,
                agent_turns=conversation.transcript_turns_agent,
                user_turns=conversation.transcript_turns_user,
                accepted=conversation.accepted_utc_s is not None,
                error_type=conversation.error_type,
                error_reason=conversation.error_reason,
            )
        )
        found = journey.results_with(
            status=conversation.status,
            duration_s=conversation.duration_s,
            cost=conversation.cost,
            reason=conversation.termination_reason or conversation.error_reason,
            successful=conversation.call_successful,
        )
        opted_out = self._opt_outs.hear(journey.call, conversation.data_collection)
        if opted_out:
            found = journey.results_with(**found[Step.FOLLOW.value], opted_out=opted_out)
            journey.finish_step(opted_out, results=found, result=result.value)
            return
        conclude(journey, self._resources, result, results=found)


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
