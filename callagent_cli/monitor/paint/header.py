"""The two lines at the top: the verdict, and how far the contacts are."""

from dataclasses import dataclass
from typing import Final

from callagent_cli.counting import counted
from callagent_cli.monitor.paint.glyphs import Glyphs, bar
from callagent_cli.monitor.paint.plain import clean, cut, short_duration, width
from callagent_cli.monitor.paint.table import Cell
from callagent_cli.monitor.state import ViewState
from callagent_cli.monitor.verdict import Tone

BAR_COLUMNS = 10
WIDE_BAR_COLUMNS = 24
WIDE = 100
PROGRESS_STATES: Final[dict[str, Tone]] = {
    "done": "good",
    "failed": "bad",
    "review": "warning",
    "active": "plain",
    "backoff": "warning",
    "parked": "warning",
    "reconciling": "warning",
    "scheduled": "plain",
    "pending": "muted",
    "excluded": "muted",
    "cancelled": "muted",
}
IMPORTANCE: Final = ("failed", "review", "parked", "reconciling", "scheduled", "backoff", "active")
"""What is kept when not every count fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """How the screen itself stands: events missed while frozen, and a rehearsal's speed."""

    frozen_events: int | None = None
    speed: float | None = None
    held: bool = False


def verdict_cells(
    state: ViewState, now_s: float, columns: int, glyphs: Glyphs, *, watching: Watching
) -> tuple[Cell, ...]:
    """Return the verdict line; what stands right is dropped from the end until it fits."""
    verdict = state.verdict(now_s)
    mode = f"{state.mode.upper()} " if state.mode else ""
    word = f"{glyphs.verdict(verdict.word)} {verdict.word}"
    left = [
        Cell(" "),
        Cell("callagent ", "muted") if columns >= WIDE else Cell(""),
        Cell(clean(mode), "accent"),
        Cell(word, verdict.tone),
        Cell("  "),
    ]
    right = _right(state, watching, glyphs)
    rehearsal = state.scenario is not None  # Its line names it.
    campaign = clean(state.campaign) if columns >= WIDE and not rehearsal else ""
    detail = clean(verdict.detail) or clean(state.campaign)
    if campaign and detail != campaign:
        detail = f"{campaign}: {detail}"
    used = sum(width(cell.text) for cell in left)
    wanted = min(width(detail), 24)
    while right and used + wanted + _width(right) > columns:
        right.pop()
    room = columns - used - _width(right)
    text = cut(detail, max(0, room), ellipsis=glyphs.ellipsis)
    padding = " " * max(0, room - width(text))
    return (*left, Cell(text), Cell(padding), *right)


def _right(state: ViewState, watching: Watching, glyphs: Glyphs) -> list[Cell]:
    parts: list[Cell] = []
    if watching.held:
        parts.append(Cell("  time held ", "accent"))
    elif watching.frozen_events is not None:
        parts.append(Cell(f"  frozen +{watching.frozen_events:,} ", "accent"))
    unseen = state.alerts.unseen
    if unseen:
        parts.append(Cell(f"  {glyphs.unseen} {counted(unseen, 'alert')} ", "bad"))
    if state.dropped:
        parts.append(Cell(f"  {counted(sum(state.dropped.values()), 'event')} lost ", "warning"))
    if watching.speed is not None:
        parts.append(Cell(f"  {watching.speed:g}x ", "muted"))
    return parts


def progress_cells(
    state: ViewState, now_s: float, columns: int, glyphs: Glyphs
) -> tuple[Cell, ...]:
    """Return how many contacts are finished, the time left, and the totals by state."""
    calls = state.calls
    if not calls.contacts:
        return (Cell(" no contacts yet", "muted"),)
    share = calls.finished / calls.contacts
    size = WIDE_BAR_COLUMNS if columns >= WIDE else BAR_COLUMNS
    meter = bar(share, size, glyphs.done, glyphs.left)
    eta_s = state.eta_s(now_s)
    eta = "" if eta_s is None else f"  eta {_rough(eta_s)}"
    filled = meter.rstrip(glyphs.left)
    cells = [
        Cell(f" {calls.finished:,}/{calls.contacts:,} "),
        Cell(filled, "accent"),
        Cell(glyphs.left * (size - len(filled)), "muted"),
        Cell(f" {int(share * 100)}%{eta} "),
    ]
    return (*cells, *_totals(calls.totals, columns - _width(cells)))


def _rough(seconds: float) -> str:
    """Return a duration without the seconds that a long estimate does not know."""
    whole_minutes_from_s = 600
    known_s = seconds if seconds < whole_minutes_from_s else seconds // 60 * 60
    return short_duration(known_s)


def _totals(totals: dict[str, int], room: int) -> list[Cell]:
    """Return the counts by state that fit, in the order of a call's life."""
    texts = {word: f"  {totals[word]:,} {word}" for word in PROGRESS_STATES if totals[word]}
    kept = set()
    for word in sorted(texts, key=_importance):
        if len(texts[word]) <= room:
            kept.add(word)
            room -= len(texts[word])
    return [Cell(texts[word], PROGRESS_STATES[word]) for word in texts if word in kept]


def _importance(word: str) -> int:
    return IMPORTANCE.index(word) if word in IMPORTANCE else len(IMPORTANCE)


def _width(cells: list[Cell]) -> int:
    return sum(width(cell.text) for cell in cells)
