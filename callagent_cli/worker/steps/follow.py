"""The step after the dial: how the conversation goes, until it has ended."""

import asyncio
from typing import Final

from callagent_cli.calls.evidence import Facts, result_of
from callagent_cli.calls.model import CallState, Step
from callagent_cli.errors import InvalidPayload
from callagent_cli.services.conversations import Conversation
from callagent_cli.worker.journey import Journey
from callagent_cli.worker.operations import Operations
from callagent_cli.worker.resources import Resources
from callagent_cli.worker.steps.conclusion import conclude
from callagent_cli.worker.steps.opt_outs import OptOuts

_NOT_YET_VISIBLE_S: Final = 60.0
"""How long a placed conversation may answer 404 before that is believed."""

_STALLED_EVERY_S: Final = 300.0
_LONG_STALLED_S: Final = 3600.0
_LONG_STALLED_EVERY_S: Final = 900.0
"""A call that has not ended within an hour hardly ends within the next five minutes."""

_STALLED_FOR_S: Final = 24 * 3600.0
_HTTP_NOT_FOUND: Final = 404


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
        every_s = _STALLED_EVERY_S if age_s < _LONG_STALLED_S else _LONG_STALLED_EVERY_S
        journey.park(reason, delay_s=every_s, attempts=0)

    def _conclude(self, journey: Journey, conversation: Conversation) -> None:
        result = result_of(facts_of(conversation))
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


def facts_of(conversation: Conversation) -> Facts:
    """Return what the result of a conversation that has ended is judged by."""
    return Facts(
        status=conversation.status,
        call_result=conversation.call_result,
        duration_s=conversation.duration_s,
        agent_turns=conversation.transcript_turns_agent,
        user_turns=conversation.transcript_turns_user,
        accepted=conversation.accepted_utc_s is not None,
        audio=conversation.has_audio,
        user_audio=conversation.has_user_audio,
        agent_audio=conversation.has_response_audio,
        termination_reason=conversation.termination_reason,
        error_type=conversation.error_type,
        error_reason=conversation.error_reason,
    )
