"""A rehearsal as a picture: what was injected, what the breakers did, and how the calls went.

Each row is one line of text; each column is the same stretch of the world's time.
"""

from array import array
from collections.abc import Iterable, Iterator
from typing import Final

from callagent_cli.durations import duration_text
from callagent_cli.events import BreakerChanged, CallChanged, Event, HealthChecked
from callagent_cli.simulation.scenario.fault_kind import kind_of
from callagent_cli.simulation.scenario.format import Phase, Scenario

BREAKER_MARKS: Final = {"closed": "─", "open": "█", "half_open": "▒", "isolated": "╳"}
HEALTH_MARKS: Final = {"healthy": "✓", "unhealthy": "✗", "unknown": "?"}
CALL_MARKS: Final = {
    "pending": "·",
    "active": "▬",
    "backoff": "↻",
    "parked": "p",
    "reconciling": "r",
    "scheduled": "s",
    "done": "✓",
    "failed": "✗",
    "review": "!",
}
LEGEND: Final = (
    "breaker ─ closed █ open ▒ half-open ╳ isolated",
    "calls · pending ▬ active ↻ backoff p parked r reconciling",
    "      s scheduled ✓ done ✗ failed ! review",
)
ROWS_OF_CALLS_MAX: Final = 12
_LABEL_WIDTH: Final = 22
_COLUMNS_MIN: Final = 20
_DIGIT_MAX: Final = 9
_TICK_EVERY: Final = 12
_WORST_HEALTH: Final = ("unhealthy", "unknown", "healthy")

_WAITING: Final = ("pending", "parked", "reconciling")
_OVER: Final = ("done", "failed", "review")
LEGEND_OF_COUNTS: Final = (
    "calls in numbers, + is more than 9: how many wait (pending, parked,",
    "      reconciling), and how many came to an end (done, failed, review)",
)
_MARKS_MAX: Final = 4096
"""Many more than a terminal has columns: of more marks in a row that are alike, half will do."""

_Marks = list[tuple[float, str]]


class Timeline:
    """Collects what the picture shows while the world runs; `rows` paints it."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._breakers: dict[str, _Marks] = {}
        self._health: dict[str, _Marks] = {}
        self._calls: dict[str, _Marks] = {}
        self._over: dict[str, array[float]] = {}
        self._each_call = scenario.campaign.contacts <= ROWS_OF_CALLS_MAX
        self._states: dict[str, str] = {}
        self._waiting = {state: _Level() for state in _WAITING}
        self._waiting["pending"].rise(0.0, scenario.campaign.contacts)

    def take(self, at_s: float, event: Event) -> None:
        """Take in what happened at a second of the world."""
        if isinstance(event, BreakerChanged):
            self._breakers.setdefault(event.service, []).append((at_s, event.new))
        elif isinstance(event, HealthChecked):
            checks = self._health.setdefault(event.service, [])
            checks.append((at_s, event.health))
            if len(checks) % _MARKS_MAX == 0:
                checks[:] = _thinned(checks)
        elif isinstance(event, CallChanged):
            if self._each_call:
                self._calls.setdefault(event.call, []).append((at_s, event.new))
            else:
                self._count(at_s, event.call, event.new)

    def _count(self, at_s: float, call: str, new: str) -> None:
        # After a kill a call may be elsewhere than its last event has said.
        old = self._states.get(call, "pending")
        self._states[call] = new
        for state, step in ((old, -1), (new, 1)):
            if state in self._waiting and old != new:
                self._waiting[state].rise(at_s, step)
        if new in _OVER:
            self._over.setdefault(new, array("d")).append(at_s)

    def rows(self, ended_at_s: float, width: int) -> Iterator[str]:
        """Yield the lines of the picture, `width` characters wide."""
        columns = max(_COLUMNS_MIN, width - _LABEL_WIDTH)
        scale = _Scale(max(ended_at_s, 1.0), columns)
        yield _row("", _ruler(scale))
        for phase in self._scenario.timeline:
            yield _row(phase.name, _phase_marks(phase, scale))
        for service in self._shown_services():
            moves = self._breakers.get(service, [])
            yield _row(f"{service} breaker", scale.states("closed", moves, BREAKER_MARKS))
            checks = self._health.get(service, [])
            yield _row(f"{service} health", scale.worst(checks))
        for call in sorted(self._calls):
            yield _row(call, scale.states("pending", self._calls[call], CALL_MARKS))
        yield from self._counts(scale)
        yield from LEGEND if self._each_call else (LEGEND[0], *LEGEND_OF_COUNTS)

    def _counts(self, scale: "_Scale") -> Iterator[str]:
        """Yield how many calls waited and ended, if there are too many for a row each."""
        if self._each_call:
            return
        for state, level in self._waiting.items():
            marks = scale.levels(level)
            if marks.strip():
                yield _row(f"calls {state}", marks)
        for state in _OVER:
            if state in self._over:
                yield _row(f"calls {state}", scale.counts(self._over[state]))

    def _shown_services(self) -> list[str]:
        """Return the services that something happened to."""
        hit = {phase.target.partition(".")[0] for phase in self._scenario.timeline}
        return [name for name in self._health if name in hit or name in self._breakers]


def _thinned(marks: _Marks) -> _Marks:
    """Return every change, and every other mark of those that change nothing."""
    return [
        mark
        for number, mark in enumerate(marks)
        if number % 2 == 0 or mark[1] != marks[number - 1][1]
    ]


class _Level:
    """How many calls are in a state, by each moment at which that changed."""

    def __init__(self) -> None:
        self.number = 0
        self.moments_s = array("d")
        self.numbers = array("l")

    def rise(self, at_s: float, step: int) -> None:
        """Note that there is one more, one less, or so many more."""
        self.number += step
        self.moments_s.append(at_s)
        self.numbers.append(self.number)


class _Scale:
    """Which column a second of the world falls into."""

    def __init__(self, ended_at_s: float, columns: int) -> None:
        self.columns = columns
        self._column_s = ended_at_s / columns

    def column(self, at_s: float) -> int:
        """Return the column of an instant, the last one for anything later."""
        return max(0, min(self.columns - 1, int(at_s / self._column_s)))

    def at_s(self, column: int) -> float:
        """Return the second at which a column begins."""
        return column * self._column_s

    def states(self, first: str, moves: Iterable[tuple[float, str]], marks: dict[str, str]) -> str:
        """Paint a state that lasts until the next move; a short one still gets its column."""
        painted = [marks.get(first, " ")] * self.columns
        start = -1
        for at_s, state in moves:
            column = self.column(at_s)
            # The one before began here as well: this one moves over, if only by one.
            start = min(column + (column <= start), self.columns - 1)
            painted[start:] = [marks.get(state, "?")] * (self.columns - start)
        return "".join(painted)

    def worst(self, checks: Iterable[tuple[float, str]]) -> str:
        """Paint the worst of the checks in each column."""
        found: dict[int, str] = {}
        for at_s, health in checks:
            column = self.column(at_s)
            known = found.get(column, health)
            found[column] = min(known, health, key=_WORST_HEALTH.index)
        return "".join(HEALTH_MARKS.get(found.get(each, ""), " ") for each in range(self.columns))

    def counts(self, moments: Iterable[float]) -> str:
        """Paint how many fell into each column: 1 to 9, then +."""
        found = [0] * self.columns
        for at_s in moments:
            found[self.column(at_s)] += 1
        return _digits(found)

    def levels(self, level: _Level) -> str:
        """Paint the highest level of each column: 1 to 9, then +."""
        found = [0] * self.columns
        last, column = 0, 0
        for at_s, number in zip(level.moments_s, level.numbers, strict=True):
            here = self.column(at_s)
            found[column + 1 : here + 1] = [last] * (here - column)
            found[here] = max(found[here], number)
            last, column = number, here
        found[column + 1 :] = [last] * (self.columns - column - 1)
        return _digits(found)


def _digits(numbers: Iterable[int]) -> str:
    return "".join(
        " " if not each else str(each) if each <= _DIGIT_MAX else "+" for each in numbers
    )


def _row(label: str, marks: str) -> str:
    return f"{label[: _LABEL_WIDTH - 1]:<{_LABEL_WIDTH}}{marks}".rstrip()


def _ruler(scale: _Scale) -> str:
    ruler = ""
    for column in range(0, scale.columns, _TICK_EVERY):
        tick = f"|{duration_text(float(round(scale.at_s(column))))}"
        # Half a number is another number.
        if column + len(tick) <= scale.columns:
            ruler = ruler[:column].ljust(column) + tick
    return ruler


def _phase_marks(phase: Phase, scale: _Scale) -> str:
    start = scale.column(phase.at)
    if phase.do is not None:
        return " " * start + f"▼ {phase.do}"
    end = scale.column(phase.ends_at) if phase.ends_at != float("inf") else scale.columns
    bar = max(1, end - start)
    fault = f" {phase.target} {kind_of(phase.fault)} " if phase.fault is not None else ""
    if phase.fault is not None and phase.fault.status is not None:
        fault = f" {phase.target} {phase.fault.status} "
    painted = f"▓{fault}".ljust(bar, "▓") if len(fault) < bar else "▓" * bar + fault
    return (" " * start + painted)[: scale.columns]
