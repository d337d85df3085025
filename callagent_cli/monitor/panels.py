"""The panels, the tables in them, and which of them are on the screen."""

from typing import Final

from textual.app import ComposeResult
from textual.containers import Horizontal

from callagent_cli.monitor.arrange import PANELS, Arrangement
from callagent_cli.monitor.paint import rows as views
from callagent_cli.monitor.paint.alert_rows import ALERT_COLUMNS
from callagent_cli.monitor.paint.table import Column
from callagent_cli.monitor.paint.tail import TAIL_COLUMNS
from callagent_cli.monitor.widgets.canvas import Canvas
from callagent_cli.monitor.widgets.grid import Grid, Panel

_TITLES: Final[dict[str, tuple[str, tuple[Column, ...]]]] = {
    "services": ("1 Services", views.SERVICE_COLUMNS),
    "retries": ("2 Retries", views.RETRY_COLUMNS),
    "flights": ("3 In flight", views.FLIGHT_COLUMNS),
    "alerts": ("4 Alerts", ALERT_COLUMNS),
    "waiting": ("5 Waiting", views.WAITING_COLUMNS),
    "events": ("6 Events", TAIL_COLUMNS),
}


class Panels:
    """What stands between the lines at the top and the keys at the bottom.

    `active` is the panel that a key acts on, `zoomed` the one that has the whole screen, if any;
    `details_open` is whether a person opened or closed the details, none while nobody did.
    """

    def __init__(self, *, ellipsis: str) -> None:
        self.grids: dict[str, Grid] = {}
        self.boxes: dict[str, Panel] = {}
        for name, (title, columns) in _TITLES.items():
            grid = Grid(columns, id=name, ellipsis=ellipsis)
            self.grids[name] = grid
            self.boxes[name] = Panel(title, grid, id=f"{name}-panel")
        self.details = Canvas(id="details")
        self.boxes["details"] = Panel("Details", self.details, id="details-panel")
        self.active = "services"
        self.zoomed = ""
        self.details_open: bool | None = None
        self._arranged: Arrangement | None = None

    def compose(self) -> ComposeResult:
        """Stack the panels from top to bottom."""
        boxes = self.boxes
        yield boxes["services"]
        self._middle = Horizontal(boxes["retries"], boxes["flights"], boxes["waiting"], id="middle")
        self._bottom = Horizontal(boxes["alerts"], boxes["events"], boxes["details"], id="bottom")
        yield self._middle
        yield self._bottom

    @property
    def grid(self) -> Grid:
        """The table of the active panel."""
        return self.grids[self.active]

    def shows(self, name: str) -> bool:
        """Return whether a panel is on the screen."""
        return self._arranged is not None and name in self._arranged.panels

    def shown(self) -> list[str]:
        """Return the numbered panels that are on the screen, in the order of their numbers."""
        return [name for name in PANELS if self.boxes[name].display]

    def arrange(self, wanted: Arrangement) -> bool:
        """Show these panels; return whether that differs from what is shown already."""
        if wanted == self._arranged:
            return False
        self._arranged = wanted
        for name, box in self.boxes.items():
            box.display = name in wanted.panels
        self._middle.display = bool(wanted.panels & {"retries", "flights", "waiting"})
        self._bottom.display = bool(wanted.panels & {"alerts", "events", "details"})
        zoomed = wanted.zoomed == "services"
        self.boxes["services"].styles.height = "1fr" if zoomed else wanted.services_height
        return True

    def focus_one_shown(self) -> None:
        """Let a key act on a panel that is on the screen."""
        if self._arranged is None or self._arranged.too_small:
            return
        if self.active not in self._arranged.panels:
            self.grids[next(name for name in PANELS if self.shows(name))].focus()
