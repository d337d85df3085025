"""An answer that comes late, or once more, changes nothing about a call that is over."""

import asyncio

import pytest
from worker_doubles import Answer, down, ended, no_answer
from worker_stage import Stage, at, people

from callagent_cli.calls.model import Call, CallState, DialStatus, Step
from callagent_cli.services.conversations import Conversation
from callagent_cli.worker.again.review import review

KILLS_S = [20.0 + 0.25 * number for number in range(28)]
"""From before the talk has ended until after the record is written, and the run over."""


def _story(stage: Stage) -> tuple[dict[CallState, int], str, int, int, list[str]]:
    """Return all that a second end of the talk could change."""
    call = stage.call()
    posts, records = len(stage.phone.posts), stage.records.records
    return stage.states(), call.result, call.dials, posts, records


TOLD_ONCE = ({CallState.DONE: 1}, "answered", 1, 1, ["call_1"])


@pytest.mark.parametrize("kill_s", KILLS_S)
def test_the_end_of_a_talk_that_is_told_twice_counts_once(kill_s: float) -> None:
    """Killed around it, the next worker hears it again, or does not ask, and writes one record."""
    stage = Stage()
    stage.run_and_kill(kill_s)
    heard = stage.call().step is Step.RECORD
    asked = len(stage.phone.follows)
    # What was heard is on disk: a platform that says something else now is not listened to.
    stage.phone.endings = [no_answer()] if heard else [ended()]
    stage.run()

    assert _story(stage) == TOLD_ONCE
    assert not heard or len(stage.phone.follows) == asked


def test_the_kills_come_before_and_after_the_end_was_heard() -> None:
    """Else the sweep above would prove nothing."""
    steps = set()
    for kill_s in (KILLS_S[0], KILLS_S[-1]):
        stage = Stage()
        stage.run_and_kill(kill_s)
        steps.add(stage.call().step)

    assert steps == {Step.FOLLOW, Step.RECORD}


def test_an_answer_after_its_time_out_changes_nothing() -> None:
    """A second poll has heard the end by then, and the next person is being called."""
    stage = Stage(calls=people(2))
    seen, late = stage.phone.conversation, list[Conversation]()

    async def slow() -> Conversation:
        await asyncio.sleep(25.0)
        late.append(no_answer())
        return late[-1]

    under_way = list[asyncio.Task[Conversation]]()

    async def conversation(conversation_id: str) -> Conversation:
        if not under_way:
            under_way.append(asyncio.create_task(slow()))
            return await asyncio.shield(under_way[0])
        return await seen(conversation_id)

    stage.phone.conversation = conversation  # type: ignore[method-assign]
    stage.run()

    assert late == [no_answer()]
    assert stage.states() == {CallState.DONE: 2}
    assert [(stage.call(index).result, stage.call(index).dials) for index in (0, 1)] == [
        ("answered", 1),
        ("answered", 1),
    ]
    assert stage.records.records == ["call_1", "call_2"]


def test_a_look_up_that_comes_back_to_a_finished_call_changes_nothing() -> None:
    """A person has decided while the provider was asked: its answer adopts nothing any more."""
    stage = Stage()
    stage.phone.answers = [Answer(error=down())]
    stage.phone.blind = down()
    stage.run()
    assert stage.states() == {CallState.FAILED: 1}
    stage.phone.blind, stage.phone.look_up_s = None, 6.0
    stage.life_s += 3600
    decided = list[Call]()

    def decide(staged: Stage) -> None:
        assert staged.worker is not None
        shared = staged.worker.resources
        decided.append(
            review(
                shared.store,
                shared.bus,
                shared.clock,
                call_id="call_1",
                decision="called",
                by="ana",
            )
        )

    looked_up = len(stage.phone.look_ups)
    stage.run(at(8.0, decide))

    assert len(stage.phone.look_ups) == looked_up + 1
    assert [call.state for call in decided] == [CallState.DONE]
    assert stage.call() == decided[0]
    assert [dial.status for dial in stage.store.dials("call_1")] == [DialStatus.PLACED]
