"""The plain lines of `callagent status`: no colors."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from callagent_cli.counting import counted
from callagent_cli.monitor.paint import rows as views
from callagent_cli.monitor.paint.alert_rows import OPEN_ALERT_COLUMNS, open_alert_rows
from callagent_cli.monitor.paint.details import mute_text
from callagent_cli.monitor.paint.glyphs import Glyphs, glyphs, to_ascii
from callagent_cli.monitor.paint.plain import clean, cut, short_duration, width
from callagent_cli.monitor.paint.table import Column, Row, filled, header, lay_out, pieces
from callagent_cli.monitor.state import ViewState

SHOWN_ALERTS = 10
INDENT = 10
_STATE_ORDER: Final = (
    "done",
    "failed",
    "review",
    "active",
    "backoff",
    "parked",
    "reconciling",
    "scheduled",
    "pending",
    "excluded",
    "cancelled",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """What the lines are written on: its width, its marks, and the zone of its times.

    `zone` none means the local one.
    """

    columns: int = 80
    ascii_only: bool = False
    zone: tzinfo | None = None

    @property
    def glyphs(self) -> Glyphs:
        """The marks to draw with."""
        return glyphs(ascii_only=self.ascii_only)

    def line(self, text: str) -> str:
        """Return foreign text as one harmless line that fits."""
        text = clean(text).rstrip()
        if self.ascii_only:
            text = to_ascii(text)
        return cut(text, self.columns, ellipsis=self.glyphs.ellipsis)


def verdict_line(state: ViewState, now_s: float, paper: Paper) -> str:
    """Return the first line: glyph, word, explanation."""
    verdict = state.verdict(now_s)
    text = f"{paper.glyphs.verdict(verdict.word)} {verdict.word}  {verdict.detail}"
    return paper.line(text)


def contact_lines(state: ViewState, now_s: float, paper: Paper) -> list[str]:
    """Return the totals, which add up to the contacts, and how long the rest takes."""
    calls = state.calls
    if not calls.contacts:
        return [paper.line("Contacts  none yet")]
    parts = [f"{calls.totals[word]:,} {word}" for word in _STATE_ORDER if calls.totals[word]]
    lines = _wrap(f"Contacts  {calls.contacts:,} = ", parts, " + ", paper)
    if calls.results:
        ordered = sorted(calls.results.items(), key=lambda item: (-item[1], item[0]))
        results = [f"{count:,} {name.replace('_', ' ')}" for name, count in ordered]
        lines += _wrap("Results   ", results, ", ", paper)
    rate, eta_s = calls.rate_per_s(now_s), state.eta_s(now_s)
    if rate is not None:
        eta = "" if eta_s is None else f", about {short_duration(eta_s)} left"
        lines.append(paper.line(f"Rate      {rate * 60:.1f} calls finished a minute{eta}"))
    return lines


def service_lines(state: ViewState, now_s: float, paper: Paper) -> list[str]:
    """Return the breaker and health table."""
    table = views.service_rows(state, now_s, paper.glyphs)
    columns: Sequence[Column] = views.SERVICE_COLUMNS
    seen = any(service.attempts for service in state.services.values())
    if state.services and not seen:
        # Rebuilt from the store, which keeps no traffic: health takes its room.
        columns = tuple(column for column in columns if column.key not in views.TRAFFIC)
    lines = _table(columns, table, paper, empty="no services")
    return lines if seen else lines + [paper.line(text) for text in _reasons(state)]


def _reasons(state: ViewState) -> list[str]:
    """Return why each service that is not well is not, when no attempt says it."""
    return [
        f"{service.name}: {service.reason if service.blocked() else service.degraded_reason}"
        for service in state.services.values()
        if (service.blocked() and service.reason) or (service.degraded and service.degraded_reason)
    ]


def waiting_lines(state: ViewState, paper: Paper) -> list[str]:
    """Return who waits for what; nothing when nobody waits."""
    table = views.waiting_rows(state)
    return _table(views.WAITING_COLUMNS, table, paper) if table else []


def alert_lines(state: ViewState, now_s: float, paper: Paper) -> list[str]:
    """Return the open alerts with their incidents and ages, the newest first; then the mutes."""
    alerts = state.alerts.open_alerts()
    shown = open_alert_rows(state, alerts[:SHOWN_ALERTS], paper.glyphs, now_s)
    columns = filled(OPEN_ALERT_COLUMNS, shown)
    lines = _table(columns, shown, paper, empty="no open alerts")
    if len(alerts) > SHOWN_ALERTS:
        lines.append(paper.line(f"and {len(alerts) - SHOWN_ALERTS} more"))
    return lines + [paper.line(text) for text in _mutes(state, now_s, paper)]


def _mutes(state: ViewState, now_s: float, paper: Paper) -> list[str]:
    """Return what is muted and for how long; a mute that is over is none."""
    held = [mute for mute in state.mutes if mute.until_utc_s > now_s]
    return [
        f"Muted     {mute.target} for another {short_duration(mute.until_utc_s - now_s)},"
        f" {mute_text(mute, paper.zone)}"
        for mute in sorted(held, key=lambda mute: mute.until_utc_s)
    ]


def status_lines(state: ViewState, now_s: float, paper: Paper) -> list[str]:
    """Return the whole of `callagent status`, the verdict first."""
    blocks = [
        [verdict_line(state, now_s, paper), *_run_line(state, now_s, paper), *_left(state, paper)],
        contact_lines(state, now_s, paper),
        waiting_lines(state, paper),
        service_lines(state, now_s, paper),
        alert_lines(state, now_s, paper),
    ]
    lines: list[str] = []
    for block in filter(None, blocks):
        lines += ["", *block] if lines else block
    return lines


def _run_line(state: ViewState, now_s: float, paper: Paper) -> list[str]:
    """Return which run it is; the word SANDBOX stands before the verdict already."""
    if state.started_utc_s is None:
        return []
    lasted = short_duration((state.ended.at_utc_s if state.ended else now_s) - state.started_utc_s)
    parts = [
        state.campaign,
        "" if state.mode == "sandbox" else state.mode.upper(),
        counted(state.lanes, "lane") if state.lanes else "",
        f"ran for {lasted}" if state.ended else f"running for {lasted}",
        "" if state.ended else state.worker,
    ]
    return [paper.line("  " + paper.glyphs.separator.join(part for part in parts if part))]


def _left(state: ViewState, paper: Paper) -> list[str]:
    """Return what a worker that is gone left behind, and the next command."""
    count = state.calls.working
    lines = []
    if state.gone and count:
        calls = counted(count, "active call is", "active calls are")
        doubt = f", {state.in_doubt} in doubt" if state.in_doubt else ""
        lines.append(f"  {calls} in nobody's hands{doubt}; the next start looks first")
    if command := _next_command(state):
        lines.append(f"  next: {command}")
    return [paper.line(line) for line in lines]


def _next_command(state: ViewState) -> str:
    """Return what to do once no worker runs any more; empty while one does, or when all is done."""
    if not state.gone and state.ended is None:
        return ""
    if state.gone or state.calls.unfinished:
        return f"callagent run {state.contacts_file or 'CONTACTS'}"
    if state.calls.totals["review"]:
        return "callagent review"
    return "callagent requeue" if state.calls.totals["failed"] else ""


def _table(
    columns: Sequence[Column], table: Sequence[Row], paper: Paper, *, empty: str = ""
) -> list[str]:
    if not table:
        return [paper.line(empty)]
    placed = lay_out(columns, paper.columns)
    ellipsis = paper.glyphs.ellipsis
    lines = [header(placed, ellipsis=ellipsis)]
    lines += [
        "".join(cell.text for cell in pieces(row, placed, ellipsis=ellipsis)) for row in table
    ]
    return [paper.line(line) for line in lines]


def _wrap(head: str, parts: Sequence[str], joint: str, paper: Paper) -> list[str]:
    lines, line = [], head
    for index, part in enumerate(parts):
        piece = part if index == 0 else joint + part
        if width(line) + width(piece) + width(joint.rstrip()) > paper.columns and index:
            lines.append(paper.line(line + joint.rstrip()))
            line, piece = " " * INDENT, part
        line += piece
    return [*lines, paper.line(line)]
