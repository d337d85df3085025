"""The screen's frame: its panels, what stands in them, and when they are painted."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Final

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.events import DescendantFocus, Resize
from textual.screen import Screen
from textual.widgets import Input

from callagent_cli.counting import counted
from callagent_cli.errors import CallAgentError
from callagent_cli.monitor.arrange import PANELS, Arrangement, arrange, needs
from callagent_cli.monitor.keys import BAR, REHEARSAL_BAR, Key, bindings
from callagent_cli.monitor.paint import rows as views
from callagent_cli.monitor.paint.details import (
    Fact,
    Looking,
    alert_facts,
    fact_lines,
    flight_facts,
    retry_facts,
    service_facts,
)
from callagent_cli.monitor.paint.glyphs import glyphs, to_ascii
from callagent_cli.monitor.paint.header import Watching, progress_cells, verdict_cells
from callagent_cli.monitor.paint.plain import clean, countdown
from callagent_cli.monitor.paint.table import Cell, Column
from callagent_cli.monitor.paint.tail import TAIL_COLUMNS, tail_rows
from callagent_cli.monitor.paint.timeline import timeline_lines
from callagent_cli.monitor.ports import Commands, Leave, Options
from callagent_cli.monitor.state import ViewState
from callagent_cli.monitor.themes import DARK, LIGHT, Palette
from callagent_cli.monitor.widgets.canvas import BLANK, Canvas, Line, line
from callagent_cli.monitor.widgets.grid import Grid, Panel
from callagent_cli.monitor.widgets.key_bar import KeyBar

SHOWN_ROWS: Final = 200
_TITLES: Final[dict[str, tuple[str, tuple[Column, ...]]]] = {
    "services": ("1 Services", views.SERVICE_COLUMNS),
    "retries": ("2 Retries", views.RETRY_COLUMNS),
    "flights": ("3 In flight", views.FLIGHT_COLUMNS),
    "alerts": ("4 Alerts", views.ALERT_COLUMNS),
    "waiting": ("5 Waiting", views.WAITING_COLUMNS),
    "events": ("6 Events", TAIL_COLUMNS),
}


class Board(Screen[None], inherit_bindings=False):
    """The screen the panels stand on; tab is the table's, not Textual's."""


class Frame(App[Leave], inherit_bindings=False):
    """Paints a view state a few times a second and touches only what changed."""

    CSS_PATH = Path(__file__).with_name("monitor.tcss")
    BINDINGS: ClassVar[list[BindingType]] = [*bindings()]
    ENABLE_COMMAND_PALETTE = False
    TITLE = "callagent"

    def __init__(
        self,
        state: ViewState,
        commands: Commands,
        clock_utc: Callable[[], float],
        options: Options | None = None,
    ) -> None:
        self.options = options or Options()
        self._palette = LIGHT if self.options.light else DARK
        super().__init__()
        self.state = state
        self.commands = commands
        self.frozen_at: int | None = None
        self.zoomed = ""
        self.details_open: bool | None = None
        self.crash: BaseException | None = None
        self._clock_utc = clock_utc
        self._glyphs = glyphs(ascii_only=self.options.ascii_only)
        self._looking = Looking(
            glyphs=self._glyphs,
            zone=self.options.zone,
            show_numbers=self.options.show_numbers,
        )
        self._arranged: Arrangement | None = None
        self._on_screen = False
        self._build()

    def _build(self) -> None:
        self.verdict_line = Canvas(id="verdict")
        self.progress_line = Canvas(id="progress")
        self.scenario_lines = Canvas(id="scenario")
        self.too_small = Canvas(id="too-small")
        self.key_bar = KeyBar(id="keys-bar")
        self.filter_line = Input(placeholder="filter; !text inverts; esc clears", id="filter")
        self.grids: dict[str, Grid] = {}
        self.panels: dict[str, Panel] = {}
        for name, (title, columns) in _TITLES.items():
            grid = Grid(columns, id=name, ellipsis=self._glyphs.ellipsis)
            self.grids[name] = grid
            self.panels[name] = Panel(title, grid, id=f"{name}-panel")
        self.details = Canvas(id="details")
        self.panels["details"] = Panel("Details", self.details, id="details-panel")
        self.active = "services"

    def get_default_screen(self) -> Screen[None]:
        """Stand on our own screen."""
        return Board(id="_default")

    def compose(self) -> ComposeResult:
        """Stack the lines and panels from top to bottom."""
        panels = self.panels
        yield self.too_small
        yield self.verdict_line
        yield self.progress_line
        yield self.scenario_lines
        yield panels["services"]
        self.middle = Horizontal(
            panels["retries"], panels["flights"], panels["waiting"], id="middle"
        )
        self.bottom = Horizontal(panels["alerts"], panels["events"], panels["details"], id="bottom")
        yield self.middle
        yield self.bottom
        yield self.filter_line
        yield self.key_bar

    def on_mount(self) -> None:
        """Put the colors on, paint once, and begin to paint regularly."""
        for palette in (DARK, LIGHT):
            self.register_theme(palette.theme())
        self.set_class(self.options.ascii_only, "-ascii")
        for canvas in self.canvases():
            canvas.ascii_only = self.options.ascii_only
        self.filter_line.display = False
        self.use_palette(self._palette)
        self._on_screen = True
        self.grids["services"].focus()
        self.paint()
        if self.options.paint_every_s is not None:
            self.set_interval(self.options.paint_every_s, self.paint)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Let the style sheet know our own names under every theme."""
        return {"edge": self._palette.border, "faint": self._palette.tones["muted"]}

    def use_palette(self, palette: Palette) -> None:
        """Change all colors."""
        self._palette = palette
        self.theme = palette.name
        for canvas in self.canvases():
            canvas.repaint(palette)

    def canvases(self) -> list[Canvas]:
        """Return everything that paints lines."""
        return [
            self.verdict_line,
            self.progress_line,
            self.scenario_lines,
            self.too_small,
            self.key_bar,
            self.details,
            *self.grids.values(),
        ]

    def on_resize(self, event: Resize) -> None:
        """Arrange the panels anew."""
        if self._on_screen:
            self.arrange_panels((event.size.width, event.size.height))
            self.call_after_refresh(self.paint)

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Remember which panel a key acts on."""
        if event.widget.id in self.grids:
            self.active = event.widget.id

    # Painting

    def paint(self) -> None:
        """Show the state as it is; what has not changed is not touched."""
        if not self._on_screen or not self.is_running:
            return
        self._pull()
        now_s = self._clock_utc()
        columns = self.size.width
        self.arrange_panels((self.size.width, self.size.height))
        verdict = self.state.verdict(now_s)
        cells = verdict_cells(self.state, now_s, columns, self._glyphs, watching=self._watching())
        bar = verdict.tone if verdict.word in {"PAUSED", "LOST", "STALLED"} else None
        self.verdict_line.show([Line(cells, bar=bar)])
        keys = BAR if self.options.pace is None else REHEARSAL_BAR
        self.key_bar.show_keys(keys, self.key_label, self.refusal)
        if self.frozen_at is None:
            self._paint_panels(now_s, columns)

    def _paint_panels(self, now_s: float, columns: int) -> None:
        state, marks, grids = self.state, self._glyphs, self.grids
        self.progress_line.show([Line(progress_cells(state, now_s, columns, marks))])
        self.scenario_lines.show(
            [Line(cells) for cells in timeline_lines(state, now_s, columns, marks)]
        )
        numbers = self.options.show_numbers
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
            empty=("No calls in flight.", *((self.options.next_command,) if idle else ())),
        )
        grids["alerts"].show_rows(
            views.alert_rows(state, state.alerts.latest(), marks, self.options.zone),
            empty=("No alerts.",),
        )
        self._paint_extra()
        self._paint_feet(now_s)
        self.paint_details(now_s)

    def _who_waits(self) -> str:
        """Return how many calls wait for something else, where no panel shows it."""
        waiting = views.held_back(self.state) + self.state.calls.held
        if not waiting or self.panels["waiting"].display:
            return ""
        return f"{counted(waiting, 'call waits', 'calls wait')}: press 5 to see why."

    def _paint_extra(self) -> None:
        shown = self._arranged.panels if self._arranged else frozenset()
        if "waiting" in shown:
            self.grids["waiting"].show_rows(
                views.waiting_rows(self.state), empty=("Nobody waits.",)
            )
        if "events" in shown:
            rows = tail_rows(self.state.tail.latest(), self.options.zone)
            self.grids["events"].show_rows(rows, empty=("Nothing yet.",))

    def _paint_feet(self, now_s: float) -> None:
        state, calls, marks = self.state, self.state.calls, self._glyphs
        upcoming = calls.retries(1)
        due = ""
        if upcoming:
            due = f"next in {countdown(upcoming[0].due_utc_s - now_s)}{marks.separator}"
        lanes = "" if self.state.lanes is None else f" of {counted(self.state.lanes, 'lane')}"
        unseen = self.state.alerts.unseen
        feet = {
            "services": views.services_foot(state, marks),
            "retries": f"{due}{calls.retrying:,} waiting" if upcoming else "",
            "flights": f"{calls.working:,}{lanes}" if lanes or calls.working else "",
            "alerts": f"{unseen} not acknowledged" if unseen else "",
            "waiting": f"{views.held_back(self.state) + calls.held:,} waiting",
        }
        for name, grid in self.grids.items():
            text = feet.get(name, "") if grid.hits is None else f"{grid.hits} match"
            self.panels[name].foot(text)

    def paint_details(self, now_s: float) -> None:
        """Show what is known of the selected row."""
        if self._arranged is None or "details" not in self._arranged.panels:
            return
        title, facts = self.facts(now_s)
        self.panels["details"].head(self._shown(clean(title)) or "Details")
        self.panels["details"].foot(self._shown("y copy · d close"))
        lines = [Line(cells) for cells in fact_lines(facts, self.details.size.width, self._looking)]
        left_out = len(lines) - self.details.size.height
        if left_out > 0 and self.details.size.height:
            lines[-left_out - 1 :] = [
                line(Cell(f"{left_out + 1} lines more: y copies all", "muted"))
            ]
        self.details.show(lines or [line(Cell("nothing selected", "muted"))])

    def facts(self, now_s: float) -> tuple[str, list[Fact]]:
        """Return a title and what is known of the selected row of the active panel."""
        row = self.grids[self.active].selected
        if row is None:
            return "", []
        state, key = self.state, row.key
        if self.active == "services":
            return key, service_facts(state.services[key], state, now_s, self._looking)
        if self.active == "alerts":
            return key, self._alert_facts(key)
        if self.active == "flights" and key in state.calls.in_flight:
            return key, flight_facts(state.calls.in_flight[key], now_s, self._looking)
        if self.active == "retries":
            found = [retry for retry in state.calls.retries() if retry.call == key]
            return key, retry_facts(found[0], now_s, self._looking) if found else []
        return key, [Fact(name, cell.text, cell.tone) for name, cell in row.cells.items()]

    def _alert_facts(self, key: str) -> list[Fact]:
        found = [alert for alert in self.state.alerts.latest() if alert.alert == key]
        return alert_facts(found[0], self.state, self._looking) if found else []

    def arrange_panels(self, size: tuple[int, int]) -> None:
        """Show the panels that fit; nothing happens when they are shown already."""
        wanted = arrange(
            size,
            services=len(self.state.services),
            zoomed=self.zoomed,
            details=self.details_open,
        )
        if wanted.too_small:
            self._say_too_small(size)
        scenario = self.state.scenario is not None and not wanted.too_small
        if self.scenario_lines.display != scenario:
            self.scenario_lines.display = scenario
        self._set_scenario_height(size[0])
        if wanted != self._arranged:
            self._arranged = wanted
            self._apply(wanted)

    def _set_scenario_height(self, columns: int) -> None:
        if self.state.scenario is not None:
            lines = len(timeline_lines(self.state, self._clock_utc(), columns, self._glyphs))
            self.scenario_lines.styles.height = max(1, lines)

    def _apply(self, wanted: Arrangement) -> None:
        self.too_small.display = wanted.too_small
        for part in (self.verdict_line, self.progress_line, self.key_bar):
            part.display = not wanted.too_small
        for name, panel in self.panels.items():
            panel.display = name in wanted.panels
        self.middle.display = bool(wanted.panels & {"retries", "flights", "waiting"})
        self.bottom.display = bool(wanted.panels & {"alerts", "events", "details"})
        zoomed = wanted.zoomed == "services"
        self.panels["services"].styles.height = "1fr" if zoomed else wanted.services_height
        if self._on_screen and not wanted.too_small and self.active not in wanted.panels:
            self.grids[next(name for name in PANELS if name in wanted.panels)].focus()

    def _say_too_small(self, size: tuple[int, int]) -> None:
        text = self._shown(needs(size)).center(size[0])
        self.too_small.show([*[BLANK] * max(0, (size[1] - 1) // 2), line(text)])

    # What a subclass decides

    def key_label(self, key: Key) -> str:
        """Return what the key bar says of a key right now."""
        return key.label

    def refusal(self, key: Key) -> str:  # noqa: ARG002 — a subclass looks at the key.
        """Return why a key does nothing right now; empty when it does something."""
        return ""

    # Small parts

    def _watching(self) -> Watching:
        pace = self.options.pace
        missed = None if self.frozen_at is None else self.state.events - self.frozen_at
        if pace is None:
            return Watching(frozen_events=missed)
        return Watching(frozen_events=missed, speed=pace.speed, held=pace.held)

    def _pull(self) -> None:
        if self.options.feed is None:
            return
        try:
            self.options.feed.pull(self.state)
        except CallAgentError as error:
            self.state.trouble = error.message
        else:
            self.state.trouble = ""

    def _shown(self, text: str) -> str:
        return to_ascii(text) if self.options.ascii_only else text

    async def _process_messages(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 — Textual's own.
        """Run the screen, and leave the loop's tasks as they are for the worker.

        From Python 3.12 on Textual makes every task of the loop start eagerly.
        """
        asyncio.get_running_loop().set_task_factory(None)
        await super()._process_messages(*arguments, **options)

    def _fatal_error(self) -> None:
        """End the screen after a failure of its own: one line and a report, never local values."""
        self.crash = self._exception
        where = ""
        if self.options.report_crash is not None and self.crash is not None:
            where = f" Report: {self.options.report_crash(self.crash)}"
        message = f"error: the screen failed; the run goes on.{where}"
        self._exit_renderables.append(Text(message))
        self._close_messages_no_wait()
