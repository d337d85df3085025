"""Nobody is dialed twice without proof that the first dial placed no call."""

from asyncio import sleep

import pytest
from worker_doubles import Answer, down, no_answer
from worker_stage import Stage, at, people, settings

from callagent_cli.calls.model import CallState, DialStatus
from callagent_cli.errors import ExitCode, OutcomeUnknown, ServiceTimeout
from callagent_cli.events import BreakerChanged, CallChanged, DialLookedUp, DialSettled
from callagent_cli.worker.again.requeue import requeue

LOST = OutcomeUnknown("no answer within 30 s")


def statuses(stage: Stage) -> list[DialStatus]:
    """Return what became of the dials of the first call."""
    return [dial.status for dial in stage.store.dials(stage.calls[0].id)]


def requeue_all(stage: Stage) -> list[str]:
    """Take all failed calls back, as a command does."""
    assert stage.worker is not None
    resources = stage.worker.resources
    taken = requeue(resources.store, resources.bus, resources.clock, campaign=resources.campaign)
    stage.control.wake.set()
    return taken


# An answer that is lost


def test_a_lost_answer_is_looked_up_and_the_call_adopted() -> None:
    """The phone rang: the call is found, followed and recorded, and nobody is dialed again."""
    stage = Stage()
    stage.phone.answers = [Answer(error=LOST)]
    stage.run()

    assert stage.states() == {CallState.DONE: 1}
    assert len(stage.phone.posts) == 1
    assert statuses(stage) == [DialStatus.PLACED]
    assert (stage.call().dials, stage.call().conversation) == (1, "conv_1")


def test_look_ups_come_after_5_10_and_20_seconds_and_then_every_minute() -> None:
    """The waits of a reconciling call, while the look-ups fail."""
    stage = Stage()
    stage.phone.answers = [Answer(error=LOST)]
    stage.phone.blind = down()
    stage.run(at(300, lambda staged: setattr(staged.phone, "blind", None)))
    gaps = [
        round(later - earlier)
        for earlier, later in zip(stage.phone.look_ups, stage.phone.look_ups[1:], strict=False)
    ]
    lost_s = stage.times_of(CallChanged, new="reconciling")[0]

    assert round(stage.phone.look_ups[0] - lost_s) == 5
    assert gaps[:4] == [10, 20, 60, 60]


def test_a_reconciling_call_frees_its_lane() -> None:
    """The next person is called while nobody knows about the first."""
    stage = Stage(calls=people(2))
    stage.phone.answers = [Answer(error=LOST)]
    stage.phone.blind = down()
    stage.run(at(200, lambda staged: setattr(staged.phone, "blind", None)))

    assert stage.phone.posts[1].call == "call_2"
    assert stage.phone.posts[1].at_s < 10


def test_absent_before_the_grace_is_no_proof() -> None:
    """A provider may list a call late: nobody is dialed again within 30 s of the lost answer."""
    stage = Stage()
    stage.phone.answers = [Answer(rings=False, error=LOST)]
    stage.run()
    first, second = stage.phone.posts

    assert second.at_s - first.at_s >= 30
    assert [event.proven for event in stage.of(DialLookedUp)] == [False, False, True]
    assert statuses(stage) == [DialStatus.ABSENT, DialStatus.PLACED]


def test_a_call_listed_late_but_within_the_grace_is_adopted() -> None:
    """The second look-up finds what the first one did not."""
    stage = Stage()
    stage.phone.lag_s = 12.0
    stage.phone.answers = [Answer(error=LOST)]
    stage.run()

    assert len(stage.phone.posts) == 1
    assert [event.found for event in stage.of(DialLookedUp)] == [False, True]


def test_a_call_listed_after_the_grace_is_found_by_the_look_up_of_the_next_dial() -> None:
    """The assumption is broken and the person rung twice; the ledger says so, and not thrice."""
    stage = Stage()
    stage.phone.lag_s = 50.0
    stage.phone.answers = [Answer(error=LOST), Answer(error=LOST, rings=False)]
    stage.run()

    assert statuses(stage) == [DialStatus.PLACED, DialStatus.ABSENT]
    assert len(stage.phone.posts) == 2
    assert stage.call().conversation == "conv_1"
    assert stage.states() == {CallState.DONE: 1}


def test_a_proven_absence_is_followed_by_the_next_attempt_and_the_last_by_failing() -> None:
    """Four dials that rang nobody use up the attempts; the call fails, proven not called."""
    stage = Stage()
    stage.phone.answers = [Answer(rings=False, error=LOST)] * 4
    ending = stage.run()

    assert ending.exit_code is ExitCode.FAILED
    assert statuses(stage) == [DialStatus.ABSENT] * 4
    assert stage.call().reason == "attempts used up, proven not called"


def test_an_unknown_dial_is_evidence_for_the_breaker() -> None:
    """Four lost answers in a row open it."""
    stage = Stage(calls=people(5), lanes=5)
    stage.phone.answers = [Answer(error=LOST)] * 5
    stage.run()

    assert stage.of(BreakerChanged, service="elevenlabs", new="open")
    assert stage.states() == {CallState.DONE: 5}
    assert len(stage.phone.posts) == 5


def test_a_timeout_that_an_adapter_lets_through_counts_as_a_lost_answer() -> None:
    """Whatever it is called: after a dial was sent, no answer means that it may have rung."""
    stage = Stage()
    stage.phone.answers = [Answer(error=ServiceTimeout("no answer"))]
    stage.run()

    assert len(stage.phone.posts) == 1
    assert stage.states() == {CallState.DONE: 1}


def test_after_half_an_hour_of_failing_look_ups_a_person_decides() -> None:
    """The service is well but for its list: nobody knows, and nobody is dialed again."""
    stage = Stage()
    stage.phone.answers = [Answer(error=LOST)]
    stage.phone.blind = down()
    ending = stage.run()
    reviewed_s = stage.times_of(CallChanged, new="review")[0]

    assert ending.exit_code is ExitCode.FAILED
    assert stage.states() == {CallState.REVIEW: 1}
    assert len(stage.phone.posts) == 1
    assert 30 * 60 - 60 <= reviewed_s <= 32 * 60


def test_while_the_breaker_is_open_the_patience_is_a_day() -> None:
    """An outage is no reason to trouble a person before 24 h are over."""
    stage = Stage()
    stage.phone.answers = [Answer(error=LOST)]

    def breaks_down(staged: Stage) -> None:
        assert staged.worker is not None
        staged.phone.down = down()
        staged.worker.resources.services.voice.breaker.isolate("operator", "for the test")

    stage.run(at(2, breaks_down), horizon_s=30 * 3600.0)
    reviewed_s = stage.times_of(CallChanged, new="review")[0]

    assert 24 * 3600 <= reviewed_s <= 24 * 3600 + 120
    assert stage.phone.look_ups == []


def test_look_ups_outside_a_dial_never_open_the_breaker() -> None:
    """However many fail, the service is only marked as doubtful."""
    stage = Stage(calls=people(6), lanes=3)
    stage.phone.answers = [Answer(error=LOST)] * 3
    stage.phone.blind = down()
    stage.run()

    assert len(stage.phone.look_ups) > 20
    assert not stage.of(BreakerChanged, service="elevenlabs")


# An answer of 503


def test_after_a_503_the_next_attempt_begins_with_a_look_up() -> None:
    """A gateway may send it after the work: the phone that rang is found and not rung again."""
    stage = Stage()
    stage.phone.answers = [Answer(rings=True, error=down())]
    stage.run()

    assert len(stage.phone.posts) == 1
    assert stage.phone.look_ups[0] >= 5
    assert stage.states() == {CallState.DONE: 1}


def test_absent_three_seconds_after_a_503_is_proof() -> None:
    """Then comes the POST, in the same attempt."""
    stage = Stage(settings=settings(policy={"retry": {"jitter": "none", "initial_delay_s": 0.5}}))
    stage.phone.answers = [Answer(rings=False, error=down())]
    stage.run()
    first, second = stage.phone.posts

    assert 3 <= stage.phone.look_ups[0] - (first.at_s + 0.2) < 3.1
    assert second.at_s > stage.phone.look_ups[0]
    assert statuses(stage) == [DialStatus.ABSENT, DialStatus.PLACED]


def test_when_the_look_up_fails_too_the_attempt_has_failed_and_nobody_is_dialed() -> None:
    """All of the service is down: four attempts, one of them a POST."""
    stage = Stage()
    stage.phone.answers = [Answer(rings=True, error=down())]
    stage.phone.blind = down()
    stage.run(at(60, lambda staged: setattr(staged.phone, "blind", None)))

    assert [round(time_s) for time_s in stage.phone.look_ups[:3]] == [6, 16, 36]
    assert len(stage.phone.posts) == 1


def test_a_failed_call_that_did_ring_is_adopted_once_the_service_is_well() -> None:
    """Its record is corrected: it is followed, recorded and done."""
    stage = Stage()
    stage.phone.answers = [Answer(rings=True, error=down())]
    stage.phone.blind = down()
    ending = stage.run(at(60, lambda staged: setattr(staged.phone, "blind", None)))
    moves = [(event.old, event.new) for event in stage.of(CallChanged) if event.old == "failed"]

    assert ending.exit_code is ExitCode.DONE
    assert moves == [("failed", "parked")]
    assert stage.states() == {CallState.DONE: 1}
    assert (stage.call().dials, stage.call().failed_by) == (1, "")


def test_a_failed_call_that_did_not_ring_stays_failed_and_is_proven_so() -> None:
    """The look-up after the outage only settles its dial."""
    stage = Stage()
    stage.phone.answers = [Answer(rings=False, error=down())]
    stage.phone.blind = down()
    stage.run(at(60, lambda staged: setattr(staged.phone, "blind", None)))

    assert statuses(stage) == [DialStatus.ABSENT]
    assert stage.call().state is CallState.FAILED
    assert stage.call().reason.endswith("(proven not called)")


def test_a_requeue_of_an_unproven_call_looks_up_before_it_dials() -> None:
    """The phone had rung: the requeued call adopts it and dials nobody."""
    stage = Stage(calls=people(2))
    stage.phone.answers = [Answer(rings=True, error=down())]
    stage.phone.blind = down()
    stage.phone.ill = down()

    def mends(staged: Stage) -> None:
        staged.phone.blind = staged.phone.ill = None
        assert requeue_all(staged) == ["call_1"]

    stage.run(at(45, mends))

    assert [post.call for post in stage.phone.posts] == ["call_1", "call_2"]
    assert stage.states() == {CallState.DONE: 2}


def test_a_requeue_during_the_background_look_up_dials_once() -> None:
    """Two look-ups of one dial at the same time come to one conclusion."""
    stage = Stage()
    stage.phone.answers = [Answer(rings=False, error=down())]
    stage.phone.blind = down()
    stage.phone.look_up_s = 3.0
    looked: list[float] = []

    def mends(staged: Stage) -> None:
        staged.phone.blind = None

    async def requeues(staged: Stage) -> None:
        while staged.call().state is not CallState.FAILED:  # noqa: ASYNC110 — the store tells nobody.
            await sleep(0.1)
        before = len(staged.phone.look_ups)
        while len(staged.phone.look_ups) == before:  # noqa: ASYNC110 — as above.
            await sleep(0.1)
        looked.append(staged.phone.look_ups[-1])
        requeue_all(staged)

    stage.run(at(60, mends), requeues)

    assert looked
    assert len(stage.phone.posts) == 2
    assert statuses(stage) == [DialStatus.ABSENT, DialStatus.PLACED]
    assert len(stage.of(DialSettled, status="absent")) == 1


# Time


@pytest.mark.parametrize("step_s", [3600.0, -3600.0])
def test_a_stepped_calendar_proves_nothing(step_s: float) -> None:
    """The grace is counted on a clock that nobody sets, and the look-up asks for all times."""
    stage = Stage()
    stage.phone.answers = [Answer(error=LOST)]
    stage.phone.lag_s = 20.0
    stage.run(at(2, lambda staged: setattr(staged, "shift_s", step_s)))

    assert len(stage.phone.posts) == 1
    assert stage.states() == {CallState.DONE: 1}


def test_a_calendar_set_back_does_not_delay_what_is_due() -> None:
    """What was due in five seconds is not due in an hour and five seconds."""
    stage = Stage()
    stage.phone.answers = [Answer(rings=False, error=LOST)]
    stage.run(at(2, lambda staged: setattr(staged, "shift_s", -3600.0)))

    assert stage.phone.posts[1].at_s < 60
    assert stage.phone.look_ups[0] < 10


def test_a_calendar_set_back_does_not_delay_a_redial() -> None:
    """A redial keeps its hour, whatever the calendar does meanwhile."""
    stage = Stage()
    stage.phone.endings = [no_answer()]
    stage.run(at(600, lambda staged: setattr(staged, "shift_s", -3600.0)))

    assert stage.phone.posts[1].at_s < 3700
