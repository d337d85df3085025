"""Patterns over the log: which events match, when, how often, and with which sleeps."""

import math
from collections import defaultdict
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from callagent_cli.durations import duration_text
from callagent_cli.events import Event, RetryScheduled, Stamped
from callagent_cli.simulation.judge.evidence import TOLERANCE_S, Broken, Evidence, Finding, finding
from callagent_cli.simulation.scenario.format import LogExpectation, Range, as_range

_ONCE = Range(at_least=1)


def log_findings(evidence: Evidence) -> list[Finding]:
    """Judge `expect.log` and `expect.never`."""
    expect = evidence.scenario.expect
    return [
        *(finding("log", pattern_text(each), _missed(evidence, each)) for each in expect.log),
        *(finding("never", pattern_text(each), _seen(evidence, each)) for each in expect.never),
    ]


def pattern_text(expected: LogExpectation) -> str:
    """Return a pattern as a person reads it: `breaker_changed service=llm within 45s of …`."""
    parts = [expected.event, *(f"{name}={value}" for name, value in expected.where.items())]
    if expected.sleeps:
        parts.append("sleeps " + ", ".join(duration_text(each) for each in expected.sleeps))
    if expected.within is not None:
        parts.append(f"within {duration_text(expected.within)} of {expected.of or 'the start'}")
    if expected.during:
        parts.append(f"during {expected.during}")
    if expected.times is not None:
        parts.append(f"× {as_range(expected.times)}")
    return " ".join(parts)


def _missed(evidence: Evidence, expected: LogExpectation) -> Broken | None:
    found = list(_matching(evidence, expected))
    times = _ONCE if expected.times is None else as_range(expected.times)
    if not times.holds(len(found)):
        line = _line_of_first_too_many(found, times) or _line_of_near_miss(evidence, expected)
        return Broken(text=f"{len(found)} times, not {times}", line=line)
    return _wrong_sleeps(found, expected.sleeps) if expected.sleeps else None


def _seen(evidence: Evidence, expected: LogExpectation) -> Broken | None:
    for line, stamped in _matching(evidence, expected):
        return Broken(text=f"seen at {evidence.at_s(stamped):.1f} s", line=line)
    return None


def _line_of_first_too_many(found: list[tuple[int, Stamped]], times: Range) -> int:
    most = times.at_most
    return found[most][0] if most is not None and len(found) > most else 0


def _line_of_near_miss(evidence: Evidence, expected: LogExpectation) -> int:
    """Return the line of the first event that matches but for its time."""
    for line, stamped in enumerate(evidence.events, 1):
        if _fits(stamped.event, expected):
            return line
    return 0


def _matching(evidence: Evidence, expected: LogExpectation) -> Iterator[tuple[int, Stamped]]:
    from_s, until_s = _window(evidence, expected)
    for line, stamped in enumerate(evidence.events, 1):
        if _fits(stamped.event, expected) and from_s <= evidence.at_s(stamped) <= until_s:
            yield line, stamped


def _window(evidence: Evidence, expected: LogExpectation) -> tuple[float, float]:
    """Return the seconds of the world between which an event counts, with the clock's lag."""
    slack_s = evidence.slack_s
    from_s, until_s = -math.inf, math.inf
    if expected.during:
        phase = evidence.phase(expected.during)
        from_s, until_s = phase.at - slack_s, phase.ends_at + slack_s
    if expected.of or expected.within is not None:
        start_s = _moment(evidence, expected.of)
        from_s = max(from_s, start_s - slack_s)
        until_s = min(until_s, start_s + (expected.within or math.inf) + slack_s)
    return from_s, until_s


def _moment(evidence: Evidence, of: str) -> float:
    if not of:
        return 0.0
    name, _, edge = of.rpartition(".")
    phase = evidence.phase(name)
    return phase.at if edge == "start" else phase.ends_at


def _fits(event: Event, expected: LogExpectation) -> bool:
    if event.__struct_config__.tag != expected.event:
        return False
    return all(_equal(getattr(event, name), wanted) for name, wanted in expected.where.items())


def _equal(value: Any, wanted: Any) -> bool:  # noqa: ANN401 — any field of any event.
    if isinstance(wanted, bool) or wanted is None:
        return value is wanted
    if isinstance(wanted, (int, float)):
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return is_number and math.isclose(value, wanted, abs_tol=TOLERANCE_S)
    return fnmatchcase("" if value is None else str(value), str(wanted))


def _wrong_sleeps(found: list[tuple[int, Stamped]], wanted: list[float]) -> Broken | None:
    """Look for one call whose retries of one operation slept exactly so, one after the other."""
    slept: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for _, stamped in found:
        event = stamped.event
        if isinstance(event, RetryScheduled) and event.delay_s is not None:
            slept[event.service, event.operation, event.call].append(event.delay_s)
    if any(_contains(delays, wanted) for delays in slept.values()):
        return None
    longest = max(slept.values(), key=len, default=[])
    text = ", ".join(f"{delay:g}" for delay in longest) or "nothing"
    return Broken(text=f"slept {text} s", line=found[0][0] if found else 0)


def _contains(delays: list[float], wanted: list[float]) -> bool:
    size = len(wanted)
    return any(
        all(
            math.isclose(slept, asked, abs_tol=TOLERANCE_S)
            for slept, asked in zip(delays[start : start + size], wanted, strict=True)
        )
        for start in range(len(delays) - size + 1)
    )
