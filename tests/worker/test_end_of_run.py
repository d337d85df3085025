"""When a run ends, what it waits for, and with which exit code."""

from asyncio import sleep

import pytest
from worker_doubles import Answer, down, ended, no_answer
from worker_stage import Stage, at, mended, people, person, settings

from callagent_cli.calls.model import CallState, DialStatus
from callagent_cli.errors import AuthenticationFailed, ExitCode, InvalidPayload, OutcomeUnknown
from callagent_cli.events import (
    AttemptFinished,
    CallChanged,
    RunWaiting,
    StepFinished,
)
from callagent_cli.settings import Window

LOST = OutcomeUnknown("no answer within 30 s")
REFUSED = [Answer(rings=False, error=down())] * 400


def dead(count: int = 4, *, lanes: int = 4) -> Stage:
    """Return a stage whose voice platform is down for good."""
    stage = Stage(calls=people(count), lanes=lanes)
    stage.phone.answers = list(REFUSED)
    stage.phone.down = down()
    return stage


# Exit codes


def test_a_run_ends_with_0_when_everybody_is_done() -> None:
    """Nothing failed, nothing is left."""
    ending = Stage(calls=people(3)).run()

    assert (ending.exit_code, ending.reason) == (ExitCode.DONE, "everything is done")
    assert ending.totals == {"done": 3}


def test_a_run_without_calls_ends_at_once() -> None:
    """An empty list is done."""
    assert Stage(calls=[]).run().exit_code is ExitCode.DONE


def test_a_run_ends_with_1_when_a_call_failed() -> None:
    """The totals say how many."""
    stage = Stage(calls=people(2))
    bad = InvalidPayload("not a valid phone number", status=200, code="invalid_number")
    stage.phone.answers = [Answer(rings=False, error=bad)]
    ending = stage.run()

    assert (ending.exit_code, ending.totals) == (ExitCode.FAILED, {"done": 1, "failed": 1})


def test_a_run_ends_with_1_when_a_call_needs_a_person() -> None:
    """A conversation that cannot be found any more goes to review."""
    stage = Stage()
    gone = InvalidPayload("not found", status=404, code="conversation_not_found")
    stage.phone.deaf = gone
    ending = stage.run()

    assert (ending.exit_code, stage.states()) == (ExitCode.FAILED, {CallState.REVIEW: 1})


def test_a_run_waits_for_an_outage_however_long_it_lasts() -> None:
    """Without a limit of the run, a day and a half is not too long; no other limit lasts a day."""
    stage = dead()
    ending = stage.run(at(1.5 * 86_400.0, mended), horizon_s=4 * 86_400.0)

    assert ending.exit_code is ExitCode.DONE
    assert stage.states() == {CallState.DONE: 4}


def test_max_wait_ends_an_endless_outage_with_3() -> None:
    """Resumable: the calls stay parked. Trials that fail meanwhile do not count as progress."""
    stage = dead()
    stage.phone.down = None
    stage.max_wait_s = 1800.0
    ending = stage.run()
    last_s = stage.events[-1].monotonic_s
    trials = [event for event in stage.of(AttemptFinished) if event.trial]

    assert (ending.exit_code, ending.totals) == (ExitCode.STOPPED, {"parked": 4})
    assert len(trials) > 3
    assert 1790 <= last_s <= 1900


def test_max_wait_counts_from_the_last_progress() -> None:
    """A conversation that lasts longer than the limit is progress, and so is its end."""
    stage = Stage(calls=people(3))
    stage.max_wait_s = 60.0
    stage.phone.talk_s = 500.0

    assert stage.run().exit_code is ExitCode.DONE


def test_max_wait_also_ends_the_wait_for_a_redial() -> None:
    """A redial in an hour is a wait like any other."""
    stage = Stage()
    stage.max_wait_s = 600.0
    stage.phone.endings = [no_answer()]
    ending = stage.run()

    assert (ending.exit_code, ending.totals) == (ExitCode.STOPPED, {"scheduled": 1})


def test_a_person_needed_for_all_that_is_left_ends_the_run_with_4() -> None:
    """It says what is isolated and why."""
    stage = Stage(calls=people(3))
    wrong = AuthenticationFailed("invalid_api_key", status=401)
    stage.phone.answers = [Answer(rings=False, error=wrong)]
    ending = stage.run()

    assert ending.exit_code is ExitCode.CREDENTIALS
    assert "elevenlabs is isolated (invalid_api_key)" in ending.reason


def test_what_moves_by_itself_is_finished_before_the_run_ends_with_4() -> None:
    """The CRM's key is wrong, but calling goes on; only the records wait for a person."""
    stage = Stage(calls=people(3))
    stage.records.down = AuthenticationFailed("expired", status=401)
    ending = stage.run()

    assert ending.exit_code is ExitCode.CREDENTIALS
    assert stage.states() == {CallState.PARKED: 3}
    assert len(stage.phone.posts) == 3


# Windows


def test_a_run_waits_for_the_calling_window() -> None:
    """Nothing is looked up and nothing composed before it opens."""
    stage = Stage(calls=people(2))
    stage.options["window"] = Window(opens="11:00", closes="18:00")
    early: list[int] = []
    stage.run(at(7100, lambda staged: early.append(len(staged.models[0].prompts))))

    assert early == [0]
    assert stage.states() == {CallState.DONE: 2}
    assert stage.phone.posts[0].at_s == pytest.approx(7200, abs=5)


def test_a_redial_waits_for_the_next_morning() -> None:
    """The hour after an evening's call is over when the window is closed."""
    stage = Stage()
    stage.options["window"] = Window(opens="08:00", closes="09:30")
    stage.phone.endings = [no_answer()]
    stage.run()

    assert stage.phone.posts[1].at_s == pytest.approx(23 * 3600, abs=5)


def test_a_person_whose_zones_are_never_open_together_is_cancelled() -> None:
    """Waiting for ever helps nobody; the reason says which zones they are."""
    caller = person(0)
    contact = caller.contact
    far = type(contact)(line=2, number=contact.number, timezone="Europe/London,Pacific/Auckland")
    stage = Stage(calls=[caller.evolve(contact=far), person(1)])
    stage.options["window"] = Window(opens="09:00", closes="12:00")
    stage.run()

    assert stage.call(0).state is CallState.CANCELLED
    assert "Pacific/Auckland" in stage.call(0).reason
    assert stage.call(1).state is CallState.DONE


# What is said meanwhile


def test_a_waiting_run_says_what_it_waits_for_each_time_it_begins_to_wait() -> None:
    """Once for each wait, with the seconds until something can move."""
    stage = Stage(calls=people(2), lanes=2)
    stage.phone.endings = [no_answer()] * 4
    stage.run()
    told = stage.of(RunWaiting)

    assert [event.reason for event in told] == ["2 scheduled", "2 scheduled"]
    assert all(3500 < (event.due_in_s or 0) <= 3600 for event in told)


# The last look-ups


def test_open_look_ups_are_done_before_the_run_ends() -> None:
    """The only call failed with its dial open: the run stays until it is known that it rang."""
    stage = Stage()
    stage.phone.answers = [Answer(rings=True, error=down())]
    stage.phone.blind = down()
    ending = stage.run(at(70, lambda staged: setattr(staged.phone, "blind", None)))

    assert ending.exit_code is ExitCode.DONE
    assert stage.states() == {CallState.DONE: 1}


def test_a_run_waits_two_minutes_for_its_last_look_ups() -> None:
    """They keep failing: the run ends, the call stays failed and its dial unproven."""
    stage = Stage()
    stage.phone.answers = [Answer(rings=False, error=down())]
    stage.phone.blind = down()
    ending = stage.run()
    failed_s = stage.times_of(CallChanged, new="failed")[0]

    assert ending.exit_code is ExitCode.FAILED
    assert 105 < stage.events[-1].monotonic_s - failed_s < 135
    assert stage.store.calls_with_open_dials("spring") == ["call_1"]
    assert [dial.status for dial in stage.store.dials("call_1")] == [DialStatus.UNPROVEN]


def test_the_next_run_goes_on_with_the_look_ups_that_are_left() -> None:
    """It begins with them, and corrects the record."""
    stage = Stage()
    stage.phone.answers = [Answer(rings=True, error=down())]
    stage.phone.blind = down()
    stage.run()
    stage.phone.blind = None
    stage.life_s += 3600
    ending = stage.run()

    assert ending.exit_code is ExitCode.DONE
    assert stage.states() == {CallState.DONE: 1}
    assert len(stage.phone.posts) == 1


# Pause


def test_pause_stops_new_dials_and_lets_what_has_rung_finish() -> None:
    """Conversations are followed and recorded; nobody else is dialed until `resume`."""
    stage = Stage(calls=people(4), lanes=2)
    stage.phone.talk_s = 60
    stage.run(
        at(10, lambda staged: staged.control.pause("ana")),
        at(1000, lambda staged: staged.control.resume("ana")),
    )
    posts_s = [post.at_s for post in stage.phone.posts]
    recorded_s = stage.times_of(StepFinished, step="record")

    assert stage.states() == {CallState.DONE: 4}
    assert [time_s < 10 for time_s in posts_s] == [True, True, False, False]
    assert min(posts_s[2:]) >= 1000
    assert max(recorded_s[:2]) < 100


def test_pause_catches_a_call_between_its_script_and_its_dial() -> None:
    """What was prepared waits, and goes on with its dial."""
    stage = Stage()
    stage.run(
        at(0.3, lambda staged: staged.control.pause("ana")),
        at(100, lambda staged: staged.control.resume("ana")),
    )

    assert len(stage.phone.posts) == 1
    assert stage.phone.posts[0].at_s >= 100
    assert stage.of(CallChanged, new="parked")[0].reason == "paused by ana"
    assert len(stage.models[0].prompts) == 1


def test_a_paused_run_does_not_end() -> None:
    """It waits for a person, and says so."""
    stage = Stage(calls=people(2))
    stage.run(
        at(0.01, lambda staged: staged.control.pause("ana")),
        at(90_000, lambda staged: staged.control.resume("ana")),
    )

    assert stage.states() == {CallState.DONE: 2}
    assert stage.of(RunWaiting)[-1].reason == "paused by ana"


def test_look_ups_go_on_while_dialing_is_paused() -> None:
    """A lost answer is cleared up; the call that rang is followed and recorded."""
    stage = Stage(calls=people(2))
    stage.phone.answers = [Answer(error=LOST)]
    done: list[CallState] = []
    stage.run(
        at(1, lambda staged: staged.control.pause("ana")),
        at(200, lambda staged: done.append(staged.call(0).state)),
        at(300, lambda staged: staged.control.resume("ana")),
    )

    assert done == [CallState.DONE]


# Drain


def test_drain_lets_conversations_finish_and_begins_nothing() -> None:
    """The run ends with the code it was drained with, and the rest stays pending."""
    stage = Stage(calls=people(5), lanes=2)
    stage.phone.talk_s = 60
    ending = stage.run(at(10, lambda staged: staged.control.drain("SIGTERM", ExitCode.TERMINATED)))

    assert ending.exit_code is ExitCode.TERMINATED
    assert ending.totals == {"done": 2, "pending": 3}
    assert stage.events[-1].monotonic_s < 90


def test_a_drain_by_command_that_leaves_something_ends_with_3() -> None:
    """Stopped and resumable; with nothing left it is simply done."""
    stage = Stage(calls=people(2))
    ending = stage.run(at(3, lambda staged: staged.control.drain("asked", ExitCode.DONE)))

    assert (ending.exit_code, ending.totals) == (ExitCode.STOPPED, {"done": 1, "pending": 1})
    assert stage.run().exit_code is ExitCode.DONE


def test_drain_frees_the_lanes_that_only_wait() -> None:
    """A call in backoff keeps its attempts and its due time for the next run."""
    stage = Stage()
    stage.phone.answers = [Answer(rings=False, error=down())] * 2
    stage.run(at(8, lambda staged: staged.control.drain("SIGINT", ExitCode.INTERRUPTED)))
    parked = stage.call()

    assert stage.events[-1].monotonic_s < 9
    assert (parked.state, parked.attempts) == (CallState.PARKED, 2)
    assert parked.reason == "the worker drained in backoff"


def test_drain_does_its_look_ups_while_the_service_is_well() -> None:
    """A lost answer is cleared up before the run ends, if that takes less than two minutes."""
    stage = Stage()
    stage.phone.answers = [Answer(error=LOST)]
    ending = stage.run(at(3, lambda staged: staged.control.drain("SIGINT", ExitCode.INTERRUPTED)))

    assert ending.exit_code is ExitCode.INTERRUPTED
    assert stage.states() == {CallState.PARKED: 1}
    assert [dial.status for dial in stage.store.dials("call_1")] == [DialStatus.PLACED]
    assert stage.run().exit_code is ExitCode.DONE
    assert len(stage.phone.posts) == 1


def test_drain_does_not_wait_for_look_ups_of_a_service_that_is_down() -> None:
    """They go on at the next start."""
    stage = Stage(calls=people(4), lanes=4)
    stage.phone.answers = [Answer(error=LOST)] * 4
    stage.phone.down = down()
    stage.run(at(3, lambda staged: staged.control.drain("SIGINT", ExitCode.INTERRUPTED)))

    assert stage.events[-1].monotonic_s < 10
    assert stage.states() == {CallState.RECONCILING: 4}


def test_fewer_lanes_let_the_others_finish() -> None:
    """Nobody is hung up on; from then on fewer calls go on at a time."""
    stage = Stage(calls=people(8), lanes=4)
    busy: list[int] = []

    async def watches(staged: Stage) -> None:
        await sleep(5)
        staged.control.set_lanes(1, "ana")
        await sleep(60)
        while staged.worker is not None:
            busy.append(staged.worker.lanes_busy)
            await sleep(1)

    stage.run(watches)

    assert stage.states() == {CallState.DONE: 8}
    assert max(busy) == 1


def test_a_longer_grace_than_the_retries_still_comes_to_an_end() -> None:
    """Whatever the settings say, a call that may have rung is looked up and not dialed."""
    stage = Stage(settings=settings(lookup_grace_s=300.0))
    stage.phone.answers = [Answer(rings=False, error=LOST)]
    stage.phone.endings = [ended()]
    stage.run()

    assert stage.phone.posts[1].at_s - stage.phone.posts[0].at_s >= 300
    assert stage.states() == {CallState.DONE: 1}
