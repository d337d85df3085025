"""Whatever a provider sends: adapters raise only service errors, and dials never lie."""

import msgspec
import pytest
from elevenlabs_script import CALL, adapter_of, dial
from hypothesis import given
from hypothesis import strategies as st
from scripted_http import KEY, NUMBER, ScriptedHttp, now, run

from callagent_cli import errors
from callagent_cli.errors import OutcomeUnknown, ServiceError, ServiceUnavailable
from callagent_cli.resilience.outcome import Outcome
from callagent_cli.services.anthropic import AnthropicAdapter
from callagent_cli.services.http import BrokenAnswer, NoAnswer, Response, TransportError
from callagent_cli.services.hubspot import HubSpotAdapter
from callagent_cli.services.openai import OpenAiAdapter
from callagent_cli.settings import Crm, Model

KEYS = """
detail error status code type message success conversation_id conversations has_more next_cursor
choices content results id policyName category request_id correlationId properties user_id
"""
WORDS = st.sampled_from(KEYS.split())
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.text(max_size=20)
    | st.sampled_from(
        ["quota_exceeded", "system_busy", "DAILY", "overloaded_error", NUMBER, KEY, NUMBER[1:]]
    )
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=12,
)
BODIES = st.binary(max_size=60) | JSON.map(msgspec.json.encode)
HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "retry-after-ms", "date", "request-id", "x-request-id"]),
    st.text(max_size=30) | st.sampled_from([NUMBER, NUMBER[1:], KEY]),
)
ANSWERS = st.builds(Response, st.integers(100, 599), HEADERS, BODIES)
LOST = st.sampled_from([NoAnswer("no answer"), BrokenAnswer("broken")])


async def every_operation(met: Response | TransportError) -> list[ServiceError]:
    """Try every operation of every adapter on the same answer, and return what was raised."""
    http = ScriptedHttp(met)
    voice, _ = adapter_of(met)
    gpt = OpenAiAdapter(http, Model(), KEY, now)
    claude = AnthropicAdapter(http, Model(), KEY, now)
    crm = HubSpotAdapter(http, Crm(), KEY, now)
    raised = []
    for work in (
        dial(voice),
        voice.look_up(call_id=CALL, since_utc_s=0),
        voice.conversation("conv_1"),
        voice.health(),
        gpt.compose(prompt="p"),
        gpt.health(),
        claude.compose(prompt="p"),
        crm.look_up(crm_id="7", number=NUMBER),
        crm.find_record("marker"),
        crm.health(),
    ):
        try:
            await work
        except ServiceError as error:
            raised.append(error)
    return raised


@given(ANSWERS | LOST)
def test_only_service_errors_are_raised(met: Response | TransportError) -> None:
    """No status, header or body makes an adapter stumble."""
    run(every_operation(met))


@given(ANSWERS)
def test_no_error_shows_a_number_or_a_key(met: Response) -> None:
    """What a provider echoes of our request does not reach a log through its error."""
    for error in run(every_operation(met)):
        told = f"{error} {error.message} {error.code} {error.hint} {error.request_id}"
        assert NUMBER[1:] not in told
        assert KEY not in told


@given(st.builds(Response, st.integers(500, 599) | st.just(408), HEADERS, BODIES) | LOST)
def test_a_dial_is_never_called_refused_without_a_refusal(met: Response | TransportError) -> None:
    """After a server error or a lost answer the phone may ring: unknown, or behind a look-up."""
    adapter, _ = adapter_of(met)
    with pytest.raises((OutcomeUnknown, ServiceUnavailable)) as caught:
        run(dial(adapter))

    status = caught.value.status
    expected = Outcome.UNAVAILABLE if status in {503, 529} else Outcome.UNKNOWN
    assert caught.value.outcome is expected


@given(st.integers(200, 299), BODIES)
def test_an_absence_is_never_read_out_of_a_broken_list(status: int, body: bytes) -> None:
    """Only a body with an empty list and no further page proves that nobody was called."""
    adapter, _ = adapter_of(Response(status, {}, body))
    try:
        found = run(adapter.look_up(call_id=CALL, since_utc_s=0))
    except ServiceError:
        return

    page = msgspec.json.decode(body)
    assert found == []
    assert (page["conversations"], page["has_more"]) == ([], False)


@given(ANSWERS)
def test_only_transient_outcomes_carry_transient_errors(met: Response) -> None:
    """The error's class and its outcome never contradict each other."""
    fits: dict[type[ServiceError], set[Outcome]] = {
        errors.ServiceUnavailable: {Outcome.UNAVAILABLE},
        errors.ServiceTimeout: {Outcome.TIMEOUT},
        errors.NetworkFailure: {Outcome.NOT_SENT},
        errors.RateLimited: {Outcome.THROTTLED, Outcome.BUSY_HERE},
        errors.AuthenticationFailed: {Outcome.UNAUTHORIZED},
        errors.InvalidPayload: {Outcome.REJECTED},
        errors.QuotaExceeded: {Outcome.QUOTA},
        errors.Misconfigured: {Outcome.MISCONFIGURED},
        errors.OutcomeUnknown: {Outcome.UNKNOWN},
    }
    for error in run(every_operation(met)):
        assert error.outcome in fits[type(error)]
