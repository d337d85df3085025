"""Fills the panels with what the view state knows."""

from typing import Final

from callagent_cli.counting import counted
from callagent_cli.monitor.paint import rows as views
from callagent_cli.monitor.paint.alert_rows import alert_rows, alerts_foot
from callagent_cli.monitor.paint.details import (
    Fact,
    Looking,
    alert_facts,
    fact_lines,
    flight_facts,
    retry_facts,
    service_facts,
)
from callagent_cli.monitor.paint.glyphs import glyphs
from callagent_cli.monitor.paint.plain import clean, countdown
from callagent_cli.monitor.paint.table import Cell
from callagent_cli.monitor.paint.tail import tail_rows
from callagent_cli.monitor.panels import Panels
from callagent_cli.monitor.ports import Options
from callagent_cli.monitor.state import ViewState
from callagent_cli.monitor.widgets.canvas import Line, line

SHOWN_ROWS: Final = 200


class PanelPainter:
    """Paints a view state into panels; what has not changed is not touched."""

    def __init__(self, state: ViewState, panels: Panels, options: Options) -> None:
        self._state = state
        self._panels = panels
        self._options = options
        self._glyphs = glyphs(ascii_only=options.ascii_only)
        self._looking = Looking(
            glyphs=self._glyphs, zone=options.zone, show_numbers=options.show_numbers
        )

    def paint(self, now_s: float) -> None:
        """Show the state as it is."""
        state, marks, grids = self._state, self._glyphs, self._panels.grids
        numbers = self._options.show_numbers
        grids["services"].show_rows(
            views.service_rows(state, now_s, marks), empty=("No services yet.",)
        )
        grids["retries"].show_rows(
            views.retry_rows(state, now_s, limit=SHOWN_ROWS, show_numbers=numbers),
            empty=("No retries pending.", self._who_waits() or "Failed attempts wait here."),
        )
        idle = state.started_utc_s is None
        grids["flights"].show_rows(
            views.flight_rows(state, now_s, limit=SHOWN_ROWS, show_numbers=numbers),
            empty=("No calls in flight.", *((self._options.next_command,) if idle else ())),
        )
        grids["alerts"].show_rows(
            alert_rows(state, state.alerts.latest(), marks, self._options.zone),
            empty=("No alerts.",),
        )
        self._paint_extra()
        self._paint_feet(now_s)
        self.paint_details(now_s)

    def paint_details(self, now_s: float) -> None:
        """Show what is known of the selected row."""
        if not self._panels.shows("details"):
            return
        box, canvas = self._panels.boxes["details"], self._panels.details
        title, facts = self.facts(now_s)
        box.head(self._options.shown(clean(title)) or "Details")
        box.foot(self._options.shown("y copy · d close"))
        lines = [Line(cells) for cells in fact_lines(facts, canvas.size.width, self._looking)]
        left_out = len(lines) - canvas.size.height
        if left_out > 0 and canvas.size.height:
            lines[-left_out - 1 :] = [
                line(Cell(f"{left_out + 1} lines more: y copies all", "muted"))
            ]
        canvas.show(lines or [line(Cell("nothing selected", "muted"))])

    def facts(self, now_s: float) -> tuple[str, list[Fact]]:
        """Return a title and what is known of the selected row of the active panel."""
        row = self._panels.grid.selected
        if row is None:
            return "", []
        state, key, active = self._state, row.key, self._panels.active
        if active == "services":
            return key, service_facts(state.services[key], state, now_s, self._looking)
        if active == "alerts":
            return key, self._alert_facts(key)
        if active == "flights" and key in state.calls.in_flight:
            return key, flight_facts(state.calls.in_flight[key], now_s, self._looking)
        if active == "retries":
            found = [retry for retry in state.calls.retries() if retry.call == key]
            return key, retry_facts(found[0], now_s, self._looking) if found else []
        return key, [Fact(name, cell.text, cell.tone) for name, cell in row.cells.items()]

    def _alert_facts(self, key: str) -> list[Fact]:
        found = [alert for alert in self._state.alerts.latest() if alert.alert == key]
        return alert_facts(found[0], self._state, self._looking) if found else []

    def _who_waits(self) -> str:
        """Return how many calls wait for something else, where no panel shows it."""
        waiting = views.held_back(self._state) + self._state.calls.held
        if not waiting or self._panels.boxes["waiting"].display:
            return ""
        return f"{counted(waiting, 'call waits', 'calls wait')}: press 5 to see why."

    def _paint_extra(self) -> None:
        state, grids = self._state, self._panels.grids
        if self._panels.shows("waiting"):
            grids["waiting"].show_rows(views.waiting_rows(state), empty=("Nobody waits.",))
        if self._panels.shows("events"):
            rows = tail_rows(state.tail.latest(), self._options.zone)
            grids["events"].show_rows(rows, empty=("Nothing yet.",))

    def _paint_feet(self, now_s: float) -> None:
        feet = self._feet(now_s)
        for name, grid in self._panels.grids.items():
            text = feet.get(name, "") if grid.hits is None else f"{grid.hits} match"
            self._panels.boxes[name].foot(text)

    def _feet(self, now_s: float) -> dict[str, str]:
        """Return the counts in the panels' lower edges."""
        state, calls, marks = self._state, self._state.calls, self._glyphs
        upcoming = calls.retries(1)
        due = ""
        if upcoming:
            due = f"next in {countdown(upcoming[0].due_utc_s - now_s)}{marks.separator}"
        lanes = "" if state.lanes is None else f" of {counted(state.lanes, 'lane')}"
        return {
            "services": views.services_foot(state, marks),
            "retries": f"{due}{calls.retrying:,} waiting" if upcoming else "",
            "flights": f"{calls.working:,}{lanes}" if lanes or calls.working else "",
            "alerts": alerts_foot(state, marks),
            "waiting": f"{views.held_back(state) + calls.held:,} waiting",
        }
