"""How a person follows a rehearsal: plain lines in world time, and a picture on a terminal."""

import shutil
import signal
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from callagent_cli.cli.simulate.labels import LABEL, labeled, print_labeled
from callagent_cli.cli.simulate.timeline import Timeline
from callagent_cli.cli.text import diagnostics
from callagent_cli.cli.text.lines import Lines
from callagent_cli.cli.text.output import standard_output
from callagent_cli.durations import duration_text
from callagent_cli.events import CallChanged, Stamped
from callagent_cli.simulation.scenario.format import Scenario
from callagent_cli.simulation.worlds.world import World

_HEAD_LINES: Final = 150
_TAIL_LINES: Final = 50
_TIME_WIDTH: Final = len("+00:35.98 ")
_SILENT_S: Final = 2.0
_EVENTS_BETWEEN_LOOKS: Final = 200
_OVER: Final = frozenset({"done", "failed", "review"})


def world_time(at_s: float) -> str:
    """Return a second of the world as `+00:35.98`, with hours before it when there are any."""
    hundredths = round(at_s * 100)
    seconds, fraction = divmod(hundredths, 100)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    hour = f"{hours}:" if hours else ""
    return f"+{hour}{minute:02d}:{second:02d}.{fraction:02d}"


@contextmanager
def interrupting(world: World) -> Iterator[None]:
    """Let Ctrl-C end the world between two of its steps, where nothing can swallow it."""
    before = signal.signal(signal.SIGINT, lambda _number, _frame: world.interrupt())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class Show:
    """Shows a world. In a pipe each line comes at once; a terminal gets the picture before them.

    A terminal is spared the middle of a very long log. With `live` the lines come at once there
    too, because the world takes its time, and the picture follows.
    """

    def __init__(self, scenario: Scenario, *, quiet: bool = False, live: bool = False) -> None:
        self._scenario = scenario
        self._output = standard_output()
        self.quiet = quiet
        self._paints = self._output.terminal and not quiet
        self._live = live
        self._timeline = Timeline(scenario)
        self._wording = Lines()
        self._head: list[str] = []
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._lines = 0

    def take(self, at_s: float, stamped: Stamped) -> None:
        """Show an event."""
        if self.quiet:
            return
        if self._paints:
            self._timeline.take(at_s, stamped.event)
        for text in self._wording.lines(stamped):
            # An alert's title says it as well, for whoever reads it elsewhere.
            self._keep(f"{world_time(at_s)} {text.replace(f'{LABEL}: ', '')}")

    def _keep(self, line: str) -> None:
        self._lines += 1
        if not self._paints or self._live:
            print_labeled(line, indent=_TIME_WIDTH)
            self._output.flush()
        elif len(self._head) < _HEAD_LINES:
            self._head.append(line)
        else:
            self._tail.append(line)

    def end(self, ended_at_s: float) -> None:
        """Show what was held back: the picture and the lines."""
        if not self._paints:
            return
        width = shutil.get_terminal_size().columns - len(LABEL) - 1
        for row in self._timeline.rows(ended_at_s, width):
            self._output.line(labeled(row))
        self._output.line(labeled(""))
        for line in self._head:
            print_labeled(line, indent=_TIME_WIDTH)
        left_out = 0 if self._live else self._lines - len(self._head) - len(self._tail)
        if left_out > 0:
            print_labeled(f"… {left_out} lines more: add `| cat` to see them all")
        for line in self._tail:
            print_labeled(line, indent=_TIME_WIDTH)


class Progress:
    """Tells on standard error how far a world is, when it takes longer than 2 s."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._events = 0
        self._over = 0
        self._told_s = time.monotonic()

    def take(self, at_s: float, stamped: Stamped) -> None:
        """Count an event, and look now and then whether it is time to tell."""
        event = stamped.event
        if isinstance(event, CallChanged):
            self._over += (event.new in _OVER) - (event.old in _OVER)
        self._events += 1
        if self._events % _EVENTS_BETWEEN_LOOKS == 0:
            self.tell(at_s)

    def tell(self, at_s: float) -> None:
        """Tell how far the world is at a second of it, if it is time."""
        now_s = time.monotonic()
        if now_s - self._told_s >= _SILENT_S:
            self._told_s = now_s
            world = duration_text(float(round(at_s)))
            contacts = self._scenario.campaign.contacts
            text = f"{self._scenario.name}: {world} of the world, {self._over} of {contacts} calls"
            diagnostics.note(labeled(text))
