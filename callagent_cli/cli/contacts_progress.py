"""A moving count on the terminal while a file takes more than a moment to read."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from callagent_cli.cli import diagnostics
from callagent_cli.contacts.report import ImportReport

PATIENCE_S: Final = 2.0
"""What is over sooner shows no progress."""

_EVERY_S: Final = 0.25


class ReadingProgress:
    """Takes the words of `ImportReport.progress`, and overwrites one line on standard error."""

    def __init__(self) -> None:
        self._next_s = time.monotonic() + PATIENCE_S
        self.shown = False

    def __call__(self, read: int, of: int | None) -> None:
        """Show how far the reading is, at most four times a second."""
        now_s = time.monotonic()
        if now_s < self._next_s:
            return
        self._next_s = now_s + _EVERY_S
        self.shown = True
        share = f", {100 * read // max(1, of)} %" if of else ""
        rows = read if of is None else max(0, read - of // 2)
        done = "read through" if of is None else "checked"
        diagnostics.moving(f"{rows:,} rows {done}{share}")

    def end(self) -> None:
        """Take the line off the screen."""
        if self.shown:
            diagnostics.moving("")


@contextmanager
def reading_progress(report: ImportReport) -> Iterator[None]:
    """Show progress on a terminal while the report fills; show none anywhere else."""
    if not diagnostics.to_a_terminal():
        yield
        return
    progress = ReadingProgress()
    report.progress = progress
    try:
        yield
    finally:
        report.progress = None
        progress.end()
