"""One call on its way through all steps."""

from worker_doubles import Answer, Records, down, ended, no_answer
from worker_stage import Stage, at, people, settings

from callagent_cli.calls.model import CallState, DialStatus
from callagent_cli.errors import ExitCode, InvalidPayload
from callagent_cli.events import CallChanged, RetryScheduled, StepFinished, StepStarted


def test_a_call_goes_from_the_list_to_the_record() -> None:
    """Look up, compose, dial, follow, record: once each, and the call is done."""
    stage = Stage()
    ending = stage.run()

    assert ending.exit_code is ExitCode.DONE
    assert stage.states() == {CallState.DONE: 1}
    assert [event.step for event in stage.of(StepFinished)] == [
        "look_up",
        "compose",
        "dial",
        "follow",
        "record",
    ]
    assert (len(stage.phone.posts), stage.records.records) == (1, ["call_1"])
    assert [dial.status for dial in stage.store.dials("call_1")] == [DialStatus.PLACED]
    assert (stage.call().result, stage.call().dials) == ("answered", 1)


def test_a_call_without_a_crm_is_done_when_it_is_over() -> None:
    """With no CRM configured its two steps have nothing to do."""
    stage = Stage(has_crm=False)
    stage.run()

    assert stage.states() == {CallState.DONE: 1}


def test_the_intent_is_on_disk_before_the_request_leaves() -> None:
    """At the moment of the POST nothing is left to be committed."""
    stage = Stage()
    uncommitted: list[bool] = []
    stage.phone.on_post = lambda: uncommitted.append(
        stage.store._database._connection.in_transaction
    )
    stage.run()

    assert uncommitted == [False]


def test_backoff_keeps_the_lane() -> None:
    """With one lane nobody else is called while a call waits for its retry."""
    stage = Stage(calls=people(2))
    stage.phone.answers = [Answer(rings=False, error=down()), Answer()]
    stage.run()
    first, second = stage.calls[0].id, stage.calls[1].id

    assert [post.call for post in stage.phone.posts] == [first, first, second]
    assert [event.delay_s for event in stage.of(RetryScheduled)] == [5.0]
    assert [event.old for event in stage.of(CallChanged, call=first, new="active")] == [
        "pending",
        "backoff",
    ]


def test_a_scheduled_call_frees_its_lane() -> None:
    """While one person is called again in an hour, the next one is called now."""
    stage = Stage(calls=people(2))
    stage.phone.endings = [no_answer()]
    stage.run()
    first, second = stage.calls[0].id, stage.calls[1].id

    assert [post.call for post in stage.phone.posts] == [first, second, first]
    assert stage.phone.posts[2].at_s - stage.phone.posts[0].at_s > 3600


def test_nobody_is_dialed_more_often_than_the_rules_allow() -> None:
    """Three dials without an answer, an hour apart; then the call is done."""
    stage = Stage()
    stage.phone.endings = [no_answer()] * 3
    stage.run()
    gaps = [
        later.at_s - earlier.at_s
        for earlier, later in zip(stage.phone.posts, stage.phone.posts[1:], strict=False)
    ]

    assert stage.states() == {CallState.DONE: 1}
    assert (len(stage.phone.posts), stage.call().dials, stage.call().result) == (3, 3, "no_answer")
    assert all(3600 < gap < 3700 for gap in gaps)


def test_a_busy_line_is_no_failed_call() -> None:
    """A dial refused because the line is busy counts as a dial and is made again later."""
    busy = InvalidPayload("486: Busy Here", status=200, code="sip_486", personal=True)
    stage = Stage()
    stage.phone.answers = [Answer(rings=False, error=busy)]
    stage.run()

    assert stage.states() == {CallState.DONE: 1}
    assert [event.reason for event in stage.of(CallChanged, new="scheduled")] == ["busy, again"]
    assert stage.phone.posts[1].at_s - stage.phone.posts[0].at_s > 15 * 60
    assert (stage.call().dials, stage.call().result) == (2, "answered")
    assert [dial.status for dial in stage.store.dials("call_1")] == [
        DialStatus.REFUSED,
        DialStatus.PLACED,
    ]


def test_a_line_that_stays_busy_ends_as_busy() -> None:
    """After the last dial the call is recorded and done: nobody failed."""
    busy = InvalidPayload("486: Busy Here", status=200, code="sip_486", personal=True)
    stage = Stage()
    stage.phone.answers = [Answer(rings=False, error=busy)] * 3
    ending = stage.run()

    assert ending.exit_code is ExitCode.DONE
    assert (stage.call().state, stage.call().result, stage.call().dials) == (
        CallState.DONE,
        "busy",
        3,
    )
    assert stage.records.records == ["call_1"]


def test_five_busy_lines_are_no_misconfiguration() -> None:
    """However many people's lines are busy, the service stays open to the others."""
    busy = InvalidPayload("486: Busy Here", status=200, code="sip_486", personal=True)
    stage = Stage(calls=people(8))
    stage.phone.answers = [Answer(rings=False, error=busy)] * 7
    stage.run()

    assert stage.states() == {CallState.DONE: 8}
    assert not [event for event in stage.of(CallChanged) if "isolated" in event.reason]


def test_a_refused_number_fails_its_call_at_once() -> None:
    """A permanent error is not retried, and the call stays failed."""
    refused = InvalidPayload("not a valid phone number", status=200, code="invalid_number")
    stage = Stage(calls=people(2))
    stage.phone.answers = [Answer(rings=False, error=refused)]
    ending = stage.run()

    assert ending.exit_code is ExitCode.FAILED
    assert stage.states() == {CallState.FAILED: 1, CallState.DONE: 1}
    assert (stage.call().failed_by, stage.call().reason) == ("elevenlabs", refused.message)


def test_a_conversation_that_cannot_be_seen_yet_is_no_refusal() -> None:
    """404 in the first minute is part of following; five of them do not isolate the service."""
    stage = Stage(calls=people(6), lanes=6)
    hidden = InvalidPayload("not found", status=404, code="conversation_not_found")
    seen = stage.phone.conversation
    asked: dict[str, int] = {}

    async def late(conversation_id: str) -> object:
        asked[conversation_id] = asked.get(conversation_id, 0) + 1
        if asked[conversation_id] <= 2:
            raise hidden
        return await seen(conversation_id)

    stage.phone.conversation = late  # type: ignore[assignment, method-assign]
    stage.run()

    assert stage.states() == {CallState.DONE: 6}


def test_attempts_of_one_poll_do_not_add_up_with_those_of_another() -> None:
    """Six polls that fail once each are six first attempts, not the end of the ladder."""
    stage = Stage()
    stage.phone.talk_s = 100
    seen, polls = stage.phone.conversation, [0]

    async def flaky(conversation_id: str) -> object:
        polls[0] += 1
        if polls[0] % 3 == 2:
            raise down()
        return await seen(conversation_id)

    stage.phone.conversation = flaky  # type: ignore[assignment, method-assign]
    stage.run()

    assert stage.states() == {CallState.DONE: 1}
    assert {event.attempt for event in stage.of(RetryScheduled)} == {2}
    assert not stage.of(CallChanged, new="parked")


def test_a_stalled_conversation_leaves_its_lane_and_goes_to_a_person_after_a_day() -> None:
    """It is asked about every five minutes, after an hour every fifteen; after a day, nobody."""
    stage = Stage(calls=people(2), settings=settings(follow_lease_s=600))
    stage.phone.talk_s = 2 * 86_400.0
    ending = stage.run(horizon_s=3 * 86_400.0)

    assert ending.exit_code is ExitCode.FAILED
    assert stage.states() == {CallState.REVIEW: 2}
    parked = stage.times_of(CallChanged, call="call_1", new="parked")
    assert 600 <= parked[0] < 620
    assert 299 < parked[2] - parked[1] < 302
    assert 899 < parked[-1] - parked[-2] < 902
    assert 3_600 + 86_400 > parked[-1] > 86_400 - 901


def test_a_record_whose_answer_was_lost_is_looked_for_before_it_is_written_again() -> None:
    """A completed step is never repeated."""
    records = Records()
    records.losing = down()
    stage = Stage(records=records)
    stage.run()

    assert (stage.states(), records.records) == ({CallState.DONE: 1}, ["call_1"])
    assert stage.call().results["record"]["id"] == "record_found"


def test_used_up_retries_of_the_record_park_it_and_never_fail_the_call() -> None:
    """The outbox: after a placed call the step is retried until it is written."""
    stage = Stage(calls=people(2))
    stage.records.down = down()

    stage.run(at(900, lambda staged: setattr(staged.records, "down", None)))

    assert stage.states() == {CallState.DONE: 2}
    assert stage.of(CallChanged, new="parked", step="record")
    assert sorted(stage.records.records) == ["call_1", "call_2"]
    assert len(stage.phone.posts) == 2


def test_an_unknown_way_to_end_is_recorded_as_unknown() -> None:
    """Contradictions are neither a success nor a reason to dial again."""
    stage = Stage()
    stage.phone.endings = [ended(status="failed", call_result="busy")]
    stage.run()

    assert (stage.call().result, len(stage.phone.posts)) == ("unknown", 1)


def test_every_step_that_begins_is_told() -> None:
    """The log shows each step of each call."""
    stage = Stage()
    stage.run()

    assert [event.step for event in stage.of(StepStarted)] == [
        event.step for event in stage.of(StepFinished)
    ]
