"""Patterns over the log: which events match, when, how often, and with which sleeps."""

import math
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

from callagent_cli.durations import duration_text
from callagent_cli.events import Event, RetryScheduled
from callagent_cli.simulation.judge.evidence import (
    TOLERANCE_S,
    Broken,
    Case,
    Evidence,
    See,
    Sight,
    Watcher,
)
from callagent_cli.simulation.recording.recording import event_kinds
from callagent_cli.simulation.scenario.format import LogExpectation, Range, as_range

_ONCE: Final = Range(at_least=1)
_KINDS: Final = event_kinds()


def log_watchers(case: Case) -> Iterator[Watcher]:
    """Yield who judges `expect.log` and `expect.never`."""
    for expected in case.scenario.expect.log:
        yield SeenInLog(case, expected)
    for expected in case.scenario.expect.never:
        yield NeverSeen(case, expected)


def pattern_text(expected: LogExpectation) -> str:
    """Return a pattern as a person reads it: `breaker_changed service=llm within 45s of …`."""
    parts = [expected.event, *(f"{name}={_value(each)}" for name, each in expected.where.items())]
    if expected.sleeps:
        parts.append("sleeps " + ", ".join(duration_text(each) for each in expected.sleeps))
    if expected.within is not None:
        parts.append(f"within {duration_text(expected.within)} of {expected.of or 'the start'}")
    if expected.during:
        parts.append(f"during {expected.during}")
    if expected.times is not None:
        parts.append(f"× {as_range(expected.times)}")
    return " ".join(parts)


def _value(wanted: Any) -> str:  # noqa: ANN401 — a value, or its bounds.
    return str(Range(**wanted) if isinstance(wanted, dict) else wanted)


class _Pattern(Watcher):
    """Looks for the events that match, and knows when they count."""

    def __init__(self, case: Case, expected: LogExpectation) -> None:
        super().__init__(case, pattern_text(expected))
        self.expected = expected
        self.from_s, self.until_s = _window(case, expected)
        self.first: Sight | None = None

    def hears(self) -> Mapping[type, See]:
        """Return who looks at what."""
        kind = _KINDS.get(self.expected.event)
        return {} if kind is None else {kind: self._look}

    def _look(self, event: Event, sight: Sight) -> None:
        if not _fits(event, self.expected.where):
            return
        if self.from_s <= sight.at_s <= self.until_s:
            self.first = self.first or sight
            self.matched(event, sight)
        else:
            self.missed(sight)

    def matched(self, event: Event, sight: Sight) -> None:
        """Note an event that matches."""

    def missed(self, sight: Sight) -> None:
        """Note an event that would match but for its time."""


class NeverSeen(_Pattern):
    """No event matches."""

    kind = "never"

    def finish(self, _evidence: Evidence) -> Broken | None:
        """Return the first event that matches."""
        if self.first is None:
            return None
        return Broken(text=f"seen at {self.first.at_s:.1f} s", sight=self.first)


class SeenInLog(_Pattern):
    """As many events match as are expected, and the retries of one call slept as expected."""

    kind = "log"

    def __init__(self, case: Case, expected: LogExpectation) -> None:
        super().__init__(case, expected)
        self._times = _ONCE if expected.times is None else as_range(expected.times)
        self._count = 0
        self._too_many: Sight | None = None
        self._near_miss: Sight | None = None
        self._sleeps = _Sleeps(expected.sleeps)

    def matched(self, event: Event, sight: Sight) -> None:
        """Count an event."""
        if self._count == self._times.at_most:
            self._too_many = sight
        self._count += 1
        self._near_miss = self._near_miss or sight
        if self.expected.sleeps and isinstance(event, RetryScheduled):
            self._sleeps.take(event)

    def missed(self, sight: Sight) -> None:
        """Note the first near miss."""
        self._near_miss = self._near_miss or sight

    def finish(self, _evidence: Evidence) -> Broken | None:
        """Return that there were too few or too many, or that nobody slept so."""
        if not self._times.holds(self._count):
            sight = self._too_many or self._near_miss
            return Broken(text=f"{self._count} times, not {self._times}", sight=sight)
        if not self.expected.sleeps or self._sleeps.found:
            return None
        return Broken(text=f"slept {self._sleeps.longest() or 'nothing'} s", sight=self.first)


class _Ladder:
    """The sleeps of one operation of one call: the first ones, and the last ones."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[float] = []
        self.last: list[float] = []


class _Sleeps:
    """Looks for retries that slept exactly so, one after the other; keeps little of each call."""

    _SHOWN_MAX = 20

    def __init__(self, wanted: list[float]) -> None:
        self.found = False
        self._wanted = wanted
        self._ladders: dict[tuple[str, str, str], _Ladder] = {}

    def take(self, event: RetryScheduled) -> None:
        """Take in the next sleep of a call."""
        if self.found or event.delay_s is None:
            return
        key = (event.service, event.operation, event.call)
        ladder = self._ladders.get(key) or self._ladders.setdefault(key, _Ladder())
        ladder.count += 1
        if len(ladder.first) < self._SHOWN_MAX:
            ladder.first.append(event.delay_s)
        ladder.last = [*ladder.last, event.delay_s][-len(self._wanted) :]
        self.found = len(ladder.last) == len(self._wanted) and all(
            math.isclose(slept, asked, abs_tol=TOLERANCE_S)
            for slept, asked in zip(ladder.last, self._wanted, strict=True)
        )
        if self.found:
            self._ladders.clear()

    def longest(self) -> str:
        """Return the most sleeps that one call made."""
        ladder = max(self._ladders.values(), key=lambda each: each.count, default=_Ladder())
        text = ", ".join(f"{delay:g}" for delay in ladder.first)
        return f"{text} …" if ladder.count > len(ladder.first) else text


def _window(case: Case, expected: LogExpectation) -> tuple[float, float]:
    """Return the seconds of the world between which an event counts, with the clock's lag."""
    slack_s = case.slack_s
    from_s, until_s = -math.inf, math.inf
    if expected.during:
        phase = case.scenario.phase(expected.during)
        from_s, until_s = phase.at - slack_s, phase.ends_at + slack_s
    if expected.of or expected.within is not None:
        start_s = _moment(case, expected.of)
        from_s = max(from_s, start_s - slack_s)
        until_s = min(until_s, start_s + (expected.within or math.inf) + slack_s)
    return from_s, until_s


def _moment(case: Case, of: str) -> float:
    if not of:
        return 0.0
    name, _, edge = of.rpartition(".")
    phase = case.scenario.phase(name)
    return phase.at if edge == "start" else phase.ends_at


def _fits(event: Event, where: Mapping[str, Any]) -> bool:
    for name, wanted in where.items():  # noqa: SIM110 — asked of each event: a generator costs more.
        if not _equal(getattr(event, name), wanted):
            return False
    return True


def _equal(value: Any, wanted: Any) -> bool:  # noqa: ANN401 — any field of any event.
    if isinstance(wanted, bool) or wanted is None:
        return value is wanted
    if isinstance(wanted, (int, float, dict)):
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            return False
        if isinstance(wanted, dict):
            return _within(value, **wanted)
        return math.isclose(value, wanted, abs_tol=TOLERANCE_S)
    return fnmatchcase("" if value is None else str(value), str(wanted))


def _within(value: float, at_least: float = -math.inf, at_most: float = math.inf) -> bool:
    return at_least - TOLERANCE_S <= value <= at_most + TOLERANCE_S
