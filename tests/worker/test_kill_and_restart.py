"""Killed at any moment, the next worker loses no call and dials nobody twice."""

from pathlib import Path

import pytest
from worker_doubles import Answer, down, no_answer
from worker_stage import Stage, at, people

from callagent_cli.calls.model import CallState, DialStatus
from callagent_cli.errors import OutcomeUnknown
from callagent_cli.events import CallChanged, RetryScheduled
from callagent_cli.simulation.judge.verdict import judge
from callagent_cli.simulation.scenario.format import Scenario
from callagent_cli.simulation.scenario.loader import parse_scenario
from callagent_cli.simulation.virtual.loop import running_loop
from callagent_cli.simulation.worlds.world import Kill, World

TEXT = """
callagent: scenario/v1
name: kill-me
title: Six calls, some of whose dials and records are lost or refused
seed: 7
campaign: {contacts: 6, lanes: 3}
settings:
  services:
    elevenlabs: {lookup_grace_s: 8, follow_every_s: 5}
people: {answered: 3, no_answer: 1, talk: 12, ring: 2, no_answer_ring: 3, processing: 1}
services:
  elevenlabs: {latency: 200ms, list_lag: 2s}
timeline:
  - name: lost
    at: 0s
    for: 60s
    target: elevenlabs.dial
    probability: 0.4
    may_miss: true
    fault: {hang: true, applied: 0.5}
  - name: refused
    at: 0s
    for: 60s
    target: elevenlabs.dial
    probability: 0.3
    may_miss: true
    fault: {status: 503, applied: 0.3}
  - name: records
    at: 0s
    for: 60s
    target: crm.record
    probability: 0.3
    may_miss: true
    fault: {status: 502, applied: 1}
until: {at_most: 24h}
expect:
  always:
    - no_call_lost
    - nobody_dialed_twice
    - breaker_legal
    - nothing_sent_while_open
    - trials_at_most_1
    - retries_only_transient
    - completed_step_never_repeated
    - no_secret_in_log
    - finished
"""


def scenario() -> Scenario:
    """Return a small world in which much goes wrong."""
    return parse_scenario(TEXT, Path("kill-me.yaml")).scenario


def broken_by(*kills: Kill, seed: int = 7) -> list[str]:
    """Return what a world with these kills breaks."""
    verdict = judge(World(scenario(), seed).run(*kills))
    unfinished = {state for state, count in verdict.totals.items() if count} - {
        "done",
        "failed",
        "dialed",
    }
    return [str(finding) for finding in verdict.broken] + sorted(unfinished)


@pytest.mark.parametrize("part", range(6))
def test_a_kill_at_any_step_of_the_loop_loses_nothing(part: int) -> None:
    """Every seventh callback of the first minutes, a different seventh for each seed."""
    for number in range(part * 90, part * 90 + 90, 7):
        kill = Kill(where="step", number=number + part, restart_after_s=number % 5)
        assert (number, broken_by(kill, seed=part)) == (number, [])


@pytest.mark.parametrize("where", ["before_commit", "after_commit"])
@pytest.mark.parametrize("part", range(4))
def test_a_kill_at_either_side_of_any_commit_loses_nothing(where: str, part: int) -> None:
    """What was not committed was not done, and what was is not done again."""
    for number in range(1 + part, 49, 4):
        kill = Kill(where=where, number=number)  # type: ignore[arg-type]
        assert (number, broken_by(kill, seed=part)) == (number, [])


@pytest.mark.parametrize("seed", range(6))
def test_worker_after_worker_may_be_killed(seed: int) -> None:
    """Five kills in a row, each after a few dozen steps, with a rest between them."""
    kills = [
        Kill(where="step", number=30 + 17 * number + seed, restart_after_s=number * 3.0)
        for number in range(5)
    ]

    assert broken_by(*kills, seed=seed) == []


# Each state, by a worker whose services do what the test says


def test_a_call_in_backoff_goes_on_where_its_ladder_stood() -> None:
    """Two attempts are used: after the restart comes the third, when it is due."""
    stage = Stage()
    stage.phone.answers = [Answer(rings=False, error=down())] * 3
    stage.run_and_kill(8.0, rest_s=2.0)
    assert (stage.call().state, stage.call().attempts) == (CallState.BACKOFF, 2)
    stage.run()
    waits = [event.delay_s for event in stage.of(RetryScheduled)]

    assert waits == [5.0, 10.0, 20.0]
    assert stage.phone.posts[2].at_s - stage.phone.posts[1].at_s >= 10
    assert stage.states() == {CallState.DONE: 1}


def test_a_dial_under_way_is_unknown_to_the_next_worker_and_found() -> None:
    """Killed between the POST and its answer: looked up, adopted, not dialed again."""
    stage = Stage()
    stage.phone.answers = [Answer(after_s=5.0)]
    stage.run_and_kill(2.0, rest_s=60.0)
    assert [dial.status for dial in stage.store.dials("call_1")] == [DialStatus.INTENT]
    stage.run()

    assert (len(stage.phone.posts), stage.states()) == (1, {CallState.DONE: 1})
    assert stage.of(CallChanged, new="reconciling")


def test_a_dial_whose_request_never_left_is_made_after_its_absence_is_proven() -> None:
    """Killed between the commit of the intent and the POST: the attempt is used, nobody rang."""
    stage = Stage()

    def dies() -> None:
        raise_kill()

    stage.phone.on_post = dies
    stage.run_and_kill(3.0)
    stage.phone.on_post = lambda: None
    stage.phone.answers = []
    stage.run()

    assert stage.states() == {CallState.DONE: 1}
    assert len(stage.phone.rung) == 1
    assert stage.phone.posts[-1].at_s >= 30


def raise_kill() -> None:
    """Cut the process at this very moment."""
    running_loop().kill()
    raise RuntimeError("killed")


def test_a_conversation_is_followed_by_the_next_worker() -> None:
    """Killed while somebody talks: the call is followed to its end and recorded once."""
    stage = Stage()
    stage.run_and_kill(10.0, rest_s=5.0)
    stage.run()

    assert (len(stage.phone.posts), stage.states()) == (1, {CallState.DONE: 1})
    assert stage.records.records == ["call_1"]


def test_a_parked_call_waits_on_under_the_next_worker() -> None:
    """The breaker's state is not part of this stage; the call goes on as soon as it can."""
    stage = Stage(calls=people(4), lanes=4)
    stage.phone.answers = [Answer(rings=False, error=down())] * 4
    stage.phone.down = down()
    stage.run_and_kill(30.0)
    assert stage.states() == {CallState.PARKED: 4}
    stage.phone.down = None
    stage.run()

    assert stage.states() == {CallState.DONE: 4}


def test_a_reconciling_call_is_looked_up_by_the_next_worker() -> None:
    """It does not begin its wait anew, and a dial of an earlier run is believed gone only later."""
    stage = Stage()
    stage.phone.answers = [Answer(rings=False, error=OutcomeUnknown("lost"))]
    stage.run_and_kill(4.0, rest_s=1.0)
    assert stage.states() == {CallState.RECONCILING: 1}
    stage.run()

    assert stage.states() == {CallState.DONE: 1}
    assert stage.phone.posts[1].at_s - stage.phone.posts[0].at_s >= 30


def test_a_scheduled_redial_survives() -> None:
    """It is made when its hour is over, not when the worker is back."""
    stage = Stage()
    stage.phone.endings = [no_answer()]
    stage.run_and_kill(100.0, rest_s=50.0)
    assert stage.states() == {CallState.SCHEDULED: 1}
    stage.run()

    assert 3600 < stage.phone.posts[1].at_s - stage.phone.posts[0].at_s < 3700


def test_a_pause_does_not_outlive_its_worker() -> None:
    """The next worker dials: a pause is told to a worker and not to a campaign."""
    stage = Stage(calls=people(2))
    stage.run_and_kill(50.0, at(1.0, lambda staged: staged.control.pause("ana")))
    stage.run()

    assert stage.states() == {CallState.DONE: 2}
