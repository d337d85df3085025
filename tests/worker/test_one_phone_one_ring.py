"""One phone for two people, and any answers at all: nobody's phone rings twice."""

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from worker_doubles import Answer, Phone, down
from worker_stage import Stage, at, people, person

from callagent_cli.calls.model import CallState, Dial, DialStatus, Step
from callagent_cli.clock import EPOCH_OF_SIMULATIONS_S
from callagent_cli.errors import OutcomeUnknown, ServiceError, ServiceTimeout
from callagent_cli.events import CallChanged
from callagent_cli.store.port import Campaign

LOST = OutcomeUnknown("no answer within 30 s")


# The same phone


def test_one_phone_is_never_rung_for_two_people_at_once() -> None:
    """Two extensions of one number: the second is dialed when the first has hung up."""
    calls = [person(0, extension="1"), person(1, extension="2", number=0), person(2)]
    stage = Stage(calls=calls, lanes=3)
    stage.run()
    times_s = {post.call: post.at_s for post in stage.phone.posts}

    assert stage.states() == {CallState.DONE: 3}
    assert times_s["call_2"] - times_s["call_1"] > stage.phone.talk_s
    assert times_s["call_3"] == times_s["call_1"]
    assert stage.of(CallChanged, call="call_2", new="scheduled")


def test_one_phone_is_not_rung_while_nobody_knows_whether_it_rings() -> None:
    """An unknown dial holds the other person of the same number until it is settled."""
    calls = [person(0, extension="1"), person(1, extension="2", number=0)]
    stage = Stage(calls=calls, lanes=2)
    stage.phone.answers = [Answer(rings=False, error=LOST)]
    stage.run()
    times_s = {post.call: post.at_s for post in reversed(stage.phone.posts)}

    assert stage.states() == {CallState.DONE: 2}
    assert times_s["call_2"] - times_s["call_1"] >= 30


def test_a_calendar_set_forward_does_not_free_a_phone_that_rings() -> None:
    """How long somebody may be on the phone is counted on a clock that nobody sets."""
    calls = [person(0, extension="1"), person(1, extension="2", number=0)]
    stage = Stage(calls=calls, lanes=2)
    stage.phone.answers = [Answer(error=LOST)]
    stage.run(at(2, lambda staged: setattr(staged, "shift_s", 7200.0)))
    times_s = {post.call: post.at_s for post in reversed(stage.phone.posts)}

    assert times_s["call_2"] - times_s["call_1"] > stage.phone.talk_s


@pytest.mark.parametrize("state", [CallState.REVIEW, CallState.CANCELLED])
@pytest.mark.parametrize(
    ("step", "status"), [(Step.FOLLOW, DialStatus.PLACED), (Step.DIAL, DialStatus.UNKNOWN)]
)
def test_a_call_that_nobody_follows_may_be_on_the_phone_until_its_lease_is_over(
    state: CallState, step: Step, status: DialStatus
) -> None:
    """A provider that refuses to say how a call goes does not end it."""
    calls = [person(0, extension="1"), person(1, extension="2", number=0)]
    stage = Stage(calls=calls, lanes=2)
    left = calls[0].evolve(state=state, step=step, conversation="conv_left", dials=1)
    stage.store.save_call(left)
    stage.store.save_dial(
        Dial(
            id="dial_left",
            call=left.id,
            number=left.contact.number,
            status=status,
            intended_utc_s=EPOCH_OF_SIMULATIONS_S - 600.0,
            conversation="conv_left",
        )
    )
    stage.run()
    [post] = stage.phone.posts

    assert post.call == "call_2"
    assert 3000 <= post.at_s < 3010


# The same phone in another campaign


def _left(
    stage: Stage, *, step: Step, status: DialStatus, ago_s: float, conversation: str = ""
) -> None:
    """Leave a call to the first person's number in the campaign of a worker that was killed."""
    other = person(0).evolve(id="call_autumn", campaign="autumn")
    autumn = Campaign(name="autumn", source="file", source_sha256="", created_utc_s=0.0)
    stage.store.save_campaign(autumn)
    stage.store.add_calls([other])
    stage.store.save_call(other.evolve(state=CallState.ACTIVE, step=step))
    intended_utc_s = EPOCH_OF_SIMULATIONS_S - ago_s
    number = other.contact.number
    stage.store.save_dial(
        Dial(
            id="dial_autumn",
            call=other.id,
            number=number,
            status=status,
            intended_utc_s=intended_utc_s,
            conversation=conversation,
        )
    )


@pytest.mark.parametrize(
    ("step", "status", "conversation"),
    [
        (Step.FOLLOW, DialStatus.PLACED, ""),
        (Step.DIAL, DialStatus.INTENT, ""),
        (Step.DIAL, DialStatus.UNKNOWN, ""),
        (Step.DIAL, DialStatus.PLACED, "conv_that_the_call_knows_nothing_of"),
    ],
)
def test_a_phone_that_may_ring_for_another_campaign_is_left_alone(
    step: Step, status: DialStatus, conversation: str
) -> None:
    """Until the lease of the call that was left is over; the others are dialed at once."""
    stage = Stage(calls=people(2), lanes=2)
    _left(stage, step=step, status=status, ago_s=600.0, conversation=conversation)
    stage.run()
    times_s = {post.call: post.at_s for post in stage.phone.posts}
    [waited] = stage.of(CallChanged, call="call_1", new="scheduled")

    assert stage.states() == {CallState.DONE: 2}
    assert times_s["call_2"] < 10
    assert 3000 <= times_s["call_1"] < 3010
    assert waited.reason == "the same number may be on the phone for Person 1 of autumn"


@pytest.mark.parametrize(
    ("step", "status", "ago_s"),
    [
        (Step.DIAL, DialStatus.REFUSED, 1.0),
        (Step.DIAL, DialStatus.PLACED, 1.0),
        (Step.RECORD, DialStatus.PLACED, 1.0),
        (Step.FOLLOW, DialStatus.PLACED, 3600.0),
        (Step.DIAL, DialStatus.INTENT, 86_400.0),
    ],
)
def test_a_call_of_another_campaign_that_is_over_holds_nobody(
    step: Step, status: DialStatus, ago_s: float
) -> None:
    """Refused, ended or longer ago than any talk: a campaign that was left blocks no number."""
    stage = Stage()
    _left(stage, step=step, status=status, ago_s=ago_s)
    stage.run()

    assert stage.states() == {CallState.DONE: 1}
    assert stage.phone.posts[0].at_s < 10


# Any answers


ERRORS: list[ServiceError | None] = [None, LOST, down(), ServiceTimeout("no answer")]


@hypothesis_settings(max_examples=60)
@given(
    answers=st.lists(
        st.builds(
            Answer,
            rings=st.booleans(),
            error=st.sampled_from(ERRORS),
            after_s=st.floats(0, 30),
        ),
        max_size=12,
    ),
    lag_s=st.floats(0, 2.9),
    lanes=st.integers(1, 4),
    kills=st.lists(st.floats(0.1, 200), max_size=3),
)
def test_whatever_the_answers_nobody_rings_twice(
    answers: list[Answer], lag_s: float, lanes: int, kills: list[float]
) -> None:
    """As long as calls are listed within the grace: any answers, any kills, one ring each."""
    stage = Stage(calls=people(4), lanes=lanes, phone=Phone())
    stage.phone.lag_s = lag_s
    # An answer that says that nothing was placed tells the truth.
    stage.phone.answers = [
        Answer(rings=True, after_s=each.after_s) if each.error is None else each for each in answers
    ]
    for kill in kills:
        stage.run_and_kill(kill)
    stage.run()
    rung = [rung.call for rung in stage.phone.rung]

    assert len(rung) == len(set(rung))
    assert set(stage.states()) <= {CallState.DONE, CallState.FAILED}
    assert stage.states().get(CallState.DONE, 0) == len(rung)
