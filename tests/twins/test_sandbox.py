"""The sandbox in the current process: addresses, settings, keys, and what outlives it."""

import asyncio
from pathlib import Path

import msgspec
import pytest
from twin_helpers import ANA, TWILIO, dial_body

from callagent_cli.clock import system_clock
from callagent_cli.errors import UsageError
from callagent_cli.services.http import Request, Response
from callagent_cli.services.httpx_client import HttpxClient
from callagent_cli.settings import Credential, ElevenLabs, Llm, Model, Services, Settings
from callagent_cli.settings import Sandbox as SandboxSection
from callagent_cli.simulation.sandbox.sandbox import (
    Sandbox,
    read_ledger,
    sandbox_roster,
    sandbox_secrets,
    sandbox_settings,
    sandbox_urls,
)
from callagent_cli.simulation.twins.ledger import Ledger
from callagent_cli.simulation.twins.twin import TwinRequest

INSTANT = Settings(sandbox=SandboxSection(pace=0))
URLS = sandbox_urls("http://127.0.0.1:8100")


async def send(settings: Settings, method: str, path: str, body: object = None) -> Response:
    """Send one request to the voice platform that the settings name, with the key they name."""
    section = settings.services.elevenlabs
    http = HttpxClient(base_url=section.base_url)
    content = b"" if body is None else msgspec.json.encode(body)
    request = Request(
        target="elevenlabs.dial",
        method=method,
        path=path,
        headers={"xi-api-key": section.api_key.read(sandbox_secrets())},
        body=content,
        timeout_s=5,
    )
    try:
        return await http.send(request)
    finally:
        await http.close()


def test_settings_pointed_at_the_sandbox_can_dial() -> None:
    """Address, agent, number and key of the settings are those that the twins accept."""

    async def scenario() -> tuple[Response, Ledger]:
        async with Sandbox(INSTANT, system_clock()) as sandbox:
            settings = sandbox_settings(INSTANT, sandbox.urls)
            section = settings.services.elevenlabs
            body = dial_body() | {
                "agent_id": section.agent_id,
                "agent_phone_number_id": section.agent_phone_number_id,
            }
            return await send(settings, "POST", TWILIO, body), sandbox.ledger

    response, ledger = asyncio.run(scenario())
    assert msgspec.json.decode(response.body)["success"] is True
    assert ledger.times_rung(ANA) == 1


def test_no_real_address_or_credential_is_left_in_the_settings() -> None:
    """Whatever the file says, every service is on loopback and every key a pretended one."""
    real = Credential(env="ELEVENLABS_API_KEY", file="/etc/secret")
    fallback = Model(provider="anthropic", api_key=real)
    services = Services(
        elevenlabs=ElevenLabs(api_key=real, agent_id="agent_real", agent_phone_number_id="real"),
        llm=Llm(api_key=real, fallback=fallback),
    )
    text = msgspec.json.encode(
        sandbox_settings(Settings(mode="live", services=services), URLS)
    ).decode()

    for foreign in ("https://api.", "/etc/secret", "ELEVENLABS_API_KEY", "agent_real", "live"):
        assert foreign not in text.replace("api.telegram.org", "")
    pointed = sandbox_settings(Settings(services=services), URLS).services
    assert pointed.llm.fallback is not None
    assert pointed.llm.fallback.provider == "anthropic"
    assert pointed.llm.fallback.base_url == URLS["llm_fallback"]
    credentials = (
        pointed.elevenlabs.api_key,
        pointed.llm.api_key,
        pointed.llm.fallback.api_key,
        pointed.crm.token,
    )
    assert all(credential.read(sandbox_secrets()) for credential in credentials)


def test_the_keys_of_the_sandbox_look_like_none() -> None:
    """Nobody can take one of them for a real key."""
    assert all(key.startswith("sandbox-") for key in sandbox_secrets().values())


@pytest.mark.parametrize(("pace", "follow_every_s"), [(0, 0.01), (1, 0.25), (4, 1.0), (100, 5.0)])
def test_calls_are_followed_as_fast_as_they_go(pace: float, follow_every_s: float) -> None:
    """Polling fits the pace, and is never slower than the settings want."""
    settings = Settings(sandbox=SandboxSection(pace=pace))

    assert sandbox_settings(settings, URLS).services.elevenlabs.follow_every_s == follow_every_s


def test_without_pace_nothing_takes_time() -> None:
    """Pace 0 has no latency and no ringing; pace 1 has a few milliseconds."""
    models = TwinRequest.parse("GET", "/v1/models", {}, b"")

    def after_s(settings: Settings) -> float:
        return sandbox_roster(settings).twins(Ledger())["llm"].handle(models, 0.0).after_s

    play, _ = sandbox_roster(INSTANT).personality.play(7, ANA, 1)
    assert after_s(INSTANT) == 0
    assert play.total_s == 0
    assert 0 < after_s(Settings()) < 0.1


def test_the_answer_of_a_dial_can_be_held_back() -> None:
    """A dial latency leaves time between the effect and the answer; other requests are quick."""
    twins = sandbox_roster(INSTANT, dial_latency_s=0.15).twins(Ledger())
    body = msgspec.json.encode(dial_body())
    dialed = twins["elevenlabs"].handle(TwinRequest.parse("POST", TWILIO, {}, body), 0.0)
    listed = twins["elevenlabs"].handle(
        TwinRequest.parse("GET", "/v1/convai/conversations", {}, b""), 0.0
    )

    assert (dialed.after_s, listed.after_s) == (0.15, 0)


def test_a_sandbox_is_addressed_by_its_first_port() -> None:
    """One address stands for all services, which follow on the next ports."""
    assert sandbox_urls("http://localhost:8100/") == URLS
    assert URLS == {
        "elevenlabs": "http://127.0.0.1:8100",
        "llm": "http://127.0.0.1:8101",
        "crm": "http://127.0.0.1:8102",
        "llm_fallback": "http://127.0.0.1:8103",
    }
    assert sandbox_urls("http://[::1]:8100")["llm"] == "http://[::1]:8101"


@pytest.mark.parametrize(
    "url", ["https://api.elevenlabs.io:443", "http://127.0.0.1", "http://192.0.2.1:80", "8100", ""]
)
def test_an_address_beyond_this_machine_is_no_sandbox(url: str) -> None:
    """A sandbox address must be on loopback and name a port."""
    with pytest.raises(UsageError) as raised:
        sandbox_urls(url)

    assert raised.value.hint


def test_an_address_without_a_port_is_told_without_its_password() -> None:
    """Whoever reads the error need not be who may know it."""
    with pytest.raises(UsageError, match=r"at `127\.0\.0\.1` names no port") as raised:
        sandbox_urls("http://ann:hunter2@127.0.0.1/#tok=abc")

    assert "hunter2" not in str(raised.value)


def test_a_sandbox_made_again_knows_the_calls_of_the_one_before(tmp_path: Path) -> None:
    """With a state folder conversations and dial counts outlive the sandbox."""

    async def scenario() -> tuple[str, int]:
        async with Sandbox(INSTANT, system_clock(), state_dir=tmp_path) as sandbox:
            settings = sandbox_settings(INSTANT, sandbox.urls)
            answer = await send(settings, "POST", TWILIO, dial_body())
            conversation: str = msgspec.json.decode(answer.body)["conversation_id"]
        async with Sandbox(INSTANT, system_clock(), state_dir=tmp_path) as sandbox:
            settings = sandbox_settings(INSTANT, sandbox.urls)
            shown = await send(settings, "GET", f"/v1/convai/conversations/{conversation}")
            return conversation, shown.status

    conversation, status = asyncio.run(scenario())
    ledger = read_ledger(tmp_path)
    assert status == 200
    assert [placed.conversation for placed in ledger.placed()] == [conversation]
    assert [each.target for each in ledger.requests()] == ["elevenlabs.dial", "elevenlabs.follow"]


def test_without_a_state_folder_nothing_is_left(tmp_path: Path) -> None:
    """A sandbox in memory writes no file."""

    async def scenario() -> None:
        async with Sandbox(INSTANT, system_clock()) as sandbox:
            await send(sandbox_settings(INSTANT, sandbox.urls), "POST", TWILIO, dial_body())

    asyncio.run(scenario())
    assert list(tmp_path.iterdir()) == []
    assert read_ledger(tmp_path).placed() == []


def test_a_sandbox_that_cannot_have_its_port_leaves_nothing_open(tmp_path: Path) -> None:
    """The ledger is released again when a port cannot be had."""

    async def scenario() -> None:
        async with Sandbox(INSTANT, system_clock()) as first:
            port = int(first.urls["elevenlabs"].rpartition(":")[2])
            with pytest.raises(UsageError):
                await Sandbox(INSTANT, system_clock(), state_dir=tmp_path, port=port).__aenter__()

    asyncio.run(scenario())


def test_a_sandbox_listens_on_loopback_only() -> None:
    """Any other address is refused."""

    async def scenario() -> None:
        await Sandbox(INSTANT, system_clock(), host="192.0.2.1").__aenter__()

    with pytest.raises(UsageError, match="loopback"):
        asyncio.run(scenario())
