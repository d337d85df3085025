"""A rehearsal as a timeline: what is injected, what the breaker did, what is checked."""

from dataclasses import dataclass

from callagent_cli.monitor.paint.glyphs import Glyphs
from callagent_cli.monitor.paint.plain import clean, countdown, cut, fit, width
from callagent_cli.monitor.paint.table import Cell
from callagent_cli.monitor.state import ViewState
from callagent_cli.monitor.verdict import Tone
from callagent_cli.monitor.view.scenario import ScenarioView
from callagent_cli.monitor.view.services import ServiceView

LABEL = 13
WIDE = 100
TRACK_SHARE = 0.35
MARGIN = 1
Cells = tuple[Cell, ...]


def timeline_lines(state: ViewState, now_s: float, columns: int, glyphs: Glyphs) -> list[Cells]:
    """Return one line on narrow screens, the plan and three tracks on wide ones; none without."""
    scenario = state.scenario
    if scenario is None:
        return []
    if columns < WIDE:
        return [_one_line(scenario, now_s, columns, glyphs)]
    track = Track(scenario, now_s, max(10, columns - LABEL - 2 * MARGIN), glyphs)
    return [_title(scenario, now_s, columns), *_tracks(state, track)]


@dataclass(frozen=True, slots=True)
class Track:
    """A line of time across the screen: `columns` stand for the plan's whole duration."""

    scenario: ScenarioView
    now_s: float
    columns: int
    glyphs: Glyphs

    @property
    def here(self) -> int:
        """The column of now."""
        return self.column(self.scenario.elapsed_s(self.now_s))

    def column(self, at_s: float) -> int:
        """Return the column of an instant, in seconds after the start."""
        duration_s = self.scenario.plan.duration_s or 1.0
        return max(0, min(self.columns - 1, int(at_s / duration_s * self.columns)))

    def faults(self, service: str = "") -> list[Cell]:
        """Return what is injected into a service, or into any; what is still to come is muted."""
        marks = self._base()
        for phase in self.scenario.plan.phases:
            if service in {"", phase.service}:
                for x in self._span(phase.from_s, phase.to_s):
                    marks[x] = Cell(self.glyphs.done, "warning" if x <= self.here else "muted")
        return self._finish(marks)

    def breaker(self, service: ServiceView) -> list[Cell]:
        """Return when a service's breaker was not closed."""
        marks = self._base()
        moves = list(service.history)
        ends = [*(at_s for at_s, _ in moves[1:]), self.now_s]
        start_s = self.scenario.started_utc_s
        for (at_s, breaker), end_s in zip(moves, ends, strict=False):
            if breaker != "closed":
                tone: Tone = "warning" if breaker == "half_open" else "bad"
                for x in self._span(at_s - start_s, end_s - start_s):
                    marks[x] = Cell(self.glyphs.breaker(breaker), tone)
        return self._finish(marks)

    def checks(self) -> list[Cell]:
        """Return what the plan checks: held, broken, or still to be decided."""
        marks = self._base()
        for check in self.scenario.plan.checks:
            held = self.scenario.results.get(check.label)
            look = Cell("?", "muted")
            if held is not None:
                look = Cell(self.glyphs.held, "good") if held else Cell(self.glyphs.broken, "bad")
            marks[self.column(check.at_s)] = look
        return self._finish(marks)

    def _span(self, from_s: float, to_s: float) -> range:
        first = self.column(from_s)
        return range(first, max(first + 1, self.column(to_s)))

    def _base(self) -> list[Cell]:
        past, future = Cell(self.glyphs.past, "muted"), Cell(self.glyphs.planned, "muted")
        return [past if x < self.here else future for x in range(self.columns)]

    def _finish(self, marks: list[Cell]) -> list[Cell]:
        if marks:
            marks[self.here] = Cell(self.glyphs.mark, "accent")
        return _joined(marks)


def _joined(marks: list[Cell]) -> list[Cell]:
    """Return runs of equal tone as one cell, so that a line stays cheap to paint."""
    joined: list[Cell] = []
    for mark in marks:
        if joined and joined[-1].tone == mark.tone:
            joined[-1] = Cell(joined[-1].text + mark.text, mark.tone)
        else:
            joined.append(mark)
    return joined


def _one_line(scenario: ScenarioView, now_s: float, columns: int, glyphs: Glyphs) -> Cells:
    plan = scenario.plan
    active = scenario.active(now_s)
    head = f" SIM  {clean(plan.name)} #{plan.seed}  "
    elapsed_s = scenario.elapsed_s(now_s)
    tail = f"  {countdown(elapsed_s)}/{countdown(plan.duration_s)}"
    fault = ""
    if active:
        left_s = active[0].to_s - elapsed_s
        fault = f"  {clean(active[0].fault)}: {countdown(left_s)} left"
    room = columns - width(head) - width(tail) - MARGIN
    fault = cut(fault, max(0, room - 8), ellipsis=glyphs.ellipsis)
    size = max(0, min(room - width(fault), int(columns * TRACK_SHARE)))
    track = Track(scenario, now_s, size, glyphs).faults() if size else []
    return (Cell(head, "accent"), *track, Cell(tail), Cell(fault, "warning"))


def _title(scenario: ScenarioView, now_s: float, columns: int) -> Cells:
    plan = scenario.plan
    parts = [
        Cell(f" SIM  {clean(plan.name)}", "accent"),
        Cell(f"  seed {plan.seed}", "muted"),
        Cell(f"  {countdown(scenario.elapsed_s(now_s))} of {countdown(plan.duration_s)}"),
    ]
    used = sum(width(part.text) for part in parts)
    for at_s, words in scenario.upcoming(now_s):
        text = f"   {countdown(at_s)} {clean(words)}"
        if used + width(text) > columns:
            break
        parts.append(Cell(text, "muted"))
        used += width(text)
    return tuple(parts)


def _tracks(state: ViewState, track: Track) -> list[Cells]:
    target = _target(track.scenario, track.now_s)
    lines: list[Cells] = []
    if target:
        lines.append((_label(target), *track.faults(target)))
        if target in state.services:
            lines.append((_label("breaker"), *track.breaker(state.services[target])))
    if track.scenario.plan.checks:
        lines.append((_label("checks"), *track.checks()))
    return lines


def _target(scenario: ScenarioView, now_s: float) -> str:
    """Return the service whose cause and effect are shown: the one that is hit now, or first."""
    hit = scenario.active(now_s) or list(scenario.plan.phases)
    return hit[0].service if hit else ""


def _label(text: str) -> Cell:
    return Cell(" " + fit(clean(text), LABEL - 2) + " ", "muted")
