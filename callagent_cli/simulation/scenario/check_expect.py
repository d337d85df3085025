"""Whether a scenario's expectations speak of things that exist in it."""

from collections.abc import Iterator
from typing import Any

import msgspec

from callagent_cli.simulation.scenario.check_where import value_problem
from callagent_cli.simulation.scenario.format import (
    Count,
    LogExpectation,
    OutcomeExpectation,
    Range,
    Scenario,
    as_range,
)
from callagent_cli.simulation.scenario.words import event_fields, matches, targets
from callagent_cli.yaml_reader import nearest

Found = tuple[str, str]


def expectation_problems(scenario: Scenario) -> list[Found]:
    """Return what is wrong with `expect`: dotted keys and sentences."""
    return [
        *_invariant_problems(scenario),
        *_outcome_problems(scenario),
        *_log_problems(scenario),
        *_wire_problems(scenario),
        *_reached_problems(scenario),
    ]


def _invariant_problems(scenario: Scenario) -> Iterator[Found]:
    for name in scenario.expect.breaks:
        if name in scenario.expect.always:
            yield "expect.breaks", f"`{name}` stands under `always` and under `breaks`"


def _outcome_problems(scenario: Scenario) -> Iterator[Found]:
    outcome = scenario.expect.outcome
    least = 0
    for name in OutcomeExpectation.__struct_fields__:
        count: Count | None = getattr(outcome, name)
        if count is None:
            continue
        yield from _count_problems(f"expect.outcome.{name}", count)
        if name != "dialed":
            least += as_range(count).at_least or 0
    contacts = scenario.campaign.contacts
    if least > contacts:
        yield "expect.outcome", f"`expect.outcome` adds up to {least}, but contacts are {contacts}"


def _count_problems(key: str, count: Count | None) -> Iterator[Found]:
    if not isinstance(count, Range):
        return
    if count.at_least is None and count.at_most is None:
        yield key, f"`{key}` needs `at_least` or `at_most`"
    elif None not in {count.at_least, count.at_most} and not count.holds(count.at_least or 0):
        yield key, f"`{key}`: `at_least` is larger than `at_most`"


def _log_problems(scenario: Scenario) -> Iterator[Found]:
    for part in ("log", "never"):
        for index, expected in enumerate(getattr(scenario.expect, part)):
            key = f"expect.{part}[{index}]"
            yield from _event_problems(expected, key)
            yield from _moment_problems(scenario, expected.of, f"{key}.of")
            yield from _phase_problems(scenario, expected.during, f"{key}.during")
            yield from _count_problems(f"{key}.times", expected.times)
            if expected.sleeps and expected.event != "retry_scheduled":
                yield f"{key}.sleeps", "`sleeps` goes with `event: retry_scheduled` only"
            if part == "never" and (expected.times is not None or expected.sleeps):
                yield key, "`never` takes neither `times` nor `sleeps`"


def _event_problems(expected: LogExpectation, key: str) -> Iterator[Found]:
    fields = event_fields()
    if expected.event not in fields:
        close = nearest(expected.event, fields)
        yield f"{key}.event", f"there is no event `{expected.event}`{close}"
        return
    known = fields[expected.event]
    for name, value in expected.where.items():
        here = f"{key}.where.{name}"
        if name not in known:
            close = nearest(name, known)
            yield here, f"`{expected.event}` has no field `{name}`{close}"
        elif isinstance(value, dict):
            yield from _bounds_problems(here, value)
        elif text := value_problem(expected.event, name, value):
            yield here, text


def _bounds_problems(key: str, wanted: dict[str, Any]) -> Iterator[Found]:
    try:
        yield from _count_problems(key, msgspec.convert(wanted, Range))
    except msgspec.ValidationError:
        yield key, f"`{key}` takes a value, or `at_least` and `at_most` with whole numbers"


def _moment_problems(scenario: Scenario, moment: str, key: str) -> Iterator[Found]:
    if not moment:
        return
    name, _, edge = moment.rpartition(".")
    if edge not in {"start", "end"}:
        yield key, f"`{moment}` must be a phase's `.start` or `.end`, such as `outage.start`"
        return
    yield from _phase_problems(scenario, name, key)
    for phase in scenario.timeline:
        if phase.name == name and edge == "end" and phase.ends_at == float("inf"):
            yield key, f"phase `{name}` never ends, so nothing can follow `{moment}`"


def _phase_problems(scenario: Scenario, name: str, key: str) -> Iterator[Found]:
    names = [phase.name for phase in scenario.timeline]
    if name and name not in names:
        yield key, f"there is no phase `{name}`{nearest(name, names)}"


def _wire_problems(scenario: Scenario) -> Iterator[Found]:
    for index, expected in enumerate(scenario.expect.wire):
        key = f"expect.wire[{index}]"
        yield from _target_problems(expected.target, f"{key}.target")
        yield from _phase_problems(scenario, expected.during, f"{key}.during")
        yield from _count_problems(f"{key}.requests", expected.requests)


def _target_problems(target: str, key: str) -> Iterator[Found]:
    if target not in targets():
        yield key, f"there is no service or operation `{target}`{nearest(target, targets())}"


def _reached_problems(scenario: Scenario) -> Iterator[Found]:
    phases = {phase.name: phase for phase in scenario.timeline}
    for index, expected in enumerate(scenario.expect.reached):
        key = f"expect.reached[{index}]"
        yield from _phase_problems(scenario, expected.phase, f"{key}.phase")
        yield from _count_problems(f"{key}.hits", expected.hits)
        phase = phases.get(expected.phase)
        if phase is not None and phase.fault is None:
            yield f"{key}.phase", f"phase `{expected.phase}` has no fault that could be reached"
        if not expected.target:
            continue
        yield from _target_problems(expected.target, f"{key}.target")
        if phase is not None and not matches(phase.target, expected.target):
            yield f"{key}.target", f"phase `{expected.phase}` never strikes `{expected.target}`"
