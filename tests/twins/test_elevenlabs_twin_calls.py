"""How placed calls go on in the pretended voice platform."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twin_helpers import ANA, BEN, CLEO, NOON, SIP, TWILIO, ask, dial, elevenlabs, json_of, show

from callagent_cli.simulation.twins.elevenlabs.conversation import Conversation
from callagent_cli.simulation.twins.elevenlabs.twin import ElevenLabsTwin
from callagent_cli.simulation.twins.personality import TALKED_TO, Ending

NUMBERS = (ANA, BEN, CLEO)


def placed(twin: ElevenLabsTwin, number: str = ANA) -> Conversation:
    """Dial and return the call as the twin knows it."""
    conversation = twin.conversation(dial(twin, number)["conversation_id"])
    assert conversation is not None
    return conversation


def test_an_answered_call_passes_through_all_states() -> None:
    """It rings, is talked on, is processed and is done, each from its own instant on."""
    twin = elevenlabs(Ending.ANSWERED)
    call = placed(twin)
    moments = [NOON, call.talk_starts_at, call.talk_ends_at, call.final_at]

    states = [show(twin, call.id, at)["status"] for at in moments]
    states_just_before = [show(twin, call.id, at - 0.001)["status"] for at in moments[1:]]

    assert states == ["initiated", "in-progress", "processing", "done"]
    assert states_just_before == states[:-1]


@pytest.mark.parametrize("ending", sorted(set(Ending) - TALKED_TO))
def test_a_call_nobody_picks_up_fails_when_the_ringing_ends(ending: Ending) -> None:
    """It has no talk, no analysis and no transcript, but an error of code 1011."""
    twin = elevenlabs(ending)
    call = placed(twin)

    assert show(twin, call.id, call.final_at - 0.001)["status"] == "initiated"
    shown = show(twin, call.id, call.final_at)
    assert (shown["status"], shown["analysis"], shown["transcript"]) == ("failed", None, [])
    assert shown["metadata"]["error"]["code"] == 1011
    assert shown["metadata"]["accepted_time_unix_secs"] is None


@pytest.mark.parametrize(
    ("ending", "result"),
    [
        (Ending.ANSWERED, "answered"),
        (Ending.VOICEMAIL, "voicemail"),
        (Ending.BUSY, "busy"),
        (Ending.NO_ANSWER, "no_answer"),
        (Ending.DECLINED, "failed"),
        (Ending.FAILED, "failed"),
    ],
)
def test_the_result_of_the_telephony_is_told_once_it_is_known(ending: Ending, result: str) -> None:
    """`call_result` is null while the phone rings and one of the documented values after."""
    twin = elevenlabs(ending)
    call = placed(twin)

    assert show(twin, call.id, NOON)["metadata"]["phone_call"]["call_result"] is None
    shown = show(twin, call.id, call.final_at)
    assert shown["metadata"]["phone_call"]["call_result"] == result


def test_the_error_of_an_unanswered_call_is_the_captured_one() -> None:
    """Nobody picking up reads as in the live captures."""
    twin = elevenlabs(Ending.NO_ANSWER)
    call = placed(twin)

    error = show(twin, call.id, call.final_at)["metadata"]["error"]
    assert error == {"code": 1011, "reason": "request timed out", "error_type": "no_answer"}


def test_a_good_call_has_an_error_key_that_is_null() -> None:
    """The trap of the real service: the key is there, its value is not."""
    twin = elevenlabs(Ending.ANSWERED)
    call = placed(twin)

    metadata = show(twin, call.id, call.final_at)["metadata"]
    assert "error" in metadata
    assert metadata["error"] is None


def test_an_answered_call_costs_and_is_written_down() -> None:
    """A finished talk has turns of both sides, an analysis, a duration and a price."""
    twin = elevenlabs(Ending.ANSWERED)
    call = placed(twin)
    shown = show(twin, call.id, call.final_at)

    assert {turn["role"] for turn in shown["transcript"]} == {"agent", "user"}
    assert shown["analysis"]["call_successful"] == "success"
    assert shown["metadata"]["call_duration_secs"] == round(call.play.talk_s)
    assert shown["metadata"]["cost"] > 0
    assert show(twin, call.id, call.final_at - 0.001)["metadata"]["cost"] == 0


@pytest.mark.parametrize("path", [TWILIO, SIP])
@pytest.mark.parametrize("ending", list(Ending))
def test_every_required_field_is_there_at_any_time(path: str, ending: Ending) -> None:
    """The fields that the vendor's own client requires are present in each state."""
    twin = elevenlabs(ending)
    call = twin.conversation(dial(twin, path=path)["conversation_id"])
    assert call is not None
    needed = {"agent_id", "status", "metadata", "conversation_id", "transcript"}
    needed |= {f"has_{kind}" for kind in ("audio", "user_audio", "response_audio")}
    phone_needed = {"direction", "phone_number_id", "agent_number", "external_number", "call_sid"}
    phone_needed |= {"stream_sid"} if path == TWILIO else set()

    for at in (NOON, call.talk_starts_at, call.talk_ends_at, call.final_at):
        shown = show(twin, call.id, at)
        assert needed | {"has_auxiliary_audio"} <= set(shown)
        assert {"start_time_unix_secs", "call_duration_secs"} <= set(shown["metadata"])
        assert phone_needed <= set(shown["metadata"]["phone_call"])
        for turn in shown["transcript"]:
            assert {"role", "time_in_call_secs"} <= set(turn)


def test_a_call_says_whose_it_is() -> None:
    """What the dial sent along comes back: user id and variables."""
    twin = elevenlabs()
    shown = show(twin, placed(twin).id, NOON)

    assert shown["conversation_initiation_client_data"] == {
        "user_id": "call_1",
        "dynamic_variables": {
            "callagent_call_id": "call_1",
            "callagent_attempt_id": "dial_1",
        },
    }


def test_an_unknown_conversation_is_not_found() -> None:
    """A nonsense id gives the 404 with both the code and the legacy status."""
    answer = ask(elevenlabs(), "GET", "/v1/convai/conversations/nonsense")

    detail = json_of(answer)["detail"]
    assert answer.status == 404
    assert detail["code"] == "conversation_not_found"
    assert detail["status"] == "conversation_history_not_found"


def test_calls_under_way_are_counted_while_they_last() -> None:
    """The live count holds ringing and talking calls, and no finished ones."""
    twin = elevenlabs(Ending.ANSWERED)
    calls = [placed(twin, number) for number in NUMBERS]
    last = max(call.talk_ends_at for call in calls)

    def live(at: float) -> int:
        count: int = json_of(ask(twin, "GET", "/v1/convai/analytics/live-count", at=at))["count"]
        return count

    assert live(NOON) == 3
    assert live(last - 0.001) == 1
    assert live(last) == 0


def test_the_subscription_counts_what_calls_have_cost() -> None:
    """Credits used grow with finished talks."""
    twin = elevenlabs(Ending.ANSWERED)
    call = placed(twin)

    before = json_of(ask(twin, "GET", "/v1/user/subscription"))
    after = json_of(ask(twin, "GET", "/v1/user/subscription", at=call.final_at))

    assert before["status"] == "active"
    assert before["character_count"] == 0
    assert after["character_count"] == call.cost(call.final_at)
    assert after["character_limit"] > after["character_count"]


@given(seed=st.integers(0, 2**32), order=st.permutations(NUMBERS * 2))
def test_how_a_call_goes_does_not_depend_on_who_was_called_before(
    seed: int, order: list[str]
) -> None:
    """The n-th call to a number is the same in whatever order calls arrive."""
    sorted_twin, shuffled_twin = elevenlabs(seed=seed), elevenlabs(seed=seed)
    expected = [
        show(sorted_twin, dial(sorted_twin, each)["conversation_id"], NOON)
        for each in sorted(order)
    ]
    shuffled = [
        show(shuffled_twin, dial(shuffled_twin, each)["conversation_id"], NOON) for each in order
    ]

    def key(shown: dict[str, str]) -> str:
        return shown["conversation_id"]

    assert sorted(shuffled, key=key) == sorted(expected, key=key)


def test_another_seed_is_another_world() -> None:
    """Two seeds do not give the same calls."""
    first, second = elevenlabs(seed=1), elevenlabs(seed=2)

    assert dial(first)["conversation_id"] != dial(second)["conversation_id"]
