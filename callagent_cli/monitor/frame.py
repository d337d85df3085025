"""The screen's frame: the lines around the panels, what fits, and when it is painted."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.events import DescendantFocus, Resize
from textual.screen import Screen
from textual.widgets import Input

from callagent_cli.errors import CallAgentError
from callagent_cli.monitor.arrange import arrange, needs
from callagent_cli.monitor.keys import BAR, REHEARSAL_BAR, Key, bindings
from callagent_cli.monitor.paint.glyphs import glyphs
from callagent_cli.monitor.paint.header import Watching, progress_cells, verdict_cells
from callagent_cli.monitor.paint.timeline import timeline_lines
from callagent_cli.monitor.painting import PanelPainter
from callagent_cli.monitor.panels import Panels
from callagent_cli.monitor.ports import Commands, Leave, Options
from callagent_cli.monitor.state import ViewState
from callagent_cli.monitor.themes import DARK, LIGHT, Palette
from callagent_cli.monitor.widgets.canvas import BLANK, Canvas, Line, line
from callagent_cli.monitor.widgets.key_bar import KeyBar


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
        self.palette = LIGHT if self.options.light else DARK
        super().__init__()
        self.state = state
        self.commands = commands
        self.frozen_at: int | None = None
        self.crash: BaseException | None = None
        self.clock_utc = clock_utc
        self._glyphs = glyphs(ascii_only=self.options.ascii_only)
        self.panels = Panels(ellipsis=self._glyphs.ellipsis)
        self.painter = PanelPainter(state, self.panels, self.options)
        self._on_screen = False
        self._build_lines()

    def _build_lines(self) -> None:
        self.verdict_line = Canvas(id="verdict")
        self.progress_line = Canvas(id="progress")
        self.scenario_lines = Canvas(id="scenario")
        self.too_small = Canvas(id="too-small")
        self.key_bar = KeyBar(id="keys-bar")
        self.filter_line = Input(placeholder="filter; !text inverts; esc clears", id="filter")

    def get_default_screen(self) -> Screen[None]:
        """Stand on our own screen."""
        return Board(id="_default")

    def compose(self) -> ComposeResult:
        """Stack the lines and panels from top to bottom."""
        yield self.too_small
        yield self.verdict_line
        yield self.progress_line
        yield self.scenario_lines
        yield from self.panels.compose()
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
        self.use_palette(self.palette)
        self._on_screen = True
        self.panels.grids["services"].focus()
        self.paint()
        if self.options.paint_every_s is not None:
            self.set_interval(self.options.paint_every_s, self.paint)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Let the style sheet know our own names under every theme."""
        return {"edge": self.palette.border, "faint": self.palette.tones["muted"]}

    def use_palette(self, palette: Palette) -> None:
        """Change all colors."""
        self.palette = palette
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
            self.panels.details,
            *self.panels.grids.values(),
        ]

    def on_resize(self, event: Resize) -> None:
        """Arrange the panels anew."""
        if self._on_screen:
            self.arrange_panels((event.size.width, event.size.height))
            self.call_after_refresh(self.paint)

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Remember which panel a key acts on."""
        if event.widget.id in self.panels.grids:
            self.panels.active = event.widget.id

    # Painting

    def paint(self) -> None:
        """Show the state as it is; what has not changed is not touched."""
        if not self._on_screen or not self.is_running:
            return
        self._pull()
        now_s = self.clock_utc()
        columns = self.size.width
        self.arrange_panels((self.size.width, self.size.height))
        verdict = self.state.verdict(now_s)
        cells = verdict_cells(self.state, now_s, columns, self._glyphs, watching=self._watching())
        bar = verdict.tone if verdict.word in {"PAUSED", "LOST", "STALLED"} else None
        self.verdict_line.show([Line(cells, bar=bar)])
        keys = BAR if self.options.pace is None else REHEARSAL_BAR
        self.key_bar.show_keys(keys, self.key_label, self.refusal)
        if self.frozen_at is None:
            self._paint_progress(now_s, columns)
            self.painter.paint(now_s)

    def _paint_progress(self, now_s: float, columns: int) -> None:
        state, marks = self.state, self._glyphs
        self.progress_line.show([Line(progress_cells(state, now_s, columns, marks))])
        self.scenario_lines.show(
            [Line(cells) for cells in timeline_lines(state, now_s, columns, marks)]
        )

    # Arranging

    def arrange_panels(self, size: tuple[int, int]) -> None:
        """Show the panels that fit; nothing happens when they are shown already."""
        wanted = arrange(
            size,
            services=len(self.state.services),
            zoomed=self.panels.zoomed,
            details=self.panels.details_open,
        )
        if wanted.too_small:
            self._say_too_small(size)
        scenario = self.state.scenario is not None and not wanted.too_small
        if self.scenario_lines.display != scenario:
            self.scenario_lines.display = scenario
        self._set_scenario_height(size[0])
        if self.panels.arrange(wanted):
            self.too_small.display = wanted.too_small
            for part in (self.verdict_line, self.progress_line, self.key_bar):
                part.display = not wanted.too_small
            if self._on_screen:
                self.panels.focus_one_shown()

    def _set_scenario_height(self, columns: int) -> None:
        if self.state.scenario is not None:
            lines = len(timeline_lines(self.state, self.clock_utc(), columns, self._glyphs))
            self.scenario_lines.styles.height = max(1, lines)

    def _say_too_small(self, size: tuple[int, int]) -> None:
        text = self.options.shown(needs(size)).center(size[0])
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
