"""What a scenario expects beyond the invariants, the verdict over all, and the bill."""

import hashlib
from typing import Any

import msgspec
import pytest
from judge_worlds import (
    Plot,
    alert,
    attempt,
    breaker,
    moved,
    rang,
    received,
    scenario_of,
    world,
)

from callagent_cli.events import RetryScheduled
from callagent_cli.settings import Settings
from callagent_cli.simulation.judge.cost import Cost
from callagent_cli.simulation.judge.verdict import Verdict, judge

HITS = {("outage", "elevenlabs.dial"): 3}


def verdict(expect: dict[str, Any], *events: Any, **keys: Any) -> Verdict:  # noqa: ANN401 — any.
    """Judge a world in which the outage struck three dials."""
    plot = world(*events, scenario=scenario_of(expect), **{"hits": HITS, **keys})
    return judge(plot.evidence())


def cost(plot: Plot) -> Cost:
    """Return what a world's faults cost."""
    return judge(plot.evidence()).cost


def retry(delay_s: float, call: str = "call_1") -> RetryScheduled:
    """Return a retry of a dial."""
    return RetryScheduled(
        service="elevenlabs",
        operation="elevenlabs.dial",
        call=call,
        delay_s=delay_s,
        reason="backoff",
        outcome="unavailable",
    )


OPENED = (12.0, breaker("closed", "open"))
OPEN = {"event": "breaker_changed", "where": {"service": "elevenlabs", "new": "open"}}
LADDER = [(1.0, retry(5)), (6.0, retry(10)), (16.0, retry(20))]
TRIED = {"event": "attempt_finished"}
SLEEPS = {"event": "retry_scheduled", "sleeps": [5, 10, 20]}
DUE_SOON = {"event": "retry_scheduled", "where": {"delay_s": {"at_least": 5, "at_most": 10}}}


@pytest.mark.parametrize(
    ("expect", "events", "held"),
    [
        ({"log": [OPEN]}, [OPENED], True),
        ({"log": [OPEN]}, [], False),
        ({"log": [{**OPEN, "times": 2}]}, [OPENED], False),
        ({"log": [{**OPEN, "times": {"at_most": 1}}]}, [], True),
        ({"log": [{**OPEN, "within": 2, "of": "outage.start"}]}, [OPENED], True),
        ({"log": [{**OPEN, "within": 1.9, "of": "outage.start"}]}, [OPENED], False),
        ({"log": [{**OPEN, "within": 60, "of": "outage.end"}]}, [OPENED], False),
        ({"log": [{**OPEN, "during": "outage"}]}, [OPENED], True),
        ({"log": [{**OPEN, "during": "outage"}]}, [(41.0, breaker("closed", "open"))], False),
        ({"log": [{**OPEN, "where": {"service": "eleven*"}}]}, [OPENED], True),
        ({"log": [{**OPEN, "where": {"service": "llm"}}]}, [OPENED], False),
        ({"log": [{**OPEN, "where": {"http_status": None}}]}, [OPENED], True),
        ({"log": [{**TRIED, "where": {"trial": True}}]}, [(1.0, attempt())], False),
        ({"log": [{**TRIED, "where": {"attempt": 1}}]}, [(1.0, attempt())], True),
        ({"log": [DUE_SOON]}, [(1.0, retry(5))], True),
        ({"log": [DUE_SOON]}, [(1.0, retry(5.5))], True),
        ({"log": [DUE_SOON]}, [(1.0, retry(10.0001))], True),
        ({"log": [DUE_SOON]}, [(1.0, retry(4.9)), (1.0, retry(10.1))], False),
        ({"log": [{**DUE_SOON, "where": {"reason": {"at_least": 1}}}]}, [(1.0, retry(5))], False),
        ({"never": [OPEN]}, [OPENED], False),
        ({"never": [OPEN]}, [], True),
        ({"log": [SLEEPS]}, LADDER, True),
        ({"log": [SLEEPS]}, LADDER[:2], False),
        ({"log": [SLEEPS]}, [*LADDER[:2], (16.0, retry(20, "call_2"))], False),
    ],
)  # fmt: skip
def test_patterns_over_the_log_are_judged(
    expect: dict[str, Any], events: list[Any], held: bool
) -> None:
    """Event, fields with globs, times, windows around phases, and the sleeps of one call."""
    assert (verdict(expect, *events).status == "held") is held


def test_a_missed_window_shows_the_line_that_came_too_late() -> None:
    """A near miss is pointed at."""
    late = verdict({"log": [{**OPEN, "within": 1, "of": "outage.start"}]}, (1, attempt()), OPENED)

    (finding,) = late.broken
    assert finding.line == 2
    assert str(finding) == (
        "✗ breaker_changed service=elevenlabs new=open within 1s of outage.start: "
        "0 times, not at least 1 (line 2)"
    )


def test_what_must_never_be_seen_reads_so() -> None:
    """Whether it was seen or not, nobody takes it for something that had to happen."""
    never = {"event": "breaker_changed", "where": {"service": "elevenlabs"}}
    held = verdict({"never": [never]})
    seen = verdict({"never": [never]}, (1, attempt()), OPENED)

    assert "✓ never: breaker_changed service=elevenlabs" in map(str, held.findings)
    assert [str(each) for each in seen.broken] == [
        "✗ never: breaker_changed service=elevenlabs: seen at 12.0 s (line 2)"
    ]


def test_one_too_many_shows_the_line_that_was_too_many() -> None:
    """The first event beyond the limit is pointed at."""
    twice = verdict({"log": [{**OPEN, "times": 1}]}, OPENED, (13, attempt()), OPENED)

    assert [finding.line for finding in twice.broken] == [3]


@pytest.mark.parametrize(
    ("outcome", "held"),
    [
        ({"done": 2, "failed": 0, "dialed": 1}, True),
        ({"done": {"at_least": 2}}, True),
        ({"done": 1}, False),
        ({"dialed": {"at_most": 0}}, False),
    ],
)
def test_outcomes_are_counted_in_the_store_and_the_ledger(
    outcome: dict[str, Any], held: bool
) -> None:
    """Calls by state, and phones that rang."""
    judged = verdict({"outcome": outcome}, placed=[rang(1, "d1")])

    assert (judged.status == "held") is held
    assert judged.totals == {"done": 2, "dialed": 1}


@pytest.mark.parametrize(
    ("wire", "held"),
    [
        ({"target": "elevenlabs", "requests": 2}, True),
        ({"target": "elevenlabs", "requests": 3, "health": True}, True),
        ({"target": "elevenlabs.health", "requests": 1}, True),
        ({"target": "elevenlabs", "requests": 1, "during": "outage"}, True),
        ({"target": "crm", "requests": {"at_least": 1}}, False),
    ],
)
def test_requests_are_counted_by_target_and_phase(wire: dict[str, Any], held: bool) -> None:
    """Health checks are no traffic unless they are asked for."""
    requests = [received(1), received(20, "elevenlabs.health"), received(30, "elevenlabs.follow")]

    assert (verdict({"wire": [wire]}, requests=requests).status == "held") is held


def test_a_fault_that_nobody_met_fails_the_scenario() -> None:
    """An expectation over an outage that never struck would be worth nothing."""
    judged = verdict({}, hits={})

    assert [str(finding) for finding in judged.broken] == [
        "✗ outage struck: nobody met this fault, which began at 10s"
    ]


@pytest.mark.parametrize(
    ("reached", "held"),
    [
        ({"phase": "outage", "target": "elevenlabs.dial", "hits": 3}, True),
        ({"phase": "outage", "target": "elevenlabs.health"}, False),
    ],
)
def test_strikes_are_counted_by_phase_and_target(reached: dict[str, Any], held: bool) -> None:
    """`reached` says which operation must have met the fault."""
    assert (verdict({"reached": [reached]}).status == "held") is held


def test_a_scenario_that_breaks_an_invariant_on_purpose_must_break_it() -> None:
    """`breaks` holds when the judge reports the breach, and only then."""
    twice = [rang(1, "d1"), rang(6, "d2")]

    reported = verdict({"breaks": ["nobody_dialed_twice"]}, placed=twice)
    silent = verdict({"breaks": ["nobody_dialed_twice"]})

    assert reported.status == "held"
    assert any("rang 2 times" in finding.text for finding in reported.findings)
    assert silent.status == "broken"


def test_a_run_that_does_not_end_is_broken_without_being_asked() -> None:
    """`until.finished` is an expectation of every scenario."""
    judged = verdict({}, finished=False, totals={"parked": 2}, ended_at_s=3600.0)

    (finding,) = judged.broken
    assert finding.title == "finished"
    assert judged.exit_code == 1


def test_a_lagging_clock_allows_no_verdict() -> None:
    """More lag than a tenth of the smallest timeout: could not judge, exit 3."""
    assert verdict({}, fidelity_s=0.4).exit_code == 0
    judged = verdict({}, fidelity_s=0.6)

    assert (judged.status, judged.exit_code) == ("could_not_judge", 3)
    assert "0.60 s" in judged.reason


@pytest.mark.parametrize("quick", [{"timeout_s": 3}, {"policy": {"health": {"timeout_s": 3}}}])
def test_the_second_model_has_timeouts_too(quick: dict[str, Any]) -> None:
    """A lag that can make false timeouts of its answers allows no verdict."""
    fallback = {"provider": "openai", **quick}
    settings = msgspec.convert({"services": {"llm": {"fallback": fallback}}}, Settings)

    assert verdict({}, fidelity_s=0.4, settings=settings).exit_code == 3


def test_the_bill_says_what_an_outage_cost() -> None:
    """Delayed, failed and protected calls, wasted requests, and the three times."""
    plot = world(
        (11, moved("active", "backoff", "call_1")),
        (11, attempt(outcome="unavailable", call="call_1")),
        OPENED,
        (12, moved("backoff", "failed", "call_1")),
        (13, alert("opened")),
        (52, breaker("half_open", "closed")),
        (99, moved("active", "done", "call_2")),
        hits=HITS,
        totals={"done": 1, "failed": 1},
    )

    bill = cost(plot)

    assert (bill.calls_delayed, bill.calls_failed, bill.calls_protected) == (1, 1, 1)
    assert bill.requests_wasted == 1
    assert (bill.mitigate_s, bill.detect_s, bill.recover_s) == (2.0, 3.0, 12.0)


def test_a_phase_that_flaps_is_over_when_it_struck_for_the_last_time() -> None:
    """Down from 25 to 30 s and up until it ends at 40: who recovers at 32 s took two seconds."""
    plain = msgspec.to_builtins(scenario_of().timeline[0])
    flapping = scenario_of(timeline=[{**plain, "flap": {"up": 10, "down": 5}}])
    closed = (32.0, breaker("half_open", "closed"))

    assert cost(world(OPENED, closed, hits=HITS, scenario=flapping)).recover_s == 2.0
    assert cost(world(OPENED, closed, hits=HITS)).recover_s is None


def test_a_world_without_faults_costs_nothing() -> None:
    """No fault struck, so there is nothing to detect or to recover from."""
    bill = cost(world((1, moved("pending", "active"))))

    assert (bill.detect_s, bill.mitigate_s, bill.recover_s) == (None, None, None)


def test_the_log_has_a_fingerprint() -> None:
    """Two logs are the same when their bytes are."""
    first, again = (verdict({}, log=b"a\n").log_sha256 for _ in range(2))

    assert first == again == hashlib.sha256(b"a\n").hexdigest()
    assert verdict({}, log=b"b\n").log_sha256 != first
