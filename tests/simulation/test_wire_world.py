"""The same scenario on real sockets: loopback only, and with the outcome of virtual time."""

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from callagent_cli.events import AttemptFinished, Stamped
from callagent_cli.services.httpx_client import HttpxClient
from callagent_cli.simulation.faults.engine import FaultEngine
from callagent_cli.simulation.judge.evidence import Evidence
from callagent_cli.simulation.judge.verdict import judge
from callagent_cli.simulation.scenario.format import Scenario
from callagent_cli.simulation.scenario.loader import parse_scenario
from callagent_cli.simulation.wire.loop import Fidelity
from callagent_cli.simulation.worlds.stage import Follow
from callagent_cli.simulation.worlds.wire_world import WireWorld
from callagent_cli.simulation.worlds.world import World

THREE_MINUTES = """
callagent: scenario/v1
name: short
title: Three minutes with a refused CRM and a voice platform that answers 503
campaign: {contacts: 14, lanes: 2}
settings:
  services:
    elevenlabs: {policy: {retry: {jitter: none}}}
    crm: {policy: {retry: {jitter: none}}}
services: {elevenlabs: {latency: 200ms}, llm: {latency: 200ms}, crm: {latency: 80ms}}
people: {ring: 2s, talk: 15s, processing: 1s}
timeline:
  - {name: gone, at: 0s, for: 20s, target: crm, fault: {refuse: true}}
  - {name: blip, at: 42s, for: 19500ms, target: elevenlabs.dial, fault: {status: 503, applied: 0}}
until: {at_most: 10m}
expect:
  always: [no_call_lost, nobody_dialed_twice, breaker_legal, one_alert_per_outage, no_secret_in_log]
  outcome: {done: 14, failed: 0, dialed: 14}
"""

ONE_FAULT = """
callagent: scenario/v1
name: one-fault
title: One operation meets one fault and is well three seconds later
campaign: {contacts: 1, lanes: 1}
settings:
  services:
    crm:
      timeout_s: 4
      policy: {retry: {jitter: none}, health: {interval_s: 600, stale_after_s: 1800}}
people: {ring: 1s, talk: 1s, processing: 1s}
timeline:
  - {name: fault, at: 0s, for: 3s, target: crm.look_up, fault: {FAULT}}
until: {at_most: 10m}
expect:
  always: [no_call_lost, nobody_dialed_twice, breaker_legal]
  outcome: {done: 1, dialed: 1}
"""
FAULTS = {
    "status: 503, retry_after: 2s": ("unavailable", "ServiceUnavailable"),
    "status: 429, retry_after: 4s": ("throttled", "RateLimited"),
    "status: 401": ("unauthorized", "AuthenticationFailed"),
    "latency: 6s": ("timeout", "ServiceTimeout"),
    "hang: true": ("timeout", "ServiceTimeout"),
    "drip: {bytes: 1, every: 1s}": ("timeout", "ServiceTimeout"),
    "refuse: true": ("not_sent", "NetworkFailure"),
    "dns: true": ("not_sent", "NetworkFailure"),
    "blackhole: true": ("not_sent", "NetworkFailure"),
    "reset: before": ("unavailable", "ServiceUnavailable"),
    "reset: mid_body": ("unavailable", "ServiceUnavailable"),
    "truncate: length": ("unavailable", "ServiceUnavailable"),
    "truncate: chunked": ("unavailable", "ServiceUnavailable"),
    "garbage: true": ("unavailable", "ServiceUnavailable"),
    "malformed: true": ("unavailable", "ServiceUnavailable"),
    "overloaded: true": ("unavailable", "ServiceUnavailable"),
}
"""What each fault must look like to the worker: the outcome of its first attempt."""

OVERLAPS = {
    "one refusal outlasts another": (
        "{name: short, at: 0s, for: 3s, target: crm, fault: {refuse: true}}",
        "{name: long, at: 2s, for: 10s, target: crm, fault: {refuse: true}}",
    ),
    "an answer stands before a refusal": (
        "{name: answer, at: 0s, for: 3s, target: crm, fault: {status: 503}}",
        "{name: refusal, at: 0s, for: 12s, target: crm, fault: {refuse: true}}",
    ),
    "a refusal takes its time": (
        "{name: slow, at: 0s, for: 14s, target: crm, fault: {refuse: true, latency: 2s}}",
    ),
    "a refusal comes and goes inside a black hole": (
        "{name: flaps, at: 0s, for: 9s, target: '*', flap: {up: 9s, down: 1s}, fault: {dns: true}}",
        "{name: hole, at: 0s, for: 12s, target: crm, fault: {blackhole: true}}",
    ),
}
"""Phases of one service that meet, as the entries of a timeline."""

ASKING = ("follow", "health", "look_up")
"""Operations that only ask: how often one does depends on when, to the fraction of a second."""

BEHIND_S = 8.0
"""How far the wire may fall behind: the last dial that meets the second fault has so much time."""

IN_STEP_S = 1.0
"""How much later the first attempt may end on the wire, that it is compared at all."""

LOOK_UP = "crm.look_up"

_connected: list[tuple[Any, ...]] = []
_watching: list[bool] = []


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Note each address that a socket is connected to; an audit hook cannot be removed."""
    if _watching and event in {"socket.connect", "socket.bind", "socket.getaddrinfo"}:
        _connected.append((event, arguments[1] if event != "socket.getaddrinfo" else arguments[0]))


sys.addaudithook(_watch)


def _scenario() -> Scenario:
    return parse_scenario(THREE_MINUTES, Path("short.yaml")).scenario


def _wire(scenario: Scenario, follow: Follow | None = None, speed: float = 20) -> WireWorld:
    client = lambda url: HttpxClient(base_url=url)  # noqa: E731 — an argument in one place.
    return WireWorld(scenario, 7, client=client, speed=speed, follow=follow, record=True)


class _Attempts:
    """Notes how the attempts of one operation ended."""

    def __init__(self, operation: str) -> None:
        self._operation = operation
        self.ended: list[tuple[str, str]] = []
        self.ended_at_s: list[float] = []

    def __call__(self, at_s: float, stamped: Stamped) -> None:
        event = stamped.event
        if isinstance(event, AttemptFinished) and event.operation == self._operation:
            self.ended.append((event.outcome, event.error_class))
            self.ended_at_s.append(at_s)


def _in_step_at(scenario: Scenario, expected: _Attempts) -> tuple[WireWorld, Evidence, _Attempts]:
    """Play a scenario as fast as this machine keeps up: by the end of the first attempt."""
    for speed in (20, 10, 4):
        attempts = _Attempts(LOOK_UP)
        world = _wire(scenario, attempts, speed=speed)
        evidence = world.run()
        late_s = attempts.ended_at_s[0] - expected.ended_at_s[0]
        if abs(late_s) < IN_STEP_S:
            break
    return world, evidence, attempts


def _received(evidence: Evidence, *left_out: str) -> Counter[str]:
    """Count what the twins received; how often one waits and asks again depends on the clock."""
    targets = (request.target for request in evidence.requests)
    return Counter(each for each in targets if each.partition(".")[2] not in left_out)


@pytest.fixture
def _sockets_watched() -> Any:  # noqa: ANN401 — a generator fixture.
    _connected.clear()
    _watching.append(True)
    yield
    _watching.clear()


def _in_step_with(virtual: Evidence) -> tuple[WireWorld, Evidence]:
    """Run the scenario on the wire as fast as this machine keeps up with virtual time.

    A step that comes seconds late meets another phase of the timeline, which is another world;
    of a clock that was not kept there is no verdict to compare.
    """
    for speed in (20, 10, 5):
        world = _wire(_scenario(), speed=speed)
        wire = world.run()
        is_judged = judge(wire).status != "could_not_judge"
        if is_judged and wire.ended_at_s - virtual.ended_at_s < BEHIND_S:
            return world, wire
    pytest.fail("this machine is too busy to play three minutes in thirty seconds")


@pytest.mark.usefixtures("_sockets_watched")
@pytest.mark.timeout(90)
def test_the_wire_and_virtual_time_agree() -> None:
    """One scenario, two carriers: the same outcome, the same phones, no socket beyond loopback."""
    virtual = World(_scenario(), 7, record=True).run()
    world, wire = _in_step_with(virtual)

    verdict = judge(wire)
    by_virtual_time = judge(virtual)
    assert by_virtual_time.status == "held"
    assert wire.finished
    assert wire.totals == virtual.totals
    assert [call.number for call in wire.placed] or not virtual.placed
    assert sorted(call.number for call in wire.placed) == sorted(
        call.number for call in virtual.placed
    )
    assert [each for each in verdict.broken if each.kind in {"always", "outcome"}] == []
    assert virtual.ended_at_s > 160
    assert _received(wire, *ASKING) == _received(virtual, *ASKING)
    follows, expected = (sum(_received(each).values()) for each in (wire, virtual))
    assert follows == pytest.approx(expected, rel=0.1)
    hosts = {str(address[0]) for _, address in _connected if isinstance(address, tuple)}
    assert hosts == {"127.0.0.1"}
    assert world.fidelity.worst_s >= world.fidelity.usual_s >= 0


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_one_operation_is_the_same_outcome_on_both_carriers(fault: str) -> None:
    """The worker learns from real sockets what it learns in virtual time, refusals included."""
    text = ONE_FAULT.replace("{FAULT}", f"{{{fault}}}")
    scenario = parse_scenario(text, Path("one-fault.yaml")).scenario
    virtual = _Attempts(LOOK_UP)
    World(scenario, 7, follow=virtual).run()

    world, evidence, wire = _in_step_at(scenario, virtual)

    assert virtual.ended[0] == wire.ended[0] == FAULTS[fault]
    assert world.faults.reached("fault", LOOK_UP) == 1
    assert evidence.totals["done" if "401" not in fault else "parked"] == 1


def _struck(faults: FaultEngine) -> set[str]:
    """Return the phases that met the look-up; when a health check falls due is drawn by lot."""
    return {phase for phase, target in faults.hits if target == LOOK_UP}


@pytest.mark.parametrize("overlap", OVERLAPS)
def test_phases_that_overlap_strike_alike_on_both_carriers(overlap: str) -> None:
    """The first phase of the file that strikes decides, no earlier and not much later."""
    phases = "".join(f"  - {each}\n" for each in OVERLAPS[overlap])
    before, _, after = ONE_FAULT.partition("  - {name: fault")
    text = f"{before}{phases}{after[after.index('until') :]}"
    scenario = parse_scenario(text, Path("one-fault.yaml")).scenario
    virtual = _Attempts(LOOK_UP)
    expected = World(scenario, 7, follow=virtual)
    expected.run()

    world, _, wire = _in_step_at(scenario, virtual)

    assert wire.ended == virtual.ended
    late_s = [at - due for at, due in zip(wire.ended_at_s, virtual.ended_at_s, strict=True)]
    assert min(late_s) > -0.5
    assert max(late_s) < BEHIND_S
    assert _struck(world.faults) == _struck(expected.faults) != set()


def test_a_fault_by_lot_is_drawn_once_on_the_wire() -> None:
    """Half of the connections are refused, as in virtual time: the same lots in the same order."""
    text = ONE_FAULT.replace("contacts: 1, lanes: 1", "contacts: 12, lanes: 4")
    text = text.replace("done: 1, dialed: 1", "done: 12").replace("for: 3s", "probability: 0.5")
    text = text.replace("{FAULT}", "{refuse: true}")
    scenario = parse_scenario(text, Path("one-fault.yaml")).scenario
    virtual, wire = _Attempts(LOOK_UP), _Attempts(LOOK_UP)
    World(scenario, 7, follow=virtual).run()

    _wire(scenario, wire).run()

    drawn = [{outcome for outcome, _ in each.ended} for each in (virtual, wire)]
    assert drawn == [{"ok", "not_sent"}, {"ok", "not_sent"}]


def test_what_the_wire_plays_differently_is_said() -> None:
    """A name that does not resolve is a refused connection: no query may leave this machine."""
    text = ONE_FAULT.replace("{FAULT}", "{dns: true}")
    scenario = parse_scenario(text, Path("one-fault.yaml")).scenario
    world = _wire(scenario)

    assert world.notes == ["fault is played as a refused connection: no name is looked up outside"]
    assert _wire(_scenario()).notes == []
    world.run()


def test_a_loop_that_is_blocked_ends_without_a_verdict() -> None:
    """Half a second in which nothing runs is ten of the world: nothing can be concluded."""
    text = ONE_FAULT.replace("{FAULT}", "{status: 503}")
    scenario = parse_scenario(text, Path("one-fault.yaml")).scenario
    blocked = [0.5]

    def follow(at_s: float, _stamped: Stamped) -> None:
        if at_s > 2 and blocked:
            time.sleep(blocked.pop())

    world = _wire(scenario, follow)

    verdict = judge(world.run())

    assert world.fidelity.worst_s > 5
    assert (verdict.status, verdict.exit_code) == ("could_not_judge", 3)


@pytest.mark.parametrize(
    ("lags_s", "judged_s"),
    [([0.01] * 100, 0.01), ([0.01] * 99 + [4.0], 0.8), ([0.3] * 99 + [0.4], 0.3), ([], 0.0)],
)
def test_a_single_late_beat_counts_for_a_fifth(lags_s: list[float], judged_s: float) -> None:
    """One hiccup spoils a world at half of the smallest timeout, usual lag at a tenth of it."""
    fidelity = Fidelity(20)
    fidelity._lags_s = lags_s

    assert fidelity.judged_s == pytest.approx(judged_s)


def test_what_two_beats_cannot_see_is_allowed_for() -> None:
    """A stretch without the processor may lie between two beats, beside the worst that was met."""
    fidelity = Fidelity(20)
    fidelity._lags_s = [0.01, 0.2, 0.0]

    assert fidelity.slack_s == pytest.approx(0.2 + 0.025 * 20)


def test_a_clock_that_cannot_be_kept_ends_simulate_with_3(tmp_path: Path) -> None:
    """With a timeout of a few milliseconds no machine is fast enough, and the command says so."""
    text = ONE_FAULT.replace("{FAULT}", "{status: 503}").replace(
        "interval_s: 600", "timeout_s: 0.002"
    )
    (tmp_path / "one-fault.yaml").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "callagent_cli", "simulate", "one-fault.yaml", "--wire"]

    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)

    assert run.returncode == 3, run.stdout
    assert "more than a tenth of the smallest timeout (0.002 s)" in run.stdout
    assert "could not judge" in run.stdout.lower()
    assert "error" not in run.stderr


def test_a_lag_of_a_tenth_of_the_smallest_timeout_is_no_verdict() -> None:
    """What a slow machine did to the clock is not blamed on the worker."""
    world = World(_scenario(), 7)
    evidence = world._evidence(finished=True, fidelity_s=0.51)

    verdict = judge(evidence)

    assert verdict.status == "could_not_judge"
    assert verdict.exit_code == 3
    assert "lagged by 0.51 s" in verdict.reason
    world._store.close()
