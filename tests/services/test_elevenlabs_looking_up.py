"""The look-up: it finds a placed call, or proves its absence, or raises."""

import pytest
from elevenlabs_script import ATTEMPT, CALL, adapter_of, detail, legacy, listed, shown
from scripted_http import answer, failure, run

from callagent_cli import errors
from callagent_cli.resilience.outcome import Outcome
from callagent_cli.services.elevenlabs import Candidate
from callagent_cli.services.http import BrokenAnswer, NoAnswer, NotSent, Response, TransportError


def test_an_empty_list_is_the_proof_of_absence() -> None:
    """Nothing listed, nothing found; the list is asked by call, agent and time."""
    adapter, http = adapter_of(answer(200, listed()))
    found = run(adapter.look_up(call_id=CALL, since_utc_s=1000.9))

    assert found == []
    assert http.query() == {
        "agent_id": ["agent_1"],
        "user_id": [CALL],
        "call_start_after_unix": ["940"],
        "page_size": ["100"],
        "summary_mode": ["exclude"],
    }
    assert http.requests[0].target == "elevenlabs.look_up"


def test_a_placed_call_is_found_with_its_attempt() -> None:
    """The list names no variables, so each candidate is asked for its own."""
    adapter, http = adapter_of(answer(200, listed("conv_1")), answer(200, shown()))
    found = run(adapter.look_up(call_id=CALL, since_utc_s=0))

    assert found == [Candidate(conversation="conv_1", attempt_id=ATTEMPT, status="in-progress")]
    assert [request.target for request in http.requests] == ["elevenlabs.look_up"] * 2
    assert http.requests[1].path == "/v1/convai/conversations/conv_1"


def test_all_pages_are_read() -> None:
    """A call on the second page is no absent call."""
    adapter, http = adapter_of(
        answer(200, listed("conv_1", next_cursor="c2")),
        answer(200, shown(call_id="call_other")),
        answer(200, listed("conv_2")),
        answer(200, shown()),
    )
    found = run(adapter.look_up(call_id=CALL, since_utc_s=0))

    assert [candidate.conversation for candidate in found] == ["conv_2"]
    assert http.query(2)["cursor"] == ["c2"]


def test_somebody_elses_call_is_not_found() -> None:
    """A server that ignores the filter cannot lend us another person's call."""
    adapter, _ = adapter_of(answer(200, listed("conv_1")), answer(200, shown("call_other")))

    assert run(adapter.look_up(call_id=CALL, since_utc_s=0)) == []


@pytest.mark.parametrize(
    "body",
    [
        {"status": "initiated"},
        {"status": "initiated", "conversation_initiation_client_data": None},
        {"status": "initiated", "user_id": CALL},
        {"status": "initiated", "conversation_initiation_client_data": {"user_id": CALL}},
        {"status": "initiated", "conversation_initiation_client_data": {"dynamic_variables": 5}},
    ],
)
def test_a_candidate_that_says_little_is_kept(body: object) -> None:
    """The list was filtered by the call: what does not contradict it belongs to it."""
    adapter, _ = adapter_of(answer(200, listed("conv_1")), answer(200, body))
    found = run(adapter.look_up(call_id=CALL, since_utc_s=0))

    assert found == [Candidate(conversation="conv_1", attempt_id=None, status="initiated")]


def test_an_id_cannot_leave_its_place_in_the_path() -> None:
    """A conversation id with a slash stays one segment."""
    adapter, http = adapter_of(answer(200, listed("conv/../x")), answer(200, shown()))
    run(adapter.look_up(call_id=CALL, since_utc_s=0))

    assert http.requests[1].path == "/v1/convai/conversations/conv%2F..%2Fx"


@pytest.mark.parametrize(
    "page",
    [
        answer(200, b""),
        answer(200, b"<html>"),
        answer(200, {}),
        answer(200, {"conversations": []}),
        answer(200, {"conversations": None, "has_more": False}),
        answer(200, {"conversations": [{}], "has_more": False}),
        answer(200, {"conversations": [], "has_more": True, "next_cursor": None}),
        answer(200, {"conversations": [], "has_more": True, "next_cursor": "c2"}),
        answer(302, b""),
        answer(404, detail("not_found")),
        answer(503, b""),
        NotSent("x"),
        NoAnswer("x"),
        BrokenAnswer("x"),
    ],
    ids=repr,
)
def test_half_a_look_up_proves_nothing(page: Response | TransportError) -> None:
    """Whatever is not a whole list raises; it never reads as absent."""
    adapter, _ = adapter_of(page)

    assert failure(adapter.look_up(call_id=CALL, since_utc_s=0)).outcome is not Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("status", "body"),
    [(404, legacy("conversation_history_not_found")), (500, b""), (200, b"{}"), (401, b"")],
)
def test_a_candidate_that_cannot_be_read_is_not_absent(status: int, body: object) -> None:
    """It was listed: a 404 on it means later, not never."""
    adapter, _ = adapter_of(answer(200, listed("conv_1")), answer(status, body))
    error = failure(adapter.look_up(call_id=CALL, since_utc_s=0))

    kind = errors.AuthenticationFailed if status == 401 else errors.ServiceUnavailable
    assert type(error) is kind


def test_a_list_that_turns_in_a_circle_ends() -> None:
    """The same cursor again is an error, not an endless look-up."""
    page = answer(200, listed("conv_1", next_cursor="c2"))
    adapter, _ = adapter_of(page, answer(200, shown()), page)
    error = failure(adapter.look_up(call_id=CALL, since_utc_s=0))

    assert error.code == "incomplete_list"


def test_a_list_without_end_ends() -> None:
    """A hundred candidates for one call is a broken filter, not a reason to ask for ever."""
    many = [f"conv_{index}" for index in range(101)]
    adapter, http = adapter_of(answer(200, listed(*many)), answer(200, shown()))
    error = failure(adapter.look_up(call_id=CALL, since_utc_s=0))

    assert error.code == "endless_list"
    assert len(http.requests) == 101
