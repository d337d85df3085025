"""The judge looks on while a world runs: it keeps little, and sees what a recording would show."""

import gc
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judge_worlds import NUMBER, START_UTC_S, attempt, breaker, moved, received, scenario_of

from callagent_cli.events import Event, HealthChecked, Stamped
from callagent_cli.reporting.redaction import Redactor
from callagent_cli.settings import Settings
from callagent_cli.simulation.explore.random_world import random_world
from callagent_cli.simulation.judge.evidence import TOLERANCE_S, Case, Instant, Sight
from callagent_cli.simulation.judge.log import Log
from callagent_cli.simulation.judge.verdict import INVARIANTS, judge, watchers_of
from callagent_cli.simulation.judge.watch import Watch
from callagent_cli.simulation.recording import spool
from callagent_cli.simulation.recording.recording import Recording
from callagent_cli.simulation.scenario.loader import find_scenario, load_scenario
from callagent_cli.simulation.worlds.world import World


def _watch() -> Watch:
    expect = {
        "always": list(INVARIANTS),
        "log": [{"event": "attempt_finished", "where": {"outcome": "ok"}}],
        "wire": [{"target": "elevenlabs", "requests": 1}],
    }
    case = Case(scenario=scenario_of(expect), settings=Settings())
    return Watch(case, watchers_of(case), start_utc_s=START_UTC_S, offsets_s={})


def _day(first: int, events: int) -> Iterator[tuple[float, Event]]:
    """Yield a long outage of one service: checks, trials, and a call that goes on and on."""
    check = HealthChecked(service="llm", health="healthy", duration_s=0.1, next_check_s=10.0)
    rounds = (
        (breaker("closed", "open"), check, breaker("open", "half_open")),
        (attempt(trial=True, call="call_1"), breaker("half_open", "closed"), attempt()),
        (moved("pending", "active"), moved("active", "scheduled"), moved("scheduled", "pending")),
    )
    for number in range(first, first + events):
        yield 10.0 * number, rounds[number // 3 % 3][number % 3]


def _show(watch: Watch, first: int, events: int) -> None:
    for at_s, event in _day(first, events):
        stamped = Stamped(START_UTC_S + at_s, at_s, 1, "run_1", "c", event)
        watch.hear(stamped)
        watch.receive(received(at_s, "elevenlabs.follow"))


def test_what_the_judge_keeps_does_not_grow_with_the_events() -> None:
    """Nine times as many events of the same call take no more memory."""
    watch = _watch()
    tracemalloc.start()
    # What is kept of the last minutes is measured by the first events too, so that it cancels out.
    _show(watch, 0, 2_000)
    gc.collect()
    kept, _ = tracemalloc.get_traced_memory()
    _show(watch, 2_000, 18_000)
    gc.collect()
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert grown - kept < 10_000


@pytest.mark.parametrize("seed", [3, 42, 106, 131])
def test_looking_on_is_as_good_as_looking_at_a_recording(seed: int) -> None:
    """The findings on a world are the same while it runs and when it is played again."""
    random = random_world(seed)
    world = World(random.scenario(), random.seed, record=True)
    evidence = world.run(*random.kills)

    case = Case(scenario=world.scenario, settings=world.settings)
    again = Watch(
        case, watchers_of(case), start_utc_s=evidence.start_utc_s, offsets_s=evidence.offsets_s
    )
    assert evidence.recording is not None
    again.play(evidence.recording)
    again.close()

    assert again.last_s == evidence.ended_at_s
    assert judge(replace(evidence, watchers=again.watchers)) == judge(evidence)


def test_a_recording_on_disk_is_the_one_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small limit sends it to a file; what is read is the same, by several readers in turns."""
    scenario = load_scenario(find_scenario("late-listing")).scenario
    told: list[Stamped] = []
    in_memory = World(scenario, 7, record=True, follow=lambda _, stamped: told.append(stamped))
    first = in_memory.run()
    monkeypatch.setattr(spool, "MEMORY_BYTES", 1_000)
    on_disk = World(scenario, 7, record=True).run()

    pairs = list(zip(on_disk.events, on_disk.requests, strict=False))

    assert list(first.events) == told == list(on_disk.events)
    assert list(first.requests) == list(on_disk.requests)
    assert [event for event, _ in pairs] == told[: len(pairs)]
    assert on_disk.recording is not None
    on_disk.recording.close()
    assert list(on_disk.events) == []


def test_a_world_that_was_not_recorded_says_so() -> None:
    """Whoever asks for its events learns how to get them."""
    evidence = World(load_scenario(find_scenario("late-listing")).scenario, 7).run()

    with pytest.raises(ValueError, match="record=True"):
        _ = evidence.events


def test_a_recording_holds_whatever_happens() -> None:
    """Events, requests and phones come back equal and in order."""
    recording = Recording()
    stamped = Stamped(START_UTC_S, 0.1 + 0.2, 1, "run_1", "c", attempt())
    recording.hear(stamped)
    recording.receive(received(1))

    assert list(recording.happenings()) == [stamped, received(1)]


# The log


def _log(*lines: bytes) -> Log:
    log = Log(["sk-secret"])
    log.forbid_number(NUMBER)
    for line in lines:
        log.write(line)
    log.settle()
    return log


@given(
    before=st.integers(min_value=0, max_value=400),
    after=st.integers(min_value=0, max_value=300),
    leak=st.sampled_from([b"sk-secret", NUMBER.encode(), NUMBER[1:].encode(), b"9912125550101"]),
)
def test_the_first_line_that_shows_something_is_found(before: int, after: int, leak: bytes) -> None:
    """Wherever it stands among many lines, and whatever follows it."""
    clean = b'{"at":20260105090000,"number":"\xe2\x80\xa6101"}\n'
    shown = b'{"reason":"' + leak + b'"}\n'

    log = _log(*[clean] * before, shown, *[clean, shown] * after)

    assert log.leak_line == before + 1
    assert log.lines == before + 1 + 2 * after


@given(st.text("0123456789 +", max_size=60))
def test_no_digits_but_the_number_are_a_number(text: str) -> None:
    """A line leaks exactly when the number's digits stand in it."""
    log = _log(text.encode() + b"\n")

    assert bool(log.leak) is (NUMBER[1:] in text)


def test_a_number_in_a_real_log_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that does not mask is caught, at the first line that shows a whole number."""
    monkeypatch.setattr("callagent_cli.worker.journey.mask", lambda number: number)
    monkeypatch.setattr(Redactor, "_redact", lambda _self, text: text)
    lines: list[bytes] = []
    world = World(load_scenario(find_scenario("answer-lost")).scenario, 7)
    world.log.copy_to(lines.append)

    (finding,) = judge(world.run()).broken

    first = b"".join(lines).splitlines()[finding.line - 1]
    assert finding.title == "no_secret_in_log"
    assert finding.text == "a secret or full number of 12 characters"
    assert b"+12015550100" in first
    assert finding.stamped is None


# Lines of the log for what a twin saw


@given(st.lists(st.sampled_from([0.0, 0.0004, 0.002, 1.0]), max_size=30), st.integers(0, 30))
def test_a_moment_has_the_first_line_of_its_instant(gaps_s: list[float], seen: int) -> None:
    """It is the first event at or after the moment, which may be told before or after it."""
    instant = Instant()
    times_s = [sum(gaps_s[: count + 1]) for count in range(len(gaps_s))]
    sights = [Sight(at_s, line, None) for line, at_s in enumerate(times_s, 1)]
    seen = min(seen, len(sights))
    for sight in sights[:seen]:
        instant.take(sight)
    at_s = sights[seen - 1].at_s if seen else 0.0

    place = instant.place(at_s)
    for sight in sights[seen:]:
        instant.take(sight)

    due = [sight.line for sight in sights if sight.at_s >= at_s - TOLERANCE_S]
    assert place.sight.line == (due[0] if due else len(sights))
