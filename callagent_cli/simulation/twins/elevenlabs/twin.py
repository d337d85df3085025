"""The voice platform's twin: dials are played out from the seed and the number alone."""

from dataclasses import dataclass, field
from typing import Final

import msgspec

from callagent_cli.simulation.twins.elevenlabs import errors
from callagent_cli.simulation.twins.elevenlabs.conversation import Conversation
from callagent_cli.simulation.twins.elevenlabs.conversation_list import Conversations, ListQuery
from callagent_cli.simulation.twins.elevenlabs.dial import DialBody, placed, refused_by_carrier
from callagent_cli.simulation.twins.keys import AGENT_ID, ELEVENLABS_KEY, PHONE_NUMBER_ID
from callagent_cli.simulation.twins.latency import Latency
from callagent_cli.simulation.twins.ledger import Ledger, PlacedCall
from callagent_cli.simulation.twins.personality import Ending, Personality
from callagent_cli.simulation.twins.twin import (
    Facts,
    RequestIds,
    TwinAnswer,
    TwinRequest,
    json_answer,
)

_CONVERSATIONS: Final = "/v1/convai/conversations"
_ONE_CONVERSATION: Final = f"{_CONVERSATIONS}/"
_ONE_ROUTE: Final = f"{_ONE_CONVERSATION}{{id}}"
_DIALS: Final = {
    "/v1/convai/twilio/outbound-call": "twilio",
    "/v1/convai/sip-trunk/outbound-call": "sip_trunk",
}
_LIVE_COUNT: Final = "/v1/convai/analytics/live-count"
_SUBSCRIPTION: Final = "/v1/user/subscription"
_CHECKS: Final = {
    path: Facts(operation="health", route=path)
    for path in (_CONVERSATIONS, _LIVE_COUNT, _SUBSCRIPTION)
}
_FILTERS_BY_CALL: Final = {"user_id", "dynamic_variable_params"}
_CREDITS: Final = 10_000_000
_MONTH_S: Final = 30 * 86_400
_KIND: Final = "conversation"


@dataclass(frozen=True, slots=True, kw_only=True)
class ElevenLabsOptions:
    """What can be set about the twin.

    An agent or phone number is known when its id begins with one of the known beginnings;
    a placed call is listed only `list_lag_s` after it was placed. `opt_out_field` is the item in
    which the agent collects whether a person wants no more calls.
    """

    key: str = ELEVENLABS_KEY
    seed: int = 7
    personality: Personality = field(default_factory=Personality)
    list_lag_s: float = 0.0
    known_agents: tuple[str, ...] = (AGENT_ID,)
    known_phone_numbers: tuple[str, ...] = (PHONE_NUMBER_ID,)
    opt_out_field: str = "do_not_call"


class ElevenLabsTwin:
    """Plays the voice platform; calls kept in the ledger go on where they stood."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        options: ElevenLabsOptions | None = None,
        latency: Latency | None = None,
        service: str = "elevenlabs",
    ) -> None:
        self.service = service
        self._options = options or ElevenLabsOptions()
        self._ledger = ledger
        self._latency = latency or Latency(self._options.seed)
        self._ids = RequestIds("el")
        self._conversations = Conversations(self._options.list_lag_s)
        for _, document in ledger.kept(_KIND):
            self._conversations.add(msgspec.json.decode(document, type=Conversation))

    def conversation(self, conversation_id: str) -> Conversation | None:
        """Return a placed call."""
        return self._conversations.get(conversation_id)

    def describe(self, request: TwinRequest) -> Facts:
        """Say what a request is about; a list that filters by call is a look-up."""
        path = request.path
        if request.method == "POST":
            return DialBody(request).facts(path) if path in _DIALS else Facts()
        if request.method != "GET":
            return Facts()
        if path.startswith(_ONE_CONVERSATION):
            conversation = self._conversations.get(path.removeprefix(_ONE_CONVERSATION))
            call_id = conversation.user_id if conversation else ""
            return Facts(operation="follow", route=_ONE_ROUTE, call_id=call_id)
        if path == _CONVERSATIONS and request.query.keys() & _FILTERS_BY_CALL:
            return Facts(operation="look_up", route=path, call_id=request.first("user_id"))
        return _CHECKS.get(path) or Facts()

    def handle(self, request: TwinRequest, at: float, facts: Facts | None = None) -> TwinAnswer:
        """Carry the request out and answer it."""
        facts = facts or self.describe(request)
        answer = self._answer(request, facts, at)
        after_s = self._latency.draw(facts.operation) + answer.after_s
        return TwinAnswer(answer.status, answer.headers, answer.body, after_s, answer.effect)

    def _answer(self, request: TwinRequest, facts: Facts, at: float) -> TwinAnswer:
        operation = facts.operation
        if not operation:
            return errors.unknown_route()
        if request.headers.get("xi-api-key") != self._options.key:
            return self._unauthorized(request)
        if operation == "dial":
            return self._dial(request, facts, at)
        if operation == "follow":
            return self._show(request.path.removeprefix(_ONE_CONVERSATION), at)
        if request.path == _CONVERSATIONS:
            return self._list(request, at)
        return self._check(request.path, at)

    def _unauthorized(self, request: TwinRequest) -> TwinAnswer:
        if "xi-api-key" in request.headers:
            code, message = "invalid_api_key", "Invalid API key"
        else:
            code, message = "needs_authorization", "Neither authorization header nor xi-api-key."
        kind = "authentication_error"
        return errors.refused(401, kind, code, message, request_id=self._ids.next())

    def _not_found(self, code: str, message: str, *, legacy_status: str = "") -> TwinAnswer:
        return errors.refused(
            404,
            "not_found",
            code,
            message,
            legacy_status=legacy_status,
            request_id=self._ids.next(),
        )

    def _show(self, conversation_id: str, at: float) -> TwinAnswer:
        conversation = self._conversations.get(conversation_id)
        if conversation is None:
            message = f"Conversation {conversation_id} not found."
            legacy = "conversation_history_not_found"
            return self._not_found("conversation_not_found", message, legacy_status=legacy)
        return json_answer(200, conversation.shown(at))

    def _list(self, request: TwinRequest, at: float) -> TwinAnswer:
        query = ListQuery.parse(request)
        if isinstance(query, str):
            fault = {"type": "value_error", "loc": ["query", query], "msg": "Value error"}
            return errors.invalid([fault])
        page = self._conversations.page(query, at)
        body = {
            "conversations": [each.listed(at) for each in page.conversations],
            "has_more": page.cursor is not None,
            "next_cursor": page.cursor,
        }
        return json_answer(200, body)

    def _check(self, path: str, at: float) -> TwinAnswer:
        if path == _LIVE_COUNT:
            return json_answer(200, {"count": self._conversations.live_count(at)})
        body = {
            "tier": "sandbox",
            "status": "active",
            "character_count": self._conversations.credits_used(at),
            "character_limit": _CREDITS,
            "next_character_count_reset_unix": int(at) + _MONTH_S,
        }
        return json_answer(200, body)

    def _dial(self, request: TwinRequest, facts: Facts, at: float) -> TwinAnswer:
        dial = DialBody(request)
        faults = dial.faults()
        if faults:
            return errors.invalid(faults)
        if not dial.agent_id.startswith(self._options.known_agents):
            return self._not_found("agent_not_found", f"Agent {dial.agent_id} not found.")
        if not dial.phone_number_id.startswith(self._options.known_phone_numbers):
            message = f"Document with id {dial.phone_number_id} not found."
            return self._not_found("phone_number_not_found", message)
        carrier = _DIALS[request.path]
        if not dial.is_callable:
            return refused_by_carrier(carrier, dial.number)
        return placed(self._place(dial, facts, carrier, at))

    def _place(self, dial: DialBody, facts: Facts, carrier: str, at: float) -> Conversation:
        rung = self._ledger.times_rung(dial.number)
        options = self._options
        play, lots = options.personality.play(options.seed, dial.number, rung + 1)
        if play.ending is Ending.NO_ANSWER and play.ring_s > dial.ringing_timeout_s:
            play = msgspec.structs.replace(play, ring_s=dial.ringing_timeout_s)
        conversation = Conversation(
            id=f"conv_{lots.getrandbits(104):026x}",
            carrier=carrier,
            agent_id=dial.agent_id,
            phone_number_id=dial.phone_number_id,
            number=dial.number,
            call_sid=f"{'CA' if carrier == 'twilio' else 'SC'}{lots.getrandbits(128):032x}",
            user_id=dial.user_id,
            variables=dial.variables,
            placed_at=at,
            play=play,
            opt_out_field=options.opt_out_field,
        )
        call = PlacedCall(
            conversation=conversation.id,
            number=facts.number,
            call_id=facts.call_id,
            attempt_id=facts.attempt_id,
            at=at,
        )
        self._ledger.place(call)
        self._ledger.keep(_KIND, conversation.id, msgspec.json.encode(conversation))
        self._conversations.add(conversation)
        return conversation
