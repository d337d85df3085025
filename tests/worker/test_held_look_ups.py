"""Look-ups that an open breaker holds: hardly a write in the outage, and soon after it."""

import pytest
from worker_doubles import Answer
from worker_stage import Stage, at, people

from callagent_cli.calls.model import CallState
from callagent_cli.errors import OutcomeUnknown
from callagent_cli.simulation.virtual.loop import running_loop

LOST = OutcomeUnknown("no answer within 30 s")
HOURS_S = 6 * 3600.0 + 300


def _held(calls: int) -> Stage:
    """Return a stage on which the answers to so many dials get lost."""
    stage = Stage(calls=people(calls), lanes=calls)
    stage.phone.answers = [Answer(error=LOST)] * calls
    return stage


def _trips(stage: Stage) -> None:
    assert stage.worker is not None
    stage.worker.resources.services.voice.breaker.isolate("operator", "for the test")


def _resets(stage: Stage) -> None:
    assert stage.worker is not None
    stage.worker.resources.services.voice.breaker.reset("for the test")
    stage.control.wake.set()


def test_while_the_breaker_is_open_a_call_is_written_every_ten_minutes() -> None:
    """Nothing can be looked up, so that only the patience of the call has to be kept."""
    stage = _held(1)
    saved: list[float] = []
    save = stage.store.save_call

    def counted(call: object) -> None:
        saved.append(running_loop().time())
        save(call)  # type: ignore[arg-type]

    stage.store.save_call = counted  # type: ignore[method-assign]
    stage.run(at(2, _trips), at(HOURS_S, _resets))
    during = [at_s for at_s in saved if 60 < at_s < HOURS_S]

    assert 30 <= len(during) <= 42
    assert stage.states() == {CallState.DONE: 1}


@pytest.mark.parametrize("calls", [1, 6])
def test_what_was_held_is_looked_up_within_a_minute_of_the_close(calls: int) -> None:
    """Each in its turn, not all at once, and nobody is dialed again."""
    stage = _held(calls)
    stage.run(at(2, _trips), at(HOURS_S, _resets))
    looked = stage.phone.look_ups

    assert HOURS_S <= looked[0] < HOURS_S + 1
    assert looked[-1] < HOURS_S + 60
    assert len({round(at_s) for at_s in looked}) == len(looked) == calls
    assert len(stage.phone.posts) == calls


def test_what_an_earlier_run_held_is_looked_up_within_a_minute_of_the_start() -> None:
    """A breaker may be closed while no worker lives; the next one does not wait ten minutes."""
    stage = _held(2)

    stage.run_and_kill(HOURS_S, at(2, _trips))
    stage.run(at(0, _resets))

    assert HOURS_S <= stage.phone.look_ups[0] < HOURS_S + 2
    assert stage.phone.look_ups[-1] < HOURS_S + 60
    assert stage.states() == {CallState.DONE: 2}
