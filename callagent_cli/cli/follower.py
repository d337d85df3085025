"""How a person follows a run: JSON Lines, plain lines, or lines above a progress bar."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from callagent_cli.cli.lines import line_of
from callagent_cli.cli.output import standard_output
from callagent_cli.clock import utc_text
from callagent_cli.events import AlertRaised, Bus, CallChanged, Stamped
from callagent_cli.reporting.journal import LineEncoder
from callagent_cli.reporting.redaction import Redactor

if TYPE_CHECKING:
    from callagent_cli.cli.run_loop import Run

_FINAL = frozenset({"done", "failed", "review", "excluded", "cancelled"})


class Follower(Protocol):
    """Takes events for the person in front of the run."""

    def __call__(self, stamped: Stamped) -> None:
        """Show an event."""

    def alert(self, line: str) -> None:
        """Show an alert's line."""


class JsonLines:
    """Every event as one JSON object a line on standard output, and nothing else."""

    def __init__(self) -> None:
        self._encode = LineEncoder(Redactor()).encode
        self._output = standard_output()

    def __call__(self, stamped: Stamped) -> None:
        """Print an event."""
        self._output.raw(self._encode(stamped))

    def alert(self, line: str) -> None:
        """Print nothing: the alert is an event as well."""


class PlainLines:
    """One line for each change a person would follow."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._output = standard_output()

    def __call__(self, stamped: Stamped) -> None:
        """Print an event that has a line."""
        if isinstance(stamped.event, AlertRaised):
            return
        text = line_of(stamped.event)
        if text:
            self._show(utc_text(stamped.utc_s)[11:19], text)

    def alert(self, line: str) -> None:
        """Print an alert's line."""
        self._show("ALERT   ", line)

    def _show(self, at: str, text: str) -> None:
        label = f"{self._label} " if self._label else ""
        self._output.line(f"{label}{at} {text}")
        self._output.flush()


class Bar:
    """Rich's progress bar under the plain lines, on a terminal."""

    def __init__(self, label: str, done: int, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        self._label = label
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}"),
            console=Console(stderr=True, highlight=False),
        )
        self._task = self._progress.add_task(
            label or "calls", total=total, completed=done, state=""
        )
        self._busy: set[str] = set()
        self._breakers: dict[str, str] = {}

    def start(self) -> None:
        """Show the bar."""
        self._progress.start()

    def stop(self) -> None:
        """Leave the bar as it stands."""
        self._progress.stop()

    def __call__(self, stamped: Stamped) -> None:
        """Move the bar, and print the lines above it."""
        event = stamped.event
        if isinstance(event, CallChanged):
            self._count(event)
        elif (service := getattr(event, "service", "")) and hasattr(event, "breaker_state"):
            self._breakers[service] = event.breaker_state
            self._update()
        text = "" if isinstance(event, AlertRaised) else line_of(event)
        if text:
            self._print(utc_text(stamped.utc_s)[11:19], text)

    def alert(self, line: str) -> None:
        """Print an alert's line."""
        self._print("ALERT", line)

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

    def _update(self) -> None:
        unwell = [f"{name} {state}" for name, state in self._breakers.items() if state != "closed"]
        state = f"{len(self._busy)} in flight" + (f", {', '.join(unwell)}" if unwell else "")
        self._progress.update(self._task, state=state)

    def _print(self, at: str, text: str) -> None:
        label = f"{self._label} " if self._label else ""
        self._progress.console.print(f"{label}{at} {text}", markup=False, soft_wrap=True)


@contextmanager
def follower(run: "Run", _bus: Bus) -> Iterator[Follower]:
    """Yield what shows this run, and take it off the screen afterwards."""
    label = run.place.label
    if run.json:
        yield JsonLines()
    elif not run.bar:
        yield PlainLines(label)
    else:
        totals = run.store.totals(run.campaign)
        finished = sum(count for state, count in totals.items() if state.value in _FINAL)
        bar = Bar(label, finished, sum(totals.values()))
        bar.start()
        try:
            yield bar
        finally:
            bar.stop()
