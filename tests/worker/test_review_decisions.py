"""What only a person may decide, and what follows from it."""

import asyncio
from random import Random

import pytest
from worker_doubles import Answer, down
from worker_stage import CAMPAIGN, Stage, at, people

from callagent_cli.calls.model import Call, CallState, DialStatus, Step
from callagent_cli.clock import EPOCH_OF_SIMULATIONS_S, Clock
from callagent_cli.errors import OutcomeUnknown, UsageError
from callagent_cli.events import Bus, CallChanged, CommandObeyed, DialSettled, Stamped
from callagent_cli.simulation.virtual.run import run_virtual
from callagent_cli.worker.again.review import DECISIONS, calls_to_review, review

LOST = OutcomeUnknown("no answer within 30 s")


def decide(stage: Stage, decision: str, call_id: str = "call_1") -> tuple[Call, list[Stamped]]:
    """Carry out a decision of ana's, as a command without a worker does."""
    told: list[Stamped] = []

    async def main() -> Call:
        now_s = asyncio.get_running_loop().time
        clock = Clock(now_s, lambda: EPOCH_OF_SIMULATIONS_S + now_s(), Random(7))
        bus = Bus(clock, campaign=CAMPAIGN)
        bus.listen(told.append)
        return review(stage.store, bus, clock, call_id=call_id, decision=decision, by="ana")

    call = run_virtual(main())
    stage.store.flush()
    return call, told


def nobody_knows(*, rings: bool) -> Stage:
    """Return a stage whose only call is in review: look-ups have failed for half an hour."""
    stage = Stage()
    stage.phone.answers = [Answer(rings=rings, error=LOST)]
    stage.phone.blind = down()
    stage.run()
    assert stage.states() == {CallState.REVIEW: 1}
    stage.phone.blind = None
    stage.life_s += 3600
    return stage


def unproven(*, rings: bool) -> Stage:
    """Return a stage whose only call failed while its dial was never looked up."""
    stage = Stage()
    stage.phone.answers = [Answer(rings=rings, error=down())]
    stage.phone.blind = down()
    stage.run()
    assert stage.states() == {CallState.FAILED: 1}
    stage.phone.blind = None
    stage.life_s += 3600
    return stage


def stalled() -> Stage:
    """Return a stage whose only call was placed and never came to an end."""
    stage = Stage()
    stage.phone.talk_s = 9 * 86_400.0
    stage.run()
    assert stage.states() == {CallState.REVIEW: 1}
    return stage


def test_calls_in_review_and_unproven_ones_are_listed() -> None:
    """A failed call whose dial was looked up is not among them."""
    assert [call.id for call in calls_to_review(nobody_knows(rings=True).store, CAMPAIGN)] == [
        "call_1"
    ]
    assert [call.id for call in calls_to_review(unproven(rings=True).store, CAMPAIGN)] == ["call_1"]

    settled = Stage()
    settled.phone.answers = [Answer(rings=False, error=down())]
    settled.phone.blind = down()
    settled.run(at(60, lambda stage: setattr(stage.phone, "blind", None)))

    assert settled.states() == {CallState.FAILED: 1}
    assert calls_to_review(settled.store, CAMPAIGN) == []


def test_called_without_a_conversation_is_done() -> None:
    """The person's word settles the dial as placed; the result is not known."""
    stage = nobody_knows(rings=True)
    call, told = decide(stage, "called")

    assert (call.state, call.result, call.dials) == (CallState.DONE, "unknown", 1)
    assert call.reason == "called, says ana"
    assert [dial.status for dial in stage.store.dials("call_1")] == [DialStatus.PLACED]
    assert [each.event.status for each in told if isinstance(each.event, DialSettled)] == ["placed"]


def test_called_with_a_conversation_that_was_never_followed_is_followed() -> None:
    """The next run asks how it went, and records it."""
    stage = Stage()
    stage.phone.answers = [Answer(error=LOST)]
    stage.phone.blind = down()
    stage.run()
    dial = stage.store.dials("call_1")[0]
    stage.store.save_dial(dial.evolve(conversation="conv_1"))
    stage.life_s += 3600
    call, _ = decide(stage, "called")
    assert (call.state, call.step, call.conversation) == (
        CallState.PARKED,
        Step.FOLLOW,
        "conv_1",
    )
    stage.run()

    assert (stage.states(), len(stage.phone.posts)) == ({CallState.DONE: 1}, 1)


def test_called_of_a_conversation_that_never_ended_is_done() -> None:
    """It was followed for a day: asking again would only bring it back."""
    call, _ = decide(stalled(), "called")

    assert (call.state, call.dials) == (CallState.DONE, 1)


@pytest.mark.parametrize("make", [nobody_knows, unproven])
def test_not_called_settles_the_dial_and_fails_the_call(make: object) -> None:
    """A requeue dials again without a look-up: a person has vouched for it."""
    stage = make(rings=False)  # type: ignore[operator]
    call, _ = decide(stage, "not_called")

    assert (call.state, call.reason) == (CallState.FAILED, "not called, says ana")
    assert [dial.status for dial in stage.store.dials("call_1")] == [DialStatus.ABSENT]
    assert calls_to_review(stage.store, CAMPAIGN) == []


def test_not_called_of_a_placed_call_begins_again_with_the_dial() -> None:
    """Whatever the platform says: a requeue dials, and does not follow the dead conversation."""
    call, _ = decide(stalled(), "not_called")

    assert (call.state, call.step, call.dials) == (CallState.FAILED, Step.DIAL, 0)


@pytest.mark.parametrize("make", [nobody_knows, unproven])
def test_redial_dials_the_person_again(make: object) -> None:
    """The call is pending, its dial settled by the person's word, and the next run makes it."""
    stage = make(rings=False)  # type: ignore[operator]
    call, _ = decide(stage, "redial")
    assert (call.state, call.step) == (CallState.PENDING, Step.DIAL)
    stage.run()

    assert stage.states() == {CallState.DONE: 1}
    assert [dial.status for dial in stage.store.dials("call_1")] == [
        DialStatus.ABSENT,
        DialStatus.PLACED,
    ]


@pytest.mark.parametrize("decision", DECISIONS)
def test_a_decision_is_told_with_who_made_it(decision: str) -> None:
    """The log names the person, the call and the decision."""
    _, told = decide(nobody_knows(rings=False), decision)
    events = [each.event for each in told]
    obeyed = [event for event in events if isinstance(event, CommandObeyed)]
    changed = [event for event in events if isinstance(event, CallChanged)]

    assert [(event.argument, event.by) for event in obeyed] == [(f"call_1 {decision}", "ana")]
    assert changed[-1].reason.endswith("says ana")


def test_a_call_that_waits_for_no_decision_is_refused() -> None:
    """Done, unknown, or a decision that does not exist: nothing changes."""
    stage = Stage(calls=people(1))
    stage.run()

    with pytest.raises(UsageError, match="nothing to decide"):
        decide(stage, "called")
    with pytest.raises(UsageError, match="no call"):
        decide(stage, "called", "call_9")
    with pytest.raises(UsageError, match="no decision"):
        decide(nobody_knows(rings=True), "perhaps")


def test_a_decision_beats_a_look_up_that_is_under_way() -> None:
    """The person said `redial` while the provider was asked: the person is dialed once more."""
    stage = nobody_knows(rings=True)
    decide(stage, "not_called")
    stage.run()

    assert stage.states() == {CallState.FAILED: 1}
    assert len(stage.phone.posts) == 1
