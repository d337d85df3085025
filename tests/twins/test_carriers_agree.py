"""The same requests over a real wire and in process: the same answers, errors and ledger."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from twin_helpers import ANA, BEN, CONVERSATIONS, SIP, TWILIO, dial_body
from wire_helpers import Scripted, desks, still_clock, wire

from callagent_cli.services.http import Http, Request, TransportError
from callagent_cli.services.httpx_client import HttpxClient
from callagent_cli.simulation.carriers.action import WireAction
from callagent_cli.simulation.carriers.in_process import InProcessHttp
from callagent_cli.simulation.twins.keys import CRM_TOKEN, ELEVENLABS_KEY, LLM_KEY
from callagent_cli.simulation.twins.ledger import Ledger
from callagent_cli.simulation.twins.personality import Personality
from callagent_cli.simulation.twins.roster import Roster

JSON = {"content-type": "application/json"}
ELEVENLABS = {**JSON, "xi-api-key": ELEVENLABS_KEY}
LLM = {**JSON, "authorization": f"Bearer {LLM_KEY}"}
CRM = {**JSON, "authorization": f"Bearer {CRM_TOKEN}"}
CALLS = "/crm/v3/objects/calls"
QUICK = Roster(personality=Personality(no_answer_s=(0, 0), refused_s=(0, 0), ring_s=(0, 0)))
MESSAGES = [{"role": "user", "content": "Greet Ana Ünsal — 你好."}]

Ask = tuple[str, str, str, dict[str, str], object]

REQUESTS: list[Ask] = [
    ("elevenlabs.dial", "POST", TWILIO, ELEVENLABS, dial_body()),
    ("elevenlabs.dial", "POST", SIP, ELEVENLABS, dial_body(BEN, "call_2", "dial_2")),
    ("elevenlabs.dial", "POST", TWILIO, ELEVENLABS, dial_body("nobody")),
    ("elevenlabs.dial", "POST", TWILIO, ELEVENLABS, {"agent_id": "x"}),
    ("elevenlabs.dial", "POST", TWILIO, JSON, dial_body()),
    ("elevenlabs.look_up", "GET", f"{CONVERSATIONS}?user_id=call_1&page_size=5", ELEVENLABS, None),
    ("elevenlabs.health", "GET", f"{CONVERSATIONS}?page_size=1", ELEVENLABS, None),
    ("elevenlabs.follow", "GET", f"{CONVERSATIONS}/conv_none%20such", ELEVENLABS, None),
    ("elevenlabs.health", "GET", "/v1/user/subscription", ELEVENLABS, None),
    ("elevenlabs.unknown", "DELETE", "/v1/nothing", ELEVENLABS, None),
    ("llm.compose", "POST", "/v1/chat/completions", LLM, {"model": "m", "messages": MESSAGES}),
    ("llm.compose", "POST", "/v1/chat/completions", LLM, {"model": "m"}),
    ("llm.health", "GET", "/v1/models", {}, None),
    (
        "llm_fallback.compose",
        "POST",
        "/v1/messages",
        {"x-api-key": LLM_KEY, "anthropic-version": "2023-06-01"},
        {"model": "m", "max_tokens": 9, "messages": MESSAGES},
    ),
    ("crm.look_up", "GET", "/crm/v3/objects/contacts/7?properties=phone", CRM, None),
    (
        "crm.record",
        "POST",
        CALLS,
        CRM,
        {"properties": {"hs_timestamp": "1", "hs_call_title": "a b"}},
    ),
    ("crm.find_record", "POST", f"{CALLS}/search", CRM, {"filterGroups": []}),
    ("crm.record", "POST", CALLS, CRM, {"properties": {}}),
    ("crm.health", "GET", "/account-info/v3/details", CRM, None),
]

Carrier = Callable[[str], Http]


async def answers_of(carrier: Carrier, asks: list[Ask], timeout_s: float = 1.0) -> list[Any]:
    """Send the requests one after the other; return answers, or the names of errors."""
    clients: dict[str, Http] = {}
    found: list[Any] = []
    for target, method, path, headers, body in asks:
        service = target.partition(".")[0]
        http = (
            clients.setdefault(service, carrier(service))
            if service not in clients
            else clients[service]
        )
        content = b"" if body is None else msgspec.json.encode(body)
        request = Request(
            target=target,
            method=method,
            path=path,
            headers=headers,
            body=content,
            timeout_s=timeout_s,
        )
        try:
            response = await http.send(request)
        except TransportError as error:
            found.append(type(error).__name__)
            continue
        said = {name: value for name, value in response.headers.items() if name != "content-length"}
        found.append((response.status, said, response.body))
    for http in clients.values():
        await http.close()
    return found


async def over_the_wire(asks: list[Ask], *actions: WireAction) -> tuple[list[Any], Ledger]:
    """Send the requests with the real client to the real server."""
    ledger = Ledger()
    async with wire(*actions, ledger=ledger, roster=QUICK) as server:
        urls = server.urls
        found = await answers_of(lambda service: HttpxClient(base_url=urls[service]), asks)
    return found, ledger


async def in_process(asks: list[Ask], *actions: WireAction) -> tuple[list[Any], Ledger]:
    """Send the requests straight to the twins."""
    ledger = Ledger()
    made = desks(ledger, Scripted(*actions), QUICK)
    clock = still_clock()
    found = await answers_of(lambda service: InProcessHttp(made[service], clock), asks)
    return found, ledger


def both(*actions: WireAction, asks: list[Ask] = REQUESTS) -> tuple[list[Any], list[Any]]:
    """Return what each carrier gave: its answers, and then its ledger."""

    async def run(
        carrier: Callable[..., Awaitable[tuple[list[Any], Ledger]]],
    ) -> list[Any]:
        found, ledger = await carrier(asks, *actions)
        return [*found, *ledger.requests(), *ledger.placed()]

    return asyncio.run(run(over_the_wire)), asyncio.run(run(in_process))


def test_every_route_answers_alike_on_both_carriers() -> None:
    """Status, headers, body and ledger are the same for good and bad requests."""
    on_wire, directly = both()

    assert on_wire == directly
    assert [each[0] for each in directly[: len(REQUESTS)]].count(200) >= 9


@pytest.mark.parametrize("applied", [False, True])
@pytest.mark.parametrize(
    "action",
    [
        {"kind": "answer", "status": 502, "headers": {"retry-after": "9"}, "body": b"<html>"},
        {"kind": "answer", "status": 200, "body": b""},
        {"kind": "reset"},
        {"kind": "reset", "mid_body": True},
        {"kind": "truncate"},
        {"kind": "truncate", "framing": "chunked"},
        {"kind": "garbage"},
        {"kind": "empty"},
        {"kind": "drip", "drip_bytes": 500, "drip_every_s": 0.001},
        {"kind": "stale_keepalive"},
    ],
)
def test_every_fault_is_the_same_error_on_both_carriers(
    action: dict[str, Any], applied: bool
) -> None:
    """The real client over a real connection tells exactly what the light carrier claims."""
    played = WireAction(**action, applied=applied)
    asks = [REQUESTS[0], REQUESTS[0], REQUESTS[0]]
    on_wire, directly = both(WireAction(), played, asks=asks)

    assert on_wire == directly
    assert directly[0][0] == directly[2][0] == 200


def test_a_hung_request_ends_alike_on_both_carriers() -> None:
    """The client's own timeout ends it as unanswered."""
    target, method, path, headers, body = REQUESTS[0]

    async def ended(http: Http) -> str:
        content = msgspec.json.encode(body)
        request = Request(
            target=target, method=method, path=path, headers=headers, body=content, timeout_s=0.1
        )
        try:
            await http.send(request)
        except TransportError as error:
            return type(error).__name__
        finally:
            await http.close()
        return "answered"

    async def scenario() -> tuple[str, str]:
        hang = WireAction(kind="hang")
        async with wire(hang) as server:
            on_wire = await ended(HttpxClient(base_url=server.urls["elevenlabs"]))
        desk = desks(Ledger(), Scripted(hang))["elevenlabs"]
        return on_wire, await ended(InProcessHttp(desk, still_clock()))

    assert asyncio.run(scenario()) == ("NoAnswer", "NoAnswer")


def test_a_closed_door_ends_alike_on_both_carriers() -> None:
    """A refused port and a black hole are requests that never left."""
    asks = [REQUESTS[0]]

    async def scenario() -> list[list[Any]]:
        found = []
        async with wire() as server:
            urls = server.urls
            for close in (server.refuse, server.swallow):
                close("elevenlabs")
                found.append(
                    await answers_of(lambda service: HttpxClient(base_url=urls[service]), asks)
                )
        refused, _ = await in_process(asks, WireAction(kind="refuse"))
        swallowed, _ = await in_process(asks, WireAction(kind="blackhole"))
        return [*found, refused, swallowed]

    assert asyncio.run(scenario()) == [["NotSent"]] * 4


def test_a_kept_alive_connection_is_not_reused_through_a_closed_door() -> None:
    """A client that was connected before the door closed is refused like any other."""

    async def scenario() -> list[Any]:
        async with wire() as server:
            urls = server.urls
            http = HttpxClient(base_url=urls["elevenlabs"])

            def keep(_service: str) -> Http:
                return _Kept(http)

            before = await answers_of(keep, [REQUESTS[0]])
            server.refuse("elevenlabs")
            await server._ports["elevenlabs"]._is_empty.wait()
            during = await answers_of(keep, [REQUESTS[0]])
            await server.open("elevenlabs")
            after = await answers_of(keep, [REQUESTS[0]])
            await http.close()
        return [before[0][0], during[0], after[0][0]]

    assert asyncio.run(scenario()) == [200, "NotSent", 200]


class _Kept:
    """A client that is not closed between requests."""

    def __init__(self, http: Http) -> None:
        self.send = http.send

    async def close(self) -> None:
        """Stay open."""


def test_only_one_dial_counts_for_the_same_person_on_both_carriers() -> None:
    """Identical dials give identical, distinct conversations on both carriers."""
    on_wire, directly = both(asks=[REQUESTS[0]] * 3)
    placed = directly[-3:]

    assert on_wire == directly
    assert [each.number for each in placed] == [ANA] * 3
    assert len({each.conversation for each in placed}) == 3
