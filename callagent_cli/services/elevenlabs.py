"""The voice platform ElevenLabs: placing a call, finding it again, following it."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec

from callagent_cli.errors import OutcomeUnknown, ServiceUnavailable
from callagent_cli.masking import safe_text
from callagent_cli.services.answers import decode, is_id, text
from callagent_cli.services.conversations import (
    Candidate,
    Conversation,
    Page,
    Shown,
    candidate,
    read_conversation,
)
from callagent_cli.services.elevenlabs_errors import dial_error_of, error_of
from callagent_cli.services.elevenlabs_refusals import refused
from callagent_cli.services.exchange import Exchange, is_ok
from callagent_cli.services.http import Http, Request, Response
from callagent_cli.settings import ElevenLabs

__all__ = ["Candidate", "Conversation", "ElevenLabsAdapter", "Placed"]

_CONVERSATIONS: Final = "/v1/convai/conversations"
_DIAL_PATHS: Final = {
    "twilio": "/v1/convai/twilio/outbound-call",
    "sip_trunk": "/v1/convai/sip-trunk/outbound-call",
}
_RESERVED: Final = "system__"
_PAGE_SIZE: Final = 100
_CANDIDATES_MAX: Final = 100
_CLOCK_DOUBT_S: Final = 60
"""How far the provider's clock may be ahead or behind before a look-up misses a call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A dial that made a conversation.

    `provider_call` is the carrier's id. `accepted` is false when the platform says that the call
    failed: it is followed all the same, because such a phone may have rung. `reason` says why.
    """

    conversation: str
    provider_call: str
    accepted: bool
    reason: str


class _DialAnswer(msgspec.Struct):
    """The body of a dial's 200, for either carrier."""

    success: bool | None = None
    message: Any = None
    conversation_id: str | None = None
    call_sid: Any = msgspec.field(default=None, name="callSid")
    sip_call_id: Any = None


@lru_cache(maxsize=1024)
def _path_of(conversation: str) -> str:
    """Return where a conversation is asked for; one under way is asked for every few seconds."""
    return f"{_CONVERSATIONS}/{quote(conversation, safe='')}"


class ElevenLabsAdapter:
    """Turns callagent's operations into ElevenLabs requests, and its answers into outcomes.

    `utc` gives the seconds since 1970. Every method raises only `ServiceError`s.
    """

    def __init__(
        self, http: Http, settings: ElevenLabs, api_key: str, utc: Callable[[], float]
    ) -> None:
        self._exchange = Exchange(http=http, service="elevenlabs", utc=utc, secret=api_key)
        self._settings = settings
        self._headers = {"xi-api-key": api_key}
        query = {"page_size": 1, "summary_mode": "exclude", "agent_id": settings.agent_id}
        self._health = self._request(
            "elevenlabs.health",
            f"{_CONVERSATIONS}?{urlencode(query)}",
            settings.policy.health.timeout_s,
        )

    async def dial(
        self,
        *,
        call_id: str,
        attempt_id: str,
        number: str,
        variables: Mapping[str, Any],
        first_message: str = "",
    ) -> Placed:
        """Ask for a phone to be rung once; `number` is E.164.

        Raises `OutcomeUnknown` whenever the phone may have rung and nothing says so; every other
        error means that the request was refused, or for `ServiceUnavailable` that a look-up must
        come before the next dial.
        """
        body = self._dial_body(call_id, attempt_id, number, variables=variables)
        if first_message:
            override = {"agent": {"first_message": first_message}}
            data = body["conversation_initiation_client_data"]
            data["conversation_config_override"] = override
        request = Request(
            target="elevenlabs.dial",
            method="POST",
            path=_DIAL_PATHS[self._settings.carrier],
            headers={**self._headers, "content-type": "application/json"},
            body=msgspec.json.encode(body),
            timeout_s=self._settings.dial_timeout,
            alone=True,
        )
        response = await self._exchange.send(request, may_have_effect=True)
        if not is_ok(response):
            raise dial_error_of(self._exchange, response)
        return self._placed(response)

    def _dial_body(
        self, call_id: str, attempt_id: str, number: str, *, variables: Mapping[str, Any]
    ) -> dict[str, Any]:
        settings = self._settings
        allowed = {
            name: value for name, value in variables.items() if not name.startswith(_RESERVED)
        }
        ids = {"callagent_call_id": call_id, "callagent_attempt_id": attempt_id}
        ringing_s = max(1, math.ceil(settings.ringing_timeout_s))
        return {
            "agent_id": settings.agent_id,
            "agent_phone_number_id": settings.agent_phone_number_id,
            "to_number": number,
            "conversation_initiation_client_data": {
                "user_id": call_id,
                "dynamic_variables": {**allowed, **ids},
            },
            "telephony_call_config": {"ringing_timeout_secs": ringing_s},
        }

    def _placed(self, response: Response) -> Placed:
        """Read a 2xx: a conversation id means that there is a call, whatever else is said."""
        answer = decode(response.body, _DialAnswer)
        if answer is None:
            raise self._exchange.unreadable(response, kind=OutcomeUnknown)
        secret = self._exchange.secret
        if answer.conversation_id and not is_id(answer.conversation_id):
            raise self._exchange.unreadable(response, kind=OutcomeUnknown, code="strange_id")
        if answer.conversation_id:
            accepted = answer.success is not False
            return Placed(
                conversation=answer.conversation_id,
                provider_call=text(answer.call_sid) or text(answer.sip_call_id),
                accepted=accepted,
                reason="" if accepted else safe_text(answer.message, secret=secret),
            )
        if answer.success is False:
            verdict, code = refused(text(answer.message))
            refusal = self._exchange.refusal(response, code=code, message=answer.message)
            raise refusal.error(verdict)
        raise self._exchange.unreadable(response, kind=OutcomeUnknown, code="no_conversation_id")

    async def look_up(
        self,
        *,
        call_id: str,
        since_utc_s: float,
        may_go_on: Callable[[], None] = lambda: None,
    ) -> list[Candidate]:
        """Return the conversations that belong to a call and began after an instant, latest first.

        It takes several requests: `may_go_on` is asked before each but the first, and ends the
        look-up by raising, as a breaker that opened meanwhile does.
        Raises a `ServiceError` unless every page and every candidate could be read: an empty list
        is a proof that nobody was called, and half a look-up proves nothing.
        """
        found: list[Candidate] = []
        asked: set[str] = set()
        cursor: str | None = ""
        while cursor is not None:
            page, response = await self._page(call_id, since_utc_s, cursor)
            for item in page.conversations:
                if item.conversation_id in asked:
                    continue
                asked.add(item.conversation_id)
                if len(asked) > _CANDIDATES_MAX:
                    raise self._unproven(response, "endless_list")
                if not is_id(item.conversation_id):
                    raise self._unproven(response, "strange_id")
                may_go_on()
                known = await self._candidate(item.conversation_id, call_id)
                if known is not None:
                    found.append(known)
            cursor = self._next_cursor(page, response, cursor)
            if cursor is not None:
                may_go_on()
        return found

    async def _page(self, call_id: str, since_utc_s: float, cursor: str) -> tuple[Page, Response]:
        query = {
            "agent_id": self._settings.agent_id,
            "user_id": call_id,
            "call_start_after_unix": max(0, math.floor(since_utc_s) - _CLOCK_DOUBT_S),
            "page_size": _PAGE_SIZE,
            "summary_mode": "exclude",
        }
        if cursor:
            query["cursor"] = cursor
        path = f"{_CONVERSATIONS}?{urlencode(query)}"
        timeout_s = self._settings.look_up_timeout_s
        response = await self._get("elevenlabs.look_up", path, timeout_s)
        page = decode(response.body, Page)
        if page is None:
            raise self._exchange.unreadable(response, kind=ServiceUnavailable)
        return page, response

    def _next_cursor(self, page: Page, response: Response, cursor: str) -> str | None:
        if not page.has_more:
            return None
        if not page.next_cursor or page.next_cursor == cursor or not page.conversations:
            raise self._unproven(response, "incomplete_list")
        return page.next_cursor

    def _unproven(self, response: Response, code: str) -> ServiceUnavailable:
        return self._exchange.unreadable(response, kind=ServiceUnavailable, code=code)

    async def _candidate(self, conversation: str, call_id: str) -> Candidate | None:
        timeout_s = self._settings.look_up_timeout_s
        request = self._request("elevenlabs.look_up", _path_of(conversation), timeout_s)
        response = await self._exchange.send(request)
        if response.status == 404:  # noqa: PLR2004 — Not Found.
            # Listed a moment ago: not yet readable, which is anything but absent.
            raise self._unproven(response, "conversation_not_found")
        if not is_ok(response):
            raise error_of(self._exchange, response)
        shown = decode(response.body, Shown)
        if shown is None:
            raise self._exchange.unreadable(response, kind=ServiceUnavailable)
        return candidate(conversation, shown, call_id)

    async def conversation(self, conversation_id: str) -> Conversation:
        """Return how a placed call stands.

        A conversation that is not known, or not yet, raises `InvalidPayload` with status 404.
        """
        timeout_s = self._settings.follow_timeout_s
        response = await self._get("elevenlabs.follow", _path_of(conversation_id), timeout_s)
        secret = self._exchange.secret
        conversation = read_conversation(response.body, asked=conversation_id, secret=secret)
        if conversation is None:
            raise self._exchange.unreadable(response, kind=ServiceUnavailable)
        return conversation

    async def health(self) -> None:
        """Ask for one conversation, which needs exactly the rights that dialing needs."""
        response = await self._sent(self._health)
        if decode(response.body, Page) is None:
            raise self._exchange.unreadable(response, kind=ServiceUnavailable)

    async def _get(self, target: str, path: str, timeout_s: float) -> Response:
        return await self._sent(self._request(target, path, timeout_s))

    async def _sent(self, request: Request) -> Response:
        response = await self._exchange.send(request)
        if not is_ok(response):
            raise error_of(self._exchange, response)
        return response

    def _request(self, target: str, path: str, timeout_s: float) -> Request:
        # What a look-up answers is proof: it must not be the answer to another request.
        return Request(
            target=target,
            method="GET",
            path=path,
            headers=self._headers,
            timeout_s=timeout_s,
            alone=target == "elevenlabs.look_up",
        )
