"""Dialing the pretended voice platform: what it accepts, refuses and places."""

from typing import Any

import pytest
from twin_helpers import (
    ANA,
    BEN,
    ELEVENLABS_AUTH,
    NOON,
    SIP,
    TWILIO,
    ask,
    dial,
    dial_body,
    elevenlabs,
    json_of,
    show,
)

from callagent_cli.simulation.twins.ledger import Ledger, PlacedCall
from callagent_cli.simulation.twins.personality import Ending


@pytest.mark.parametrize(("path", "sid"), [(TWILIO, "callSid"), (SIP, "sip_call_id")])
def test_a_dial_is_answered_in_the_shape_of_its_carrier(path: str, sid: str) -> None:
    """Each carrier names the call's own id in its own way."""
    answer = dial(elevenlabs(Ending.ANSWERED), path=path)

    assert set(answer) == {"success", "message", "conversation_id", sid}
    assert answer["success"] is True
    assert answer["conversation_id"].startswith("conv_")


def test_a_placed_call_stands_in_the_ledger() -> None:
    """The ledger names conversation, number, call, attempt and instant."""
    ledger = Ledger()
    answer = dial(elevenlabs(ledger=ledger))

    placed = PlacedCall(
        conversation=answer["conversation_id"],
        number=ANA,
        call_id="call_1",
        attempt_id="dial_1",
        at=NOON,
    )
    assert ledger.placed() == [placed]
    assert ledger.times_rung(ANA) == 1


@pytest.mark.parametrize(
    ("headers", "code"),
    [({}, "needs_authorization"), ({"xi-api-key": "another"}, "invalid_api_key")],
)
def test_a_dial_without_the_key_is_refused(headers: dict[str, str], code: str) -> None:
    """A missing and a wrong key give 401 in the documented envelope, and no phone rings."""
    ledger = Ledger()
    answer = ask(elevenlabs(ledger=ledger), "POST", TWILIO, headers=headers, body=dial_body())

    assert answer.status == 401
    detail = json_of(answer)["detail"]
    assert (detail["type"], detail["code"]) == ("authentication_error", code)
    assert detail["request_id"] == answer.headers["x-trace-id"]
    assert ledger.placed() == []


@pytest.mark.parametrize(
    ("body", "types", "places"),
    [
        (b"no json", ["json_invalid"], [["body", 0]]),
        (b"[]", ["json_invalid"], [["body", 0]]),
        (
            {"agent_id": "agent_sandbox"},
            ["missing", "missing"],
            [["body", "agent_phone_number_id"], ["body", "to_number"]],
        ),
        ({**dial_body(), "to_number": 12}, ["string_type"], [["body", "to_number"]]),
    ],
)
def test_a_dial_that_lacks_a_field_gets_a_list_of_faults(
    body: object, types: list[str], places: list[Any]
) -> None:
    """A body that breaks the schema gives 422 with one entry a fault."""
    answer = ask(elevenlabs(), "POST", TWILIO, body=body)

    assert answer.status == 422
    detail = json_of(answer)["detail"]
    assert [fault["type"] for fault in detail] == types
    assert [fault["loc"] for fault in detail] == places


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("agent_id", "agent_of_somebody", "agent_not_found"),
        ("agent_phone_number_id", "phnum_of_somebody", "phone_number_not_found"),
    ],
)
def test_an_id_that_the_sandbox_did_not_hand_out_is_unknown(
    field: str, value: str, code: str
) -> None:
    """Agents and numbers of somebody else give 404 in the envelope."""
    answer = ask(elevenlabs(), "POST", TWILIO, body={**dial_body(), field: value})

    assert answer.status == 404
    assert json_of(answer)["detail"]["code"] == code


def test_an_id_that_begins_like_a_known_one_is_known() -> None:
    """Any agent whose id begins with the sandbox's may dial."""
    body = {**dial_body(), "agent_id": "agent_sandbox_of_team_b"}

    assert json_of(ask(elevenlabs(), "POST", TWILIO, body=body))["success"] is True


def test_what_is_no_number_is_refused_inside_a_200() -> None:
    """The carrier's refusal comes as success false without an id, and no phone rings."""
    ledger = Ledger()
    answer = ask(elevenlabs(ledger=ledger), "POST", TWILIO, body=dial_body("12"))

    body = json_of(answer)
    assert (answer.status, answer.effect) == (200, False)
    assert (body["success"], body["conversation_id"], body["callSid"]) == (False, None, None)
    assert ledger.placed() == []


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        (Ending.BUSY, "486: Busy Here"),
        (Ending.NO_ANSWER, "timed out"),
        (Ending.DECLINED, "603: Decline"),
        (Ending.FAILED, "480: Temporarily Unavailable"),
    ],
)
def test_a_sip_trunk_tells_of_a_call_that_came_to_nothing(ending: Ending, words: str) -> None:
    """The SIP answer comes when the ringing ends: success false, with the conversation's id."""
    twin = elevenlabs(ending)
    answer = ask(twin, "POST", SIP, body=dial_body())

    body = json_of(answer)
    assert body["success"] is False
    assert words in body["message"]
    assert answer.after_s > 0
    assert show(twin, body["conversation_id"], NOON + answer.after_s)["status"] == "failed"


def test_twilio_answers_before_the_phone_is_picked_up() -> None:
    """The Twilio route answers at once, however the call goes."""
    answer = ask(elevenlabs(Ending.NO_ANSWER), "POST", TWILIO, body=dial_body())

    assert (answer.after_s, json_of(answer)["success"]) == (0, True)


def test_a_phone_rings_no_longer_than_the_dial_allows() -> None:
    """The ringing timeout of the dial ends a call nobody picks up."""
    body = {**dial_body(), "telephony_call_config": {"ringing_timeout_secs": 3}}
    answer = ask(elevenlabs(Ending.NO_ANSWER), "POST", SIP, body=body)

    assert answer.after_s == 3


def test_every_dial_is_a_call_of_its_own() -> None:
    """There is no idempotency: the same request twice rings twice."""
    ledger = Ledger()
    twin = elevenlabs(ledger=ledger)

    conversations = {dial(twin)["conversation_id"], dial(twin)["conversation_id"]}

    assert len(conversations) == 2
    assert ledger.times_rung(ANA) == 2
    assert ledger.times_rung(BEN) == 0


@pytest.mark.parametrize(
    ("method", "target"),
    [("GET", "/v1/nothing"), ("GET", TWILIO), ("POST", "/v1/convai/conversations")],
)
def test_an_unknown_route_says_so_in_plain_text(method: str, target: str) -> None:
    """A path or method nobody serves gives 404 with text for a detail."""
    answer = ask(elevenlabs(), method, target, headers=ELEVENLABS_AUTH)

    assert (answer.status, json_of(answer)) == (404, {"detail": "Not Found"})
