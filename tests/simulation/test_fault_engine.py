"""The fault engine: what strikes which request, when, how often, and the same for a seed."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callagent_cli.simulation.carriers.action import PASS
from callagent_cli.simulation.faults.engine import FaultEngine, process_actions
from callagent_cli.simulation.scenario.fault_kind import KINDS, fault_problems, kind_of
from callagent_cli.simulation.scenario.format import (
    Drip,
    Fault,
    Flap,
    Phase,
    Quota,
    RateLimit,
    Scenario,
)
from callagent_cli.simulation.twins.twin import Facts, TwinRequest

DIAL = "elevenlabs.dial"
HANG = Fault(hang=True)
EXAMPLES: dict[str, Any] = {
    "status": 503,
    "reset": "before",
    "truncate": "length",
    "drip": Drip(every=1.0),
    "rate_limit": RateLimit(rps=1.0, burst=1),
    "quota": Quota(limit=0),
}


def engine(*phases: Phase, seed: int = 7) -> FaultEngine:
    """Return an engine for a timeline."""
    return FaultEngine(phases, seed)


def phase(fault: Fault, **keys: Any) -> Phase:  # noqa: ANN401 — keys of `Phase`.
    """Return a phase named `p` from 0 s that strikes dials."""
    return Phase(**{"name": "p", "at": 0.0, "target": DIAL, "fault": fault, **keys})


def test_a_phase_strikes_from_its_start_until_before_its_end() -> None:
    """The start is included and the end is not."""
    struck = engine(phase(HANG, at=10.0, for_=5.0))

    assert [struck.strike(DIAL, at) is not None for at in (9.9, 10, 14.9, 15)] == [0, 1, 1, 0]


@pytest.mark.parametrize(
    ("target", "covered"),
    [
        ("*", ["elevenlabs.dial", "elevenlabs.health", "llm.compose"]),
        ("elevenlabs", ["elevenlabs.dial", "elevenlabs.health"]),
        ("elevenlabs.dial", ["elevenlabs.dial"]),
        ("llm", ["llm.compose"]),
    ],
)
def test_a_target_covers_its_operations(target: str, covered: list[str]) -> None:
    """A service covers its health checks too; `llm` does not cover `llm_fallback`."""
    struck = engine(phase(HANG, target=target))
    asked = ["elevenlabs.dial", "elevenlabs.health", "llm.compose", "llm_fallback.compose"]
    expected = [*covered, *(["llm_fallback.compose"] if target == "*" else [])]

    assert [each for each in asked if struck.strike(each, 1.0)] == expected


def test_the_first_matching_phase_wins() -> None:
    """Overlapping phases: the order of the file decides, also in the counts."""
    struck = engine(phase(Fault(status=500)), phase(Fault(status=503), name="q"))

    action = struck.strike(DIAL, 1.0)

    assert action is not None
    assert action.status == 500
    assert (struck.reached("p"), struck.reached("q")) == (1, 0)


def test_a_phase_that_lets_a_request_pass_leaves_it_to_the_next() -> None:
    """Within its rate a limit does nothing, so the phase behind it may strike."""
    struck = engine(phase(Fault(rate_limit=RateLimit(rps=1, burst=1))), phase(HANG, name="q"))

    assert [getattr(struck.strike(DIAL, 1.0), "kind", "") for _ in range(2)] == ["hang", "answer"]


@given(st.floats(min_value=0.05, max_value=1), st.integers(min_value=0, max_value=2**32))
def test_a_probability_strikes_about_that_often(probability: float, seed: int) -> None:
    """Of 400 requests the share stays within five standard deviations."""
    struck = engine(phase(HANG, probability=probability), seed=seed)

    hits = sum(struck.strike(DIAL, 1.0) is not None for _ in range(400))

    # Of the rarest there are few: five deviations are no bound where one of them is below two.
    deviation = max(2.0, (400 * probability * (1 - probability)) ** 0.5)
    assert abs(hits - 400 * probability) <= 5 * deviation
    assert struck.reached("p") == hits


@given(
    st.floats(min_value=1, max_value=100),
    st.floats(min_value=1, max_value=100),
    st.floats(min_value=0, max_value=5000),
)
def test_a_flap_is_down_first_then_up_and_so_on(up: float, down: float, after: float) -> None:
    """Whether it strikes depends on the place in the duty cycle alone."""
    struck = engine(phase(HANG, at=50.0, flap=Flap(up=up, down=down)))

    is_down = (after + 50.0 - 50.0) % (up + down) < down

    assert (struck.strike(DIAL, 50.0 + after) is not None) is is_down


@given(
    st.floats(min_value=0.05, max_value=20),
    st.integers(min_value=1, max_value=20),
    st.lists(st.floats(min_value=0, max_value=30), min_size=1, max_size=100),
)
def test_a_rate_limit_never_lets_more_than_its_rate_pass(
    rps: float, burst: int, gaps: list[float]
) -> None:
    """In any time, at most the burst and what the rate has grown since."""
    struck = engine(phase(Fault(rate_limit=RateLimit(rps=rps, burst=burst))))
    at_s, passed = 0.0, 0

    for gap in gaps:
        at_s += gap
        passed += struck.strike(DIAL, at_s) is None

    assert passed <= burst + at_s * rps + 1e-3


@given(st.floats(min_value=0.05, max_value=20), st.floats(min_value=0, max_value=10))
def test_whoever_waits_as_long_as_retry_after_says_is_let_through(rps: float, at_s: float) -> None:
    """`auto` tells exactly how long until the next token, never too short."""
    struck = engine(phase(Fault(rate_limit=RateLimit(rps=rps, burst=1))))
    struck.strike(DIAL, at_s)
    refused = struck.strike(DIAL, at_s)

    assert refused is not None
    assert refused.status == 429
    assert struck.strike(DIAL, at_s + float(refused.headers["retry-after"])) is None


def test_a_quota_refuses_everything_after_its_limit() -> None:
    """The tenth request passes, the eleventh does not, and time does not help."""
    struck = engine(phase(Fault(quota=Quota(limit=10))))

    passed = [struck.strike(DIAL, float(at)) is None for at in range(15)]
    refused = struck.strike(DIAL, 1e6)

    assert passed == [True] * 10 + [False] * 5
    assert refused is not None
    assert refused.status == 401
    assert b"quota_exceeded" in refused.body


@given(st.integers(min_value=0, max_value=2**32))
def test_the_same_seed_strikes_the_same_requests(seed: int) -> None:
    """And another phase before or behind does not change what a phase draws."""
    uneven = phase(Fault(status=502, applied=0.3), probability=0.5)
    other = phase(HANG, name="other", target="llm", probability=0.5)
    alone, first, last = (
        engine(uneven, seed=seed),
        engine(uneven, other, seed=seed),
        engine(other, uneven, seed=seed),
    )

    def drawn(struck: FaultEngine) -> list[object]:
        return [(struck.strike("llm.compose", 1.0), struck.strike(DIAL, 1.0))[1] for _ in range(20)]

    assert drawn(alone) == drawn(first) == drawn(last)


@given(st.integers(min_value=0, max_value=2**32), st.floats(min_value=0.01, max_value=1))
def test_applied_is_drawn_with_its_probability(seed: int, applied: float) -> None:
    """Behind an error the provider did the work about that often."""
    struck = engine(phase(Fault(status=502, applied=applied)), seed=seed)

    done = sum(action.applied for _ in range(400) if (action := struck.strike(DIAL, 1.0)))

    assert abs(done - 400 * applied) <= 5 * (400 * applied * (1 - applied)) ** 0.5


@given(
    st.sampled_from(KINDS),
    st.integers(min_value=200, max_value=599),
    st.floats(min_value=0.01, max_value=1),
)
def test_a_refusal_is_never_applied(kind: str, status: int, applied: float) -> None:
    """No checked fault does the work behind a 4xx, a rate limit, a quota or a lost connection."""
    value = status if kind == "status" else EXAMPLES.get(kind, True)
    fault = msgspec.convert({kind: msgspec.to_builtins(value), "applied": applied}, Fault)

    if fault_problems(fault):
        assert kind in {"status", "rate_limit", "quota", "refuse", "blackhole", "dns", "drip"}
        return
    action = engine(phase(fault)).strike(DIAL, 1.0)

    assert action is not None
    assert not (action.kind == "answer" and 400 <= action.status < 500)
    assert not action.never_leaves


@pytest.mark.parametrize(
    ("keys", "kind"),
    [
        ({"hang": True}, "hang"),
        ({"refuse": True}, "refuse"),
        ({"blackhole": True}, "blackhole"),
        ({"dns": True}, "dns"),
        ({"reset": "mid_body"}, "reset"),
        ({"truncate": "chunked"}, "truncate"),
        ({"garbage": True}, "garbage"),
        ({"malformed": True}, "answer"),
        ({"overloaded": True}, "answer"),
        ({"silent": True}, "answer"),
        ({"drip": {"every": 1}}, "drip"),
        ({"stale_keepalive": True}, "stale_keepalive"),
        ({"latency": 3}, "pass"),
    ],
)
def test_every_kind_of_fault_is_played_by_the_carriers(keys: dict[str, Any], kind: str) -> None:
    """The words of the file become the values that the carriers know."""
    fault = msgspec.convert(keys, Fault)
    action = engine(phase(fault)).strike(DIAL, 1.0)

    assert action is not None
    assert action.kind == kind
    assert kind_of(fault) == next(iter(keys))


def test_an_answer_carries_status_body_headers_and_retry_after() -> None:
    """What the file gives is what the client sees; header names are lower case."""
    fault = Fault(
        status=503, body={"detail": "down"}, headers={"X-Why": "rest"}, retry_after=1.5, latency=2.0
    )

    action = engine(phase(fault)).strike(DIAL, 1.0)

    assert action is not None
    assert (action.status, action.body, action.delay_s) == (503, b'{"detail":"down"}', 2.0)
    assert action.headers == {
        "content-type": "application/json",
        "retry-after": "1.500",
        "x-why": "rest",
    }


def test_the_hook_counts_the_timeline_from_the_start_of_the_world() -> None:
    """Carriers speak UTC; nothing to do is `PASS` itself."""
    hook = FaultEngine([phase(HANG, at=10.0)], 7, start_utc_s=1_000_000.0)
    request = TwinRequest("POST", "/", {}, {})

    before = hook.decide(DIAL, request, 1_000_009.0, facts=Facts())
    after = hook.decide(DIAL, request, 1_000_010.0, facts=Facts())

    assert before is PASS
    assert after.kind == "hang"


def test_what_is_done_to_the_process_comes_in_the_order_of_time() -> None:
    """Kills and stops stand on the same timeline as the faults."""
    timeline = [
        {"name": "b", "at": 9, "do": "stop"},
        {"name": "f", "at": 1, "target": "llm", "fault": {"hang": True}},
        {"name": "a", "at": 2, "do": "kill"},
    ]
    scenario = msgspec.convert(
        {
            "callagent": "scenario/v1",
            "name": "example",
            "title": "An example",
            "campaign": {"contacts": 1},
            "until": {"at_most": 9},
            "timeline": timeline,
        },
        Scenario,
    )

    assert [each.name for each in process_actions(scenario)] == ["a", "b"]
