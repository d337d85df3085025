"""The adapters and the sandbox's twins speak the same language."""

from dataclasses import dataclass

from scripted_http import NUMBER, failure, run

from callagent_cli import errors
from callagent_cli.services.anthropic import AnthropicAdapter
from callagent_cli.services.elevenlabs import Candidate, ElevenLabsAdapter
from callagent_cli.services.http import Request, Response
from callagent_cli.services.hubspot import HubSpotAdapter
from callagent_cli.services.openai import OpenAiAdapter
from callagent_cli.settings import Crm, ElevenLabs, Model
from callagent_cli.simulation.twins.elevenlabs.twin import ElevenLabsTwin
from callagent_cli.simulation.twins.hubspot.twin import HubSpotOptions, HubSpotTwin
from callagent_cli.simulation.twins.keys import (
    AGENT_ID,
    CRM_TOKEN,
    ELEVENLABS_KEY,
    LLM_KEY,
    PHONE_NUMBER_ID,
)
from callagent_cli.simulation.twins.ledger import Ledger
from callagent_cli.simulation.twins.llm.anthropic import AnthropicTwin
from callagent_cli.simulation.twins.llm.openai import OpenAiTwin
from callagent_cli.simulation.twins.twin import Twin, TwinRequest

VOICE = ElevenLabs(agent_id=AGENT_ID, agent_phone_number_id=PHONE_NUMBER_ID)


@dataclass
class TwinHttp:
    """Hands each request straight to a twin, at an instant that a test moves."""

    twin: Twin
    at_utc_s: float = 1_800_000_000.0

    async def send(self, request: Request) -> Response:
        """Return the twin's answer, as if it took no time."""
        headers = {name.lower(): text for name, text in request.headers.items()}
        asked = TwinRequest.parse(request.method, request.path, headers, request.body)
        told = self.twin.handle(asked, self.at_utc_s)
        return Response(told.status, told.headers, told.body)

    async def close(self) -> None:
        """Do nothing."""

    def utc(self) -> float:
        """Return the instant of this world."""
        return self.at_utc_s


def voice(
    settings: ElevenLabs = VOICE, key: str = ELEVENLABS_KEY
) -> tuple[ElevenLabsAdapter, TwinHttp]:
    """Return the voice platform's adapter in front of its twin."""
    http = TwinHttp(ElevenLabsTwin(Ledger()))
    return ElevenLabsAdapter(http, settings, key, http.utc), http


def test_a_dial_is_placed_found_followed_and_over() -> None:
    """The whole way of a call through the voice platform."""
    adapter, http = voice()
    placed = run(
        adapter.dial(call_id="call_1", attempt_id="dial_1", number=NUMBER, variables={"name": "A"})
    )
    found = run(adapter.look_up(call_id="call_1", since_utc_s=http.at_utc_s))
    ringing = run(adapter.conversation(placed.conversation))
    http.at_utc_s += 3600
    over = run(adapter.conversation(placed.conversation))

    assert found == [
        Candidate(conversation=placed.conversation, attempt_id="dial_1", status=ringing.status)
    ]
    assert run(adapter.look_up(call_id="call_2", since_utc_s=http.at_utc_s - 7200)) == []
    assert (ringing.terminal, over.terminal) == (False, True)
    assert over.started_utc_s == 1_800_000_000.0


def test_the_voice_twin_refuses_as_the_platform_does() -> None:
    """A wrong key, agent and conversation are told apart."""
    stranger, _ = voice(key="wrong")
    lost, _ = voice(ElevenLabs(agent_id="agent_x", agent_phone_number_id=PHONE_NUMBER_ID))
    adapter, _ = voice()
    dialed = {"call_id": "call_1", "attempt_id": "dial_1", "number": NUMBER}

    assert type(failure(stranger.health())) is errors.AuthenticationFailed
    assert type(failure(lost.dial(**dialed, variables={}))) is errors.Misconfigured
    assert type(failure(adapter.conversation("conv_x"))) is errors.InvalidPayload
    run(adapter.health())


def test_both_models_compose_and_are_well() -> None:
    """Either API answers a prompt with a sentence."""
    gpt_http = TwinHttp(OpenAiTwin())
    claude_http = TwinHttp(AnthropicTwin())
    for adapter in (
        OpenAiAdapter(gpt_http, Model(), LLM_KEY, gpt_http.utc),
        AnthropicAdapter(claude_http, Model(model="claude"), LLM_KEY, claude_http.utc),
    ):
        run(adapter.health())
        assert run(adapter.compose(prompt="Greet Ada"))


def test_a_model_with_a_wrong_key_is_unauthorized() -> None:
    """Either API refuses a stranger."""
    gpt_http = TwinHttp(OpenAiTwin())
    claude_http = TwinHttp(AnthropicTwin())
    gpt = OpenAiAdapter(gpt_http, Model(), "wrong", gpt_http.utc)
    claude = AnthropicAdapter(claude_http, Model(), "wrong", claude_http.utc)

    assert type(failure(gpt.compose(prompt="p"))) is errors.AuthenticationFailed
    assert type(failure(claude.health())) is errors.AuthenticationFailed


def test_a_record_is_written_and_found_by_its_marker() -> None:
    """The CRM finds a person by number, keeps the call, and shows it again."""
    twin = HubSpotTwin(Ledger(), options=HubSpotOptions(known_share=1.0))
    http = TwinHttp(twin)
    adapter = HubSpotAdapter(http, Crm(), CRM_TOKEN, http.utc)
    run(adapter.health())
    person = run(adapter.look_up(crm_id="", number=NUMBER))
    assert person is not None
    again = run(adapter.look_up(crm_id=person.id, number=""))
    recorded = run(
        adapter.record(
            call_id="call_1",
            marker="callagent-call_1",
            crm_id=person.id,
            title="Call",
            body="They agreed.",
            status="answered",
            duration_s=3.0,
            to_number=NUMBER,
            at_utc_s=http.at_utc_s,
        )
    )

    assert again is not None
    assert again.id == person.id
    assert run(adapter.find_record("callagent-call_1")) == recorded
    assert run(adapter.find_record("callagent-call_2")) is None
    assert twin.calls()[0].properties["hs_call_status"] == "COMPLETED"
