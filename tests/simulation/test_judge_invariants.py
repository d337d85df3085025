"""Each invariant of the judge: a world that holds it, and the worlds that break it."""

from typing import Any

import msgspec
import pytest
from judge_breaches import BROKEN, RECORDED, RECORDS, REFUSED, RETRY, WITH_SECOND_MODEL
from judge_worlds import (
    NUMBER,
    Plot,
    alert,
    attempt,
    breaker,
    moved,
    rang,
    received,
    settled,
    world,
)

from callagent_cli.events import (
    BreakerChanged,
    CommandObeyed,
    GateClosed,
    RetryScheduled,
    RunEnded,
    StepFinished,
    StepStarted,
)
from callagent_cli.settings import Settings
from callagent_cli.simulation.judge.evidence import Broken
from callagent_cli.simulation.judge.verdict import INVARIANTS

HELD: list[tuple[str, str, Plot]] = [
    (
        "no_call_lost",
        "a usual call",
        world((1, moved("pending", "active")), (9, moved("active", "done"))),
    ),
    (
        "no_call_lost",
        "a kill forgets a move that was not on disk",
        world((1, moved("pending", "active")), (2, moved("pending", "active"), "run_2")),
    ),
    (
        "nobody_dialed_twice",
        "one dial",
        world(placed=[rang(1, "d1")], requests=[received(1, effect=True)]),
    ),
    (
        "nobody_dialed_twice",
        "a redial after nobody answered",
        world(
            (1.1, settled("d1")),
            (60, moved("active", "scheduled", reason="no_answer, again")),
            placed=[rang(1, "d1"), rang(3660, "d2")],
            requests=[
                received(1, effect=True, attempt_id="d1"),
                received(3660, effect=True, attempt_id="d2"),
            ],
        ),
    ),
    (
        "nobody_dialed_twice",
        "a look-up proved that nobody was called",
        world(
            requests=[
                received(1, **REFUSED),
                received(6, "elevenlabs.look_up"),
                received(6.2, effect=True, attempt_id="d2"),
            ],
            placed=[rang(6.2, "d2")],
        ),
    ),
    (
        "nobody_dialed_twice",
        "a refusal is proof",
        world(
            requests=[received(1, status=429), received(6, status=404), received(9, effect=True)]
        ),
    ),
    (
        "nobody_dialed_twice",
        "two people share a number",
        world(placed=[rang(1, "d1"), rang(2, "d2", call="call_2")]),
    ),
    (
        "breaker_legal",
        "the usual round",
        world(
            (1, breaker("closed", "open")),
            (9, breaker("open", "half_open")),
            (10, breaker("half_open", "closed")),
        ),
    ),
    (
        "breaker_legal",
        "a person closes it",
        world(
            (1, breaker("closed", "isolated")),
            (9, CommandObeyed(command="reset", argument="elevenlabs", by="me")),
            (9, breaker("isolated", "closed")),
        ),
    ),
    (
        "breaker_legal",
        "time shows whether there is credit again",
        world(
            (1, breaker("closed", "isolated", owner="quota")),
            (301, breaker("isolated", "half_open")),
        ),
    ),
    (
        "breaker_legal",
        "the next run has another key",
        world(
            (1, breaker("closed", "isolated", owner="unauthorized")),
            (9, breaker("isolated", "half_open"), "run_2"),
        ),
    ),
    (
        "nothing_sent_while_open",
        "the second model writes, and a call that is written needs none",
        world(
            (1, breaker("closed", "open", "llm")),
            (5, moved("pending", "active", step="compose")),
            (6, breaker("closed", "open", "llm_fallback")),
            (7, moved("pending", "active", "call_2", step="dial")),
            (30, breaker("open", "half_open", "llm")),
            settings=WITH_SECOND_MODEL,
        ),
    ),
    (
        "nothing_sent_while_open",
        "health checks and other services may be asked",
        world(
            (1, breaker("closed", "open")),
            (30, breaker("open", "half_open")),
            requests=[
                received(1),
                received(5, "elevenlabs.health"),
                received(6, "llm.compose"),
                received(30),
            ],
        ),
    ),
    (
        "trials_at_most_1",
        "one trial after the other",
        world(
            (1, breaker("closed", "open")),
            (5, breaker("open", "half_open")),
            (6, attempt(trial=True)),
            (8, attempt(trial=True)),
            (8, breaker("half_open", "closed")),
            (9, attempt()),
        ),
    ),
    (
        "trials_at_most_1",
        "a trial that was over at once, and the next from that instant on",
        world(
            (1, breaker("closed", "open")),
            (182.825723, breaker("open", "half_open")),
            (182.825723, attempt(duration_s=0.0, trial=True)),
            (182.907742, attempt(duration_s=0.082019000001, trial=True)),
        ),
    ),
    (
        "retries_only_transient",
        "the ladder",
        world(
            (1, attempt(outcome="unavailable")),
            (1, RetryScheduled(**RETRY)),
            (6.2, attempt(attempt=2)),
        ),
    ),
    (
        "retries_only_transient",
        "a calendar set forward, which the next run takes for a machine that slept",
        world(
            (1, RetryScheduled(**RETRY)),
            (1, GateClosed(service="llm", delay_s=20.0, reason="429")),
            (2, attempt("crm.record")),
            (4, attempt(call="call_1"), "run_2"),
            (5, attempt("llm.compose", call="call_2"), "run_2"),
            ahead_s={"run_2": 20.0},
        ),
    ),
    (
        "retries_only_transient",
        "a trial may come before a retry was due",
        world(
            (1, RetryScheduled(**{**RETRY, "delay_s": 20.0, "attempt": 4})),
            (2, breaker("closed", "open")),
            (5, breaker("open", "half_open")),
            (6, attempt(trial=True)),
        ),
    ),
    (
        "retries_only_transient",
        "whoever gave up before the answer was not asked to wait",
        world(
            (6, attempt("llm.compose", outcome="timeout", duration_s=5)),
            (20, attempt("llm.compose", call="call_2")),
            requests=[received(1, "llm.compose", status=503, after_s=9, retry_after_s=60)],
        ),
    ),
    (
        "retries_only_transient",
        "what was sent before Retry-After was told may end after it",
        world(
            (11, attempt("llm.compose", outcome="unavailable", http_status=503)),
            (12, attempt("llm.compose", duration_s=1.5, call="call_2")),
            requests=[received(10.8, "llm.compose", status=503, after_s=0.2, retry_after_s=60)],
        ),
    ),
    (
        "one_alert_per_outage",
        "an outage is told at once, and goes on quietly within ten minutes of its end",
        world(
            (1, breaker("closed", "open")),
            (1, alert("opened")),
            (50, breaker("half_open", "closed")),
            (60, breaker("closed", "open")),
            (90, breaker("half_open", "closed")),
            (210, alert("resolved")),
            (700, breaker("closed", "open")),
            (900, breaker("half_open", "closed")),
        ),
    ),
    (
        "one_alert_per_outage",
        "an outage that is not over, and one that began when the breaker had closed",
        world(
            (1, breaker("closed", "open")),
            (1, alert("opened")),
            (5, breaker("half_open", "closed", "crm")),
            (9, alert("opened", "inc_2", "crm")),
            (900, breaker("open", "half_open")),
        ),
    ),
    (
        "one_alert_per_outage",
        "a kill kept from the disk that a breaker closed",
        world(
            (1, breaker("closed", "open")),
            (1, alert("opened")),
            (50, breaker("half_open", "closed")),
            (90, moved("active", "done"), "run_2"),
        ),
    ),
    (
        "one_alert_per_outage",
        "who trips a breaker need not be told",
        world(
            (
                1,
                BreakerChanged(
                    service="llm", old="closed", new="isolated", reason="r", owner="operator"
                ),
            ),
            (9, moved("pending", "active")),
        ),
    ),
    (
        "one_alert_per_outage",
        "the kill came in the same instant, before the alert",
        world((1, breaker("closed", "open")), (2, moved("pending", "active"), "run_2")),
    ),
    (
        "one_alert_per_outage",
        "what a kill kept from the disk, whose numbers are given again",
        world(
            (1, alert("opened", "inc_1", "elevenlabs")),
            (1, alert("opened", "inc_2", "crm")),
            (5, alert("opened", "inc_1", "crm"), "run_2"),
            (9, alert("opened", "inc_2", "elevenlabs"), "run_2"),
            (50, alert("resolved", "inc_1", "crm"), "run_2"),
            (60, alert("resolved", "inc_2", "elevenlabs"), "run_2"),
        ),
    ),
    (
        "one_alert_per_outage",
        "opened, updated, resolved, and another day",
        world(
            (1, alert("opened")),
            (5, alert("update")),
            (5, alert("call_failed")),
            (9, alert("resolved")),
            (50, alert("opened", "inc_2")),
        ),
    ),
    (
        "completed_step_never_repeated",
        "a look-up may be repeated after a crash",
        world(
            (1, StepFinished(call="call_1", step="look_up", detail="")),
            (2, StepStarted(call="call_1", step="look_up"), "run_2"),
        ),
    ),
    (
        "completed_step_never_repeated",
        "a redial dials again",
        world(
            (1, StepFinished(call="call_1", step="dial", detail="")),
            (60, moved("active", "scheduled")),
            (90, StepStarted(call="call_1", step="dial")),
        ),
    ),
    (
        "completed_step_never_repeated",
        "the kill came in the same instant, before the disk",
        world((1, RECORDED), (2, RECORDS, "run_2")),
    ),
    (
        "no_secret_in_log",
        "a masked number",
        world(log=b'{"number":"\xe2\x80\xa6101"}', secrets=[NUMBER]),
    ),
    (
        "no_secret_in_log",
        "digits that are nobody's number",
        world(log=b'{"request_id":"912125550102","at":1212555010}\n', numbers=[NUMBER]),
    ),
    ("finished", "the run ended", world()),
]


@pytest.mark.parametrize(
    ("name", "plot"),
    [pytest.param(name, plot, id=f"{name}: {what}") for name, what, plot in HELD],
)
def test_an_invariant_holds_where_nothing_is_wrong(name: str, plot: Plot) -> None:
    """A world without the fault has no finding."""
    assert plot.broken(name) is None


@pytest.mark.parametrize(
    ("name", "text", "plot", "line"),
    [pytest.param(*each, id=f"{each[0]}: {each[1]}-{each[3]}") for each in BROKEN],
)
def test_a_broken_invariant_says_what_and_where(
    name: str, text: str, plot: Plot, line: int
) -> None:
    """The finding names what happened and the first line of the log that shows it."""
    broken = plot.broken(name)

    assert isinstance(broken, Broken)
    assert text in broken.text
    assert line == broken.line


def test_every_invariant_is_shown_to_hold_and_to_break() -> None:
    """No invariant of the judge is beyond this table."""
    held, broken = {name for name, *_ in HELD}, {name for name, *_ in BROKEN}

    assert set(INVARIANTS) == held == broken


def test_a_policy_with_more_trials_allows_more() -> None:
    """The limit is the policy's, one by default."""
    trials: dict[str, Any] = {"services": {"elevenlabs": {"policy": {"breaker": {"trials": 2}}}}}
    settings = msgspec.convert(trials, Settings)
    events = [(5.0, breaker("open", "half_open"))]
    both = [(8.0, attempt(duration_s=2, trial=True)), (9.0, attempt(duration_s=2, trial=True))]

    assert world(*events, *both).broken("trials_at_most_1") is not None
    assert world(*events, *both, settings=settings).broken("trials_at_most_1") is None


def test_the_end_of_a_run_ends_what_is_known_of_a_breaker() -> None:
    """After a restart the breaker's state is unknown until it is told."""
    ended = RunEnded(reason="killed", exit_code=0, totals={})
    plot = world(
        (1, breaker("closed", "open")), (2, ended), requests=[received(50, "elevenlabs.follow")]
    )

    assert plot.broken("nothing_sent_while_open") is None


def test_a_run_s_loop_may_begin_anywhere_in_the_world() -> None:
    """After a restart the loop's clock begins anew; the judge knows where in the world that is."""
    events = [
        (1.0, breaker("closed", "open"), "run_2"),
        (30.0, breaker("open", "half_open"), "run_2"),
    ]
    request = received(105, "elevenlabs.follow")

    shifted = world(*events, requests=[request], offsets_s={"run_2": 100.0})
    unshifted = world(*events, requests=[request])

    assert shifted.broken("nothing_sent_while_open") is not None
    assert unshifted.broken("nothing_sent_while_open") is None
