"""Alerts as table rows: all the latest on the screen, the open ones where they are printed."""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Final

from callagent_cli.monitor.paint.glyphs import Glyphs
from callagent_cli.monitor.paint.plain import clock_time, short_duration
from callagent_cli.monitor.paint.table import Cell, Column, Row
from callagent_cli.monitor.state import ViewState
from callagent_cli.monitor.verdict import Tone
from callagent_cli.monitor.view.alerts import AlertView

ALERT_COLUMNS: Final = (
    Column("mark", "", 1),
    Column("time", "TIME", 8),
    Column("level", "LEVEL", 8, rank=1),
    Column("title", "ALERT", 30, flex=True),
    Column("seen", "SEEN BY", 10, rank=2, optional=True),
)

OPEN_ALERT_COLUMNS: Final = (
    Column("mark", "", 1),
    Column("incident", "INCIDENT", 8, rank=3, optional=True),
    Column("level", "LEVEL", 8, rank=1),
    Column("for", "FOR", 7, rank=1, right=True),
    Column("title", "ALERT", 30, flex=True),
    Column("seen", "SEEN BY", 10, rank=2, optional=True),
)
"""For a list of open alerts that is printed: how long matters more than since when."""

_LEVEL_TONES: Final[dict[str, Tone]] = {"critical": "bad", "warning": "warning", "info": "plain"}


def open_alert_rows(
    state: ViewState, alerts: Sequence[AlertView], glyphs: Glyphs, now_s: float
) -> list[Row]:
    """Return open alerts as lines with their incidents' ids and ages."""
    rows = []
    for alert, row in zip(alerts, alert_rows(state, alerts, glyphs, None), strict=True):
        age = short_duration(now_s - state.alerts.since_s(alert))
        more = {"incident": Cell(alert.incident, "muted"), "for": Cell(age, "muted")}
        rows.append(Row(row.key, {**row.cells, **more}))
    return rows


def alert_rows(
    state: ViewState, alerts: Sequence[AlertView], glyphs: Glyphs, zone: tzinfo | None
) -> list[Row]:
    """Return alerts as lines: unseen ones marked, resolved ones muted.

    The word SANDBOX or SIMULATION before a title is left out: it stands at the top of the screen.
    """
    rows = []
    label = f"{state.mode.upper()}: "
    for alert in alerts:
        mark, tone = _alert_look(state, alert, glyphs)
        cells = {
            "mark": Cell(mark, tone),
            "time": Cell(clock_time(alert.raised_utc_s, zone), "muted"),
            "level": Cell("resolved" if alert.kind == "resolved" else alert.severity, tone),
            "title": Cell(
                alert.title.removeprefix(label), "plain" if state.alerts.is_open(alert) else "muted"
            ),
            "seen": Cell(alert.seen_by, "muted"),
        }
        rows.append(Row(alert.alert, cells))
    return rows


def alerts_foot(view: ViewState, glyphs: Glyphs) -> str:
    """Return how many alerts nobody has seen, and how many older ones are not listed any more."""
    unseen, left_out = view.alerts.unseen, view.alerts.left_out
    parts = [f"{unseen} not acknowledged"] if unseen else []
    parts += [f"and {left_out:,} older"] if left_out else []
    return glyphs.separator.join(parts)


def _alert_look(state: ViewState, alert: AlertView, glyphs: Glyphs) -> tuple[str, Tone]:
    if not state.alerts.is_open(alert):
        return glyphs.resolved, "good" if alert.kind == "resolved" else "muted"
    tone = _LEVEL_TONES[alert.severity]
    return (glyphs.unseen if state.alerts.needs_eyes(alert) else glyphs.seen), tone
