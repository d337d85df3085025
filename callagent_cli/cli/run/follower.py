"""How a person follows a run: JSON Lines, plain lines, or lines above a progress bar."""

from collections.abc import Iterator
from contextlib import contextmanager
from textwrap import wrap
from typing import TYPE_CHECKING, Protocol

from callagent_cli.calls.model import FINAL_STATES
from callagent_cli.cli.text.lines import Lines
from callagent_cli.cli.text.output import printable, standard_output
from callagent_cli.clock import utc_text
from callagent_cli.events import (
    AlertRaised,
    CallChanged,
    Event,
    ServiceEvent,
    Stamped,
)
from callagent_cli.monitor.paint.plain import in_words
from callagent_cli.reporting.journal import LineEncoder
from callagent_cli.reporting.redaction import Redactor
from callagent_cli.store.port import Store

if TYPE_CHECKING:
    from callagent_cli.cli.run.loop import Run

_FINAL = frozenset(state.value for state in FINAL_STATES)


class Follower(Protocol):
    """Takes events for the person in front of the run."""

    def __call__(self, stamped: Stamped) -> None:
        """Show an event."""

    def alert(self, line: str) -> None:
        """Show an alert's line."""


class Wording:
    """Puts events into lines without secrets; with `numbers` it shows whole phone numbers."""

    def __init__(self, label: str, redactor: Redactor, numbers: Store | None = None) -> None:
        self._label = f"{label} " if label else ""
        self.indent = len(f"{self._label}00:00:00 ")
        self._redact = redactor.text
        self._numbers = numbers
        self._lines = Lines()

    def lines(self, stamped: Stamped) -> list[str]:
        """Return the lines that an event brings; none for one that comes as an alert."""
        event = stamped.event
        if isinstance(event, AlertRaised):
            return []
        time = f"{self._label}{utc_text(stamped.utc_s)[11:19]}"
        texts = self._lines.lines(stamped)
        return [f"{time} {self._with_number(self._redact(text), event)}" for text in texts]

    def alert(self, line: str) -> str:
        """Return the line of an alert."""
        return f"{self._label}ALERT    {line}"

    def _with_number(self, text: str, event: Event) -> str:
        if self._numbers is None or not isinstance(event, CallChanged) or not event.number:
            return text
        call = self._numbers.call(event.call)
        return text if call is None else text.replace(event.number, call.contact.number)


class JsonLines:
    """Every event as one JSON object a line on standard output, and nothing else."""

    def __init__(self, redactor: Redactor) -> None:
        self._encode = LineEncoder(redactor).encode
        self._output = standard_output()

    def __call__(self, stamped: Stamped) -> None:
        """Print an event."""
        self._output.raw(self._encode(stamped))

    def alert(self, line: str) -> None:
        """Print nothing: the alert is an event as well."""


class PlainLines:
    """One line for each change a person would follow."""

    def __init__(self, wording: Wording) -> None:
        self._wording = wording
        self._output = standard_output()

    def __call__(self, stamped: Stamped) -> None:
        """Print what an event brings."""
        for line in self._wording.lines(stamped):
            self._show(line)

    def alert(self, line: str) -> None:
        """Print an alert's line."""
        self._show(self._wording.alert(line))

    def _show(self, line: str) -> None:
        self._output.prose(line, indent=self._wording.indent)
        self._output.flush()


class Bar:
    """Rich's progress bar under the plain lines, on a terminal."""

    def __init__(self, wording: Wording, *, label: str, done: int, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self._wording = wording
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(complete_style="blue", finished_style="green"),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}", markup=False),
            console=Console(stderr=True, highlight=False),
            transient=True,
        )
        self._task = self._progress.add_task(label, total=total, completed=done, state="")
        self._busy: set[str] = set()
        self._breakers: dict[str, str] = {}

    def start(self) -> None:
        """Show the bar."""
        self._progress.start()

    def stop(self) -> None:
        """Take the bar away: the summary says how everything stands."""
        self._progress.stop()

    def __call__(self, stamped: Stamped) -> None:
        """Move the bar, and print the lines above it."""
        event = stamped.event
        if isinstance(event, CallChanged):
            self._count(event)
        elif isinstance(event, ServiceEvent):
            self._learn(event)
        for line in self._wording.lines(stamped):
            self._print(line)

    def alert(self, line: str) -> None:
        """Print an alert's line."""
        self._print(self._wording.alert(line))

    def _count(self, event: CallChanged) -> None:
        if event.new in {"active", "backoff"}:
            self._busy.add(event.call)
        else:
            self._busy.discard(event.call)
        if event.new in _FINAL and event.old not in _FINAL:
            self._progress.advance(self._task)
        elif event.old in _FINAL and event.new not in _FINAL:
            self._progress.advance(self._task, -1)
        self._update()

    def _learn(self, event: ServiceEvent) -> None:
        if self._breakers.get(event.service) != event.breaker_state:
            self._breakers[event.service] = event.breaker_state
            self._update()

    def _update(self) -> None:
        unwell = [
            in_words(f"{name} {state}")
            for name, state in self._breakers.items()
            if state != "closed"
        ]
        state = f"{len(self._busy)} in flight" + (f", {', '.join(unwell)}" if unwell else "")
        self._progress.update(self._task, state=state)

    def _print(self, line: str) -> None:
        console = self._progress.console
        room = " " * min(self._wording.indent, console.width // 2)
        for part in wrap(
            printable(line), console.width, subsequent_indent=room, break_on_hyphens=False
        ):
            console.print(part, markup=False, soft_wrap=True)


@contextmanager
def follower(run: "Run", redactor: Redactor) -> Iterator[Follower]:
    """Yield what shows this run, and take it off the screen afterwards."""
    label = run.place.label
    wording = Wording(label, redactor, run.store if run.show_numbers else None)
    if run.json:
        yield JsonLines(redactor)
    elif run.look is not None:
        yield _for_screen(run, PlainLines(wording))
    elif not run.bar:
        yield PlainLines(wording)
    else:
        totals = run.store.totals(run.campaign)
        finished = sum(count for state, count in totals.items() if state in FINAL_STATES)
        bar = Bar(wording, label=label or "calls", done=finished, total=sum(totals.values()))
        bar.start()
        try:
            yield bar
        finally:
            bar.stop()


def _for_screen(run: "Run", plain: PlainLines) -> Follower:
    """Return what folds this run for the screen, beginning with what the store knows."""
    import time
    from dataclasses import replace

    from callagent_cli.cli.place.service_names import service_names
    from callagent_cli.cli.place.snapshot import snapshot_of
    from callagent_cli.cli.screen.follower import ScreenFollower
    from callagent_cli.monitor.state import ViewState

    stored = snapshot_of(run.store, run.campaign, alive=False, now_utc_s=time.time())
    state = ViewState.from_snapshot(replace(stored, run=None), service_names(run.place.settings))
    return ScreenFollower(state, plain, run.store if run.show_numbers else None)
