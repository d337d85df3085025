"""An answer belongs to the request it follows, and an id is one: else it proves nothing."""

import asyncio
from collections.abc import Callable

import msgspec
import pytest
from elevenlabs_script import CALL, adapter_of, listed
from loopback_server import OK, Behavior, LoopbackServer, a_request, keeps_alive, serving
from scripted_http import KEY, answer, now, run

from callagent_cli.errors import OutcomeUnknown, ServiceUnavailable, SettingsError
from callagent_cli.services.anthropic import AnthropicAdapter
from callagent_cli.services.http import Request, Response
from callagent_cli.services.httpx_client import HttpxClient
from callagent_cli.services.hubspot import HubSpotAdapter
from callagent_cli.services.openai import OpenAiAdapter
from callagent_cli.settings import Crm, Model

LOOK_UP = Request(target="elevenlabs.look_up", method="GET", path="/", timeout_s=5, alone=True)


def numbered(body: bytes) -> bytes:
    """Return a whole answer."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def test_an_answer_left_over_is_never_that_of_a_request_alone() -> None:
    """A server that answers twice leaves an answer behind; the next request must not read it."""

    async def scene() -> Response:
        async with serving(keeps_alive(numbered(b"first") + numbered(b"stale"))) as server:
            client = HttpxClient(base_url=server.url)
            await client.send(a_request())
            answered = await client.send(LOOK_UP)
            await client.close()
            return answered

    assert asyncio.run(scene()).body == b"first"


def test_requests_alone_share_no_connection() -> None:
    """Each has one of its own, also after another request left one open."""

    async def scene() -> LoopbackServer:
        async with serving(keeps_alive(OK)) as server:
            client = HttpxClient(base_url=server.url)
            await client.send(a_request())
            await client.send(LOOK_UP)
            await client.send(LOOK_UP)
            await client.close()
            return server

    server = asyncio.run(scene())

    assert (server.connections, len(server.heads)) == (3, 3)


def answers_twice(of_request: Callable[[int], object]) -> Callable[[LoopbackServer], Behavior]:
    """Answer the first, second … request of all connections, each twice in the same packet."""

    def of(server: LoopbackServer) -> Behavior:
        async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                await server.request(reader)
                body = msgspec.json.encode(of_request(len(server.heads)))
                writer.write(2 * numbered(body))
                await writer.drain()

        return behave

    return of


@pytest.mark.parametrize("adapter_class", [OpenAiAdapter, AnthropicAdapter])
def test_nobody_is_told_what_a_model_wrote_for_another(
    adapter_class: type[OpenAiAdapter | AnthropicAdapter],
) -> None:
    """A proxy that answers twice leaves a script behind: the next person must not get it."""

    def script(number: int) -> object:
        said = f"for person {number}"
        return {
            "choices": [{"message": {"content": said}}],
            "content": [{"type": "text", "text": said}],
        }

    async def scene() -> list[str]:
        async with serving(answers_twice(script)) as server:
            client = HttpxClient(base_url=server.url)
            adapter = adapter_class(client, Model(), KEY, now)
            said = [await adapter.compose(prompt=f"person {number}") for number in (1, 2, 3)]
            await client.close()
            return said

    assert asyncio.run(scene()) == ["for person 1", "for person 2", "for person 3"]


def test_nobody_is_taken_for_another_in_the_crm() -> None:
    """Neither a person found nor a record written is that of the request before."""

    async def scene() -> list[str]:
        async with serving(answers_twice(lambda number: {"id": f"{number}"})) as server:
            client = HttpxClient(base_url=server.url)
            adapter = HubSpotAdapter(client, Crm(), KEY, now)
            found = [await adapter.look_up(crm_id=crm_id, number="") for crm_id in ("1", "2")]
            recorded = [
                await adapter.record(
                    call_id=f"call_{number}",
                    marker=f"callagent-call_{number}",
                    crm_id="",
                    title="Call",
                    body="",
                    status="answered",
                    duration_s=1,
                    to_number="+12125550100",
                    at_utc_s=now(),
                )
                for number in (3, 4)
            ]
            await client.close()
            return [*(person.id for person in found if person is not None), *recorded]

    assert asyncio.run(scene()) == ["1", "2", "3", "4"]


def test_dials_and_look_ups_are_sent_alone() -> None:
    """What rings a phone, and what proves that none rang, are never mixed up with another."""
    adapter, http = adapter_of(
        answer(200, {"success": True, "conversation_id": "conv_1", "callSid": "CA1"}),
        answer(200, listed()),
    )
    run(adapter.dial(call_id=CALL, attempt_id="d", number="+12125550123", variables={}))
    run(adapter.look_up(call_id=CALL, since_utc_s=0))

    assert [request.alone for request in http.requests] == [True, True]


STRANGE = ["+12125550123", "12125550123", "../x?y", "c" * 101, "a b"]


@pytest.mark.parametrize("strange", STRANGE)
def test_a_dial_answered_with_no_id_is_unknown(strange: str) -> None:
    """A phone number is logged nowhere, and an endless id would break every following request."""
    adapter, _ = adapter_of(answer(200, {"success": True, "conversation_id": strange}))

    with pytest.raises(OutcomeUnknown):
        run(adapter.dial(call_id=CALL, attempt_id="d", number="+12125550100", variables={}))


@pytest.mark.parametrize("strange", STRANGE)
def test_a_look_up_that_lists_no_ids_proves_nothing(strange: str) -> None:
    """Something is listed, and nobody can ask for it: that is not absent."""
    adapter, _ = adapter_of(answer(200, listed(strange)))

    with pytest.raises(ServiceUnavailable):
        run(adapter.look_up(call_id=CALL, since_utc_s=0))


def test_another_conversation_than_the_one_asked_for_is_unreadable() -> None:
    """How one person's call went is never written down for another."""
    other = {"conversation_id": "conv_2", "status": "done"}
    adapter, _ = adapter_of(answer(200, other), answer(200, {**other, "conversation_id": "conv_1"}))

    with pytest.raises(ServiceUnavailable):
        run(adapter.conversation("conv_1"))
    assert run(adapter.conversation("conv_1")).status == "done"


@pytest.mark.parametrize("duration_s", [1e308, -1e308, 10**30])
def test_no_talk_is_longer_than_a_day(duration_s: float) -> None:
    """A number that no CRM can hold must not break the record."""
    shown = {"status": "done", "metadata": {"call_duration_secs": duration_s}}
    adapter, _ = adapter_of(answer(200, shown))

    assert 0 <= run(adapter.conversation("conv_1")).duration_s <= 24 * 3600


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("HTTPS_PROXY", "foo://user:pass-word@127.0.0.1:1"),
        ("HTTPS_PROXY", "http://127.0.0.1:pass-word"),
        ("SSL_CERT_FILE", "/nonexistent/certificates.pem"),
    ],
)
def test_surroundings_that_allow_no_request_are_a_usage_error(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    """The variable is named, what stands in it is not: it may hold a password."""
    monkeypatch.setenv(variable, value)

    with pytest.raises(SettingsError) as raised:
        HttpxClient(base_url="https://provider.invalid")
    assert variable in raised.value.hint
    assert "pass-word" not in raised.value.message
