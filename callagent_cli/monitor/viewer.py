"""The frame with the keys that change what a person sees, and nothing of the run."""

from collections.abc import Callable
from typing import Final

from textual.widgets import Input

from callagent_cli.monitor.arrange import PANELS
from callagent_cli.monitor.frame import Frame
from callagent_cli.monitor.paint.plain import clean
from callagent_cli.monitor.ports import Pace
from callagent_cli.monitor.themes import DARK, LIGHT

NO_REHEARSAL: Final = "only in a rehearsal that is being watched: callagent simulate --tui"


class Viewer(Frame):
    """Filters, zooms, freezes and moves about; the worker hears of none of it."""

    # View

    def action_filter(self) -> None:
        """Open the filter line."""
        self.filter_line.display = True
        self.filter_line.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while typing."""
        if event.input is self.filter_line:
            for grid in self.panels.grids.values():
                grid.set_filter(event.value)
            self.paint()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the filter and go back to the rows."""
        if event.input is self.filter_line:
            self.panels.grid.focus()

    def action_step_back(self) -> None:
        """Clear the filter, else leave the zoom, else close the details."""
        if self.filter_line.display:
            self.filter_line.value = ""
            self.filter_line.display = False
            self.panels.grid.focus()
        elif self.panels.zoomed:
            self.panels.zoomed = ""
        elif self.panels.details_open:
            self.panels.details_open = None
        self._again()

    def action_details(self) -> None:
        """Open or close the details."""
        open_ = self.panels.shows("details")
        self.panels.zoomed = ""
        self.panels.details_open = not open_
        self._again()

    def action_zoom(self) -> None:
        """Give the active panel the whole screen, or take it back."""
        self.panels.zoomed = "" if self.panels.zoomed else self.panels.active
        self._again()

    def action_freeze(self) -> None:
        """Freeze the screen, or hold the rehearsal's time; the other way round next time."""
        pace = self.options.pace
        if pace is not None:
            (pace.go if pace.held else pace.hold)()
        else:
            self.frozen_at = self.state.events if self.frozen_at is None else None
        self.paint()

    def action_copy(self) -> None:
        """Copy what is known of the selected row."""
        title, facts = self.painter.facts(self.clock_utc())
        if not facts:
            self.say("nothing to copy")
            return
        lines = [title, *(f"{fact.label}: {clean(fact.text)}" for fact in facts)]
        self.copy_to_clipboard("\n".join(lines))
        self.say(f"copied {title}, if this terminal lets programs copy")

    def action_light(self) -> None:
        """Change between the dark and the light theme."""
        self.use_palette(DARK if self.palette is LIGHT else LIGHT)

    def action_step(self) -> None:
        """Let one simulated second pass."""
        self._with_pace(lambda pace: pace.step())

    def action_speed(self, factor: float) -> None:
        """Change the rehearsal's speed."""
        self._with_pace(lambda pace: pace.change(factor))

    # Moving

    def action_panel(self, number: int) -> None:
        """Focus a panel; one that does not fit is zoomed."""
        name = PANELS[number - 1]
        if self.panels.zoomed or not self.panels.shows(name):
            self.panels.zoomed = name
        self.panels.active = name
        self._again()
        self.panels.grids[name].focus()

    def action_next_panel(self) -> None:
        """Focus the next panel that is shown."""
        self._cycle(1)

    def action_previous_panel(self) -> None:
        """Focus the previous panel that is shown."""
        self._cycle(-1)

    def action_move(self, change: int) -> None:
        """Move the cursor of the active panel."""
        self.panels.grid.move(change)
        self.painter.paint_details(self.clock_utc())

    # Small parts

    def say(self, message: str, *, bad: bool = False) -> None:
        """Show a message for a few seconds."""
        self.notify(
            self.options.shown(clean(message)),
            severity="error" if bad else "information",
            markup=False,
        )

    def _cycle(self, change: int) -> None:
        shown = self.panels.shown()
        if shown:
            place = shown.index(self.panels.active) if self.panels.active in shown else 0
            self.panels.grids[shown[(place + change) % len(shown)]].focus()

    def _with_pace(self, act: Callable[[Pace], None]) -> None:
        if self.options.pace is None:
            self.say(f"not possible: {NO_REHEARSAL}")
        else:
            act(self.options.pace)
            self.paint()

    def _again(self) -> None:
        self.arrange_panels((self.size.width, self.size.height))
        self.call_after_refresh(self.paint)
