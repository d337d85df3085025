"""What calls do while a service is down: park, go on without it, or fail if so wanted."""

from itertools import pairwise

import msgspec
from worker_doubles import Answer, Model, Records, down
from worker_stage import Stage, at, mended, people, settings

from callagent_cli.calls.model import CallState
from callagent_cli.errors import (
    AuthenticationFailed,
    ExitCode,
    InvalidPayload,
    QuotaExceeded,
    RateLimited,
)
from callagent_cli.events import (
    AttemptFinished,
    BreakerChanged,
    CallChanged,
    StepDegraded,
    StepStarted,
)
from callagent_cli.resilience.breaker import Breaker

REFUSED = [Answer(rings=False, error=down())] * 40


def broken(count: int = 10, *, lanes: int = 1, **elevenlabs: object) -> Stage:
    """Return a stage whose voice platform is down from the start."""
    stage = Stage(calls=people(count), lanes=lanes, settings=settings(**elevenlabs))
    stage.phone.answers = list(REFUSED)
    stage.phone.down = down()
    return stage


# Parked


def test_with_one_lane_the_first_call_fails_and_the_others_wait() -> None:
    """Four attempts at 0, 5, 15 and 35 s open the breaker exactly as the retries end."""
    stage = broken()
    stage.run(at(200, mended))
    attempts_s = stage.times_of(AttemptFinished, operation="elevenlabs.dial", call="call_1")

    assert [round(time_s - attempts_s[0]) for time_s in attempts_s] == [0, 5, 15, 35]
    assert stage.times_of(BreakerChanged, new="open")[0] == attempts_s[-1]
    assert stage.states() == {CallState.FAILED: 1, CallState.DONE: 9}
    assert len(stage.models[0].prompts) == 10


def test_with_several_lanes_the_calls_park_and_nobody_fails() -> None:
    """The breaker opens sooner than any call has used up its retries."""
    stage = broken(lanes=4)
    stage.run(at(200, mended))

    assert stage.states() == {CallState.DONE: 10}
    assert {event.call for event in stage.of(CallChanged, new="parked")} >= {
        "call_1",
        "call_2",
        "call_3",
        "call_4",
    }


def test_no_script_is_written_that_nobody_can_speak() -> None:
    """While the voice platform is down no pending call begins, and nothing is composed."""
    stage = broken(20, lanes=4)
    before: list[int] = []
    stage.run(at(190, lambda staged: before.append(len(staged.models[0].prompts))), at(200, mended))

    assert before == [4]
    assert stage.states() == {CallState.DONE: 20}


def test_a_call_that_is_parked_before_the_outage_is_over_keeps_its_steps() -> None:
    """It goes on with its dial: nothing before it is done twice."""
    stage = broken(4, lanes=4)
    stage.run(at(200, mended))

    assert len(stage.of(StepStarted, step="compose")) == 4
    assert len(stage.models[0].prompts) == 4


def test_a_parked_trial_uses_no_attempt() -> None:
    """Trials may fail for an hour: no call comes to the end of its retries by them."""
    stage = broken(4, lanes=4)
    stage.phone.down = None  # A grey failure: health is fine, dialing is not.
    stage.phone.ill = None
    stage.run(at(3600, mended))
    trials = [event for event in stage.of(AttemptFinished) if event.trial and event.outcome != "ok"]

    assert len(trials) > 8
    assert len({event.call for event in trials}) == 4
    assert stage.states() == {CallState.DONE: 4}


def test_a_call_in_backoff_parks_when_the_breaker_opens() -> None:
    """It leaves its lane at once, with the attempts that it has used."""
    stage = broken(4, lanes=4)
    stage.run(at(200, mended))
    opened_s = stage.times_of(BreakerChanged, service="elevenlabs", new="open")[0]
    parked_s = stage.times_of(CallChanged, new="parked", waits_for="elevenlabs")

    assert parked_s[:4] == [opened_s] * 4


def test_a_conversation_under_way_is_taken_up_after_the_outage() -> None:
    """It is parked with its step, followed and recorded; nobody is dialed again."""
    stage = Stage(calls=people(2), lanes=2)
    stage.phone.talk_s = 60
    stage.run(
        at(10, lambda staged: setattr(staged.phone, "down", down())),
        at(500, lambda staged: setattr(staged.phone, "down", None)),
    )

    assert stage.of(CallChanged, new="parked", step="follow", waits_for="elevenlabs")
    assert stage.states() == {CallState.DONE: 2}
    assert len(stage.phone.posts) == 2


def test_a_rejected_key_parks_the_call_and_never_fails_it() -> None:
    """One POST is enough to know; the run ends because only a person can help."""
    stage = Stage(calls=people(5))
    wrong = AuthenticationFailed("invalid_api_key", status=401)
    stage.phone.answers = [Answer(rings=False, error=wrong)] * 9
    ending = stage.run()

    assert ending.exit_code is ExitCode.CREDENTIALS
    assert stage.states() == {CallState.PARKED: 1, CallState.PENDING: 4}
    assert len(stage.phone.posts) == 1


def test_redials_and_look_ups_do_not_keep_a_run_that_only_a_person_can_help() -> None:
    """A call due in an hour waits for the same key as all others."""
    stage = Stage(calls=people(3))
    wrong = AuthenticationFailed("invalid_api_key", status=401)
    busy = InvalidPayload("486", status=200, code="sip_486", personal=True)
    stage.phone.answers = [Answer(rings=False, error=busy), Answer(rings=False, error=wrong)]
    ending = stage.run()

    assert ending.exit_code is ExitCode.CREDENTIALS
    assert stage.states() == {CallState.SCHEDULED: 1, CallState.PARKED: 1, CallState.PENDING: 1}


def test_without_credit_a_parked_call_tries_after_5_10_20_and_30_minutes() -> None:
    """Then the run ends: only the account can help."""
    stage = Stage(calls=people(3))
    empty = QuotaExceeded("quota_exceeded", status=401)
    stage.phone.answers = [Answer(rings=False, error=empty)] * 20
    ending = stage.run()
    posts_s = [post.at_s for post in stage.phone.posts]
    gaps = [round((b - a) / 60) for a, b in pairwise(posts_s)]

    assert ending.exit_code is ExitCode.CREDENTIALS
    assert gaps == [5, 10, 20, 30]
    assert stage.states().get(CallState.FAILED) is None


def test_without_credit_those_who_were_called_are_followed_before_the_next_trial() -> None:
    """More dials are refused than there are trials: the conversation under way is not forgotten."""
    stage = Stage(calls=people(8), lanes=8)
    stage.phone.talk_s = 60
    empty = QuotaExceeded("quota_exceeded", status=401)
    stage.phone.answers = [Answer(), *[Answer(rings=False, error=empty)] * 30]
    ending = stage.run()

    assert ending.exit_code is ExitCode.CREDENTIALS
    assert stage.states() == {CallState.DONE: 1, CallState.PARKED: 7}
    followed_s = stage.times_of(CallChanged, new="done")[0]
    assert followed_s < 310


def test_following_that_fails_does_not_take_every_trial() -> None:
    """While one person's conversation cannot be read, another one's dial is tried in its turn."""
    stage = Stage(calls=people(2), lanes=2)
    stage.phone.talk_s = 60
    stage.phone.answers = [Answer(), *[Answer(rings=False, error=down())] * 3]
    stage.run(
        at(3, lambda staged: setattr(staged.phone, "deaf", down())),
        at(3000, lambda staged: setattr(staged.phone, "deaf", None)),
    )

    assert stage.of(CallChanged, new="parked", step="follow", waits_for="elevenlabs")
    assert stage.of(CallChanged, new="parked", step="dial", waits_for="elevenlabs")
    assert 100 < stage.phone.posts[-1].at_s < 2900
    assert stage.states() == {CallState.DONE: 2}


def test_a_rate_limit_uses_no_attempt_and_fails_nobody() -> None:
    """Eight times 429 with a wait: the call waits as long and is made."""
    stage = Stage()
    limited = RateLimited("slow down", status=429, retry_after_s=40.0)
    stage.phone.answers = [Answer(rings=False, error=limited)] * 8
    stage.run()

    assert stage.states() == {CallState.DONE: 1}
    assert stage.call().attempts == 0
    assert stage.phone.posts[-1].at_s > 8 * 40


# Half-open


def test_each_half_open_service_gets_one_candidate_at_a_time() -> None:
    """However many lanes are free, one call is taken for the trial."""
    stage = broken(12, lanes=6)
    stage.run(at(200, mended))
    trials: list[tuple[float, float]] = []
    for stamped in stage.events:
        event = stamped.event
        if isinstance(event, AttemptFinished) and event.trial and event.service == "elevenlabs":
            trials.append((stamped.monotonic_s - event.duration_s, stamped.monotonic_s))

    assert trials
    assert all(later[0] >= earlier[1] for earlier, later in pairwise(trials))


# Fail instead of park


def test_calls_fail_fast_while_the_platform_is_down_when_so_wanted() -> None:
    """Each fails by the platform, without a script; what comes after the outage is made."""
    stage = broken(12, lanes=2, when_down="fail")
    stage.run(at(200, mended))

    assert stage.states() == {CallState.FAILED: 12}
    assert {stage.call(index).failed_by for index in range(12)} == {"elevenlabs"}
    assert len(stage.models[0].prompts) <= 4
    assert not stage.of(CallChanged, new="parked", waits_for="elevenlabs")


def test_calls_that_fail_fast_do_not_fail_for_a_wrong_key() -> None:
    """An isolated service needs a person: the calls wait for it."""
    stage = Stage(calls=people(4), settings=settings(when_down="fail"))
    wrong = AuthenticationFailed("invalid_api_key", status=401)
    stage.phone.answers = [Answer(rings=False, error=wrong)] * 9
    ending = stage.run()

    assert ending.exit_code is ExitCode.CREDENTIALS
    assert stage.states() == {CallState.PARKED: 1, CallState.PENDING: 3}


# Requeue by itself


def requeues(stage: Stage) -> Stage:
    """Let failed calls be taken back after the outage."""
    stage.settings = msgspec.structs.replace(stage.settings, requeue_after_outage=True)
    return stage


def test_failed_calls_are_taken_back_by_themselves_when_so_wanted() -> None:
    """Once the breaker has closed, those that failed because of the outage begin again."""
    stage = requeues(broken(3))
    ending = stage.run(at(200, mended))

    assert ending.exit_code is ExitCode.DONE
    assert stage.states() == {CallState.DONE: 3}
    assert len(stage.of(CallChanged, old="failed", new="pending")) == 1


def test_a_run_waits_for_the_service_that_its_failed_calls_wait_for() -> None:
    """With everybody failed, the end of the outage is still worth waiting for."""
    stage = requeues(broken(3, when_down="fail"))
    ending = stage.run(at(400, mended))

    assert ending.exit_code is ExitCode.DONE
    assert stage.states() == {CallState.DONE: 3}


def test_one_failed_call_is_taken_back_when_no_other_can_be_the_trial() -> None:
    """Healthy checks prove nothing about credit: somebody has to try."""
    stage = requeues(broken(3, lanes=3, when_down="fail"))
    empty = QuotaExceeded("quota_exceeded", status=401)
    stage.phone.down = None
    stage.phone.answers = [Answer(rings=False, error=empty), *REFUSED]
    ending = stage.run(at(4000, mended), horizon_s=12 * 3600.0)

    assert ending.exit_code is ExitCode.DONE
    assert stage.states() == {CallState.DONE: 3}


def test_a_refused_number_is_not_taken_back_by_an_outage() -> None:
    """Only those that the outage failed."""
    stage = requeues(broken(4))
    bad = InvalidPayload("not a valid phone number", status=200, code="invalid_number")
    stage.phone.answers = [Answer(rings=False, error=bad), *REFUSED]
    stage.phone.down = None
    stage.run(at(5, lambda staged: setattr(staged.phone, "down", down())), at(200, mended))

    assert stage.states() == {CallState.FAILED: 1, CallState.DONE: 3}
    assert stage.call(0).state is CallState.FAILED


# The CRM


def test_calling_goes_on_without_the_crm_and_the_records_follow() -> None:
    """The look-up is skipped, the record waits in its outbox."""
    stage = Stage(calls=people(6), lanes=3, records=Records())
    stage.records.down = down()
    stage.run(at(600, lambda staged: setattr(staged.records, "down", None)))

    assert stage.states() == {CallState.DONE: 6}
    assert max(post.at_s for post in stage.phone.posts) < 200
    assert sorted(stage.records.records) == sorted(f"call_{number}" for number in range(1, 7))


def test_a_skipped_step_is_told_once_when_it_begins_and_once_when_it_ends() -> None:
    """Four calls without the CRM make one event, and the end comes when the service is back."""
    stage = Stage(calls=people(7))
    stage.phone.talk_s = 150
    stage.records.down = down()
    stage.run(at(600, lambda staged: setattr(staged.records, "down", None)))

    assert [event.active for event in stage.of(StepDegraded, step="look_up")] == [True, False]
    assert stage.of(StepDegraded, active=True)[0].instead == "nothing"


# The models


def test_the_second_model_stands_in_and_the_first_is_used_again_once_it_is_well() -> None:
    """One attempt at the first model, then the second at once; later the first again."""
    stage = Stage(calls=people(12), models=[Model(), Model()])
    stage.models[0].down = down()
    stage.run(at(150, lambda staged: setattr(staged.models[0], "down", None)))
    by = [stage.call(index).results["compose"]["by"] for index in range(12)]

    assert stage.states() == {CallState.DONE: 12}
    assert (by[0], by[-1]) == ("llm_fallback", "llm")
    assert [event.active for event in stage.of(StepDegraded, step="compose")] == [True, False]
    assert stage.of(StepDegraded)[0].instead == "llm_fallback"


def test_a_text_that_the_first_model_refuses_is_no_degradation() -> None:
    """The second model writes it, and nobody is told that the first is down."""
    stage = Stage(models=[Model(), Model()])
    stage.models[0].down = InvalidPayload("content policy", status=400, code="content_policy")
    stage.run()

    assert stage.states() == {CallState.DONE: 1}
    assert not stage.of(StepDegraded)


def test_a_text_that_was_refused_waits_for_the_second_model() -> None:
    """The first one answers at once and would be asked without end; the call tries now and then."""
    stage = Stage(models=[Model(), Model()])
    stage.models[0].down = InvalidPayload("content policy", status=400, code="content_policy")

    def second(staged: Stage) -> Breaker:
        assert staged.worker is not None
        return staged.worker.resources.services.guards["llm_fallback"].breaker

    stage.run(
        at(0.05, lambda staged: second(staged).isolate("operator", "for the test")),
        at(600, lambda staged: second(staged).reset("for the test")),
    )

    assert 5 <= len(stage.models[0].prompts) <= 25
    assert stage.states() == {CallState.DONE: 1}
    assert stage.call().results["compose"]["by"] == "llm_fallback"


def test_without_a_second_model_calls_park() -> None:
    """They wait at their step for any model, and go on."""
    stage = Stage(calls=people(5), lanes=5)
    stage.models[0].down = down()
    stage.run(at(300, lambda staged: setattr(staged.models[0], "down", None)))

    assert stage.of(CallChanged, new="parked", step="compose", waits_for="llm")
    assert stage.states() == {CallState.DONE: 5}


def test_an_idle_breaker_closes_while_another_service_keeps_everybody_waiting() -> None:
    """No pending call could be the trial of the model: the voice platform is down."""
    stage = broken(6, lanes=1)
    stage.models[0].ill = None

    def trips(staged: Stage) -> None:
        assert staged.worker is not None
        model = staged.worker.resources.services.guards["llm"].breaker
        for _ in range(4):
            model.fail(model.admit(), "llm.compose", 1.0, 60.0, reason="for the test")

    stage.run(at(60, trips), at(600, mended))
    closed_s = stage.times_of(BreakerChanged, service="llm", new="closed")

    assert closed_s
    assert closed_s[0] < 600
    assert stage.states()[CallState.DONE] >= 5
