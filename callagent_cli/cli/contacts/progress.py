"""A moving count on the terminal while a file takes more than a moment to read or write."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from callagent_cli.cli.text import diagnostics
from callagent_cli.contacts.report import ImportReport

PATIENCE_S: Final = 2.0
"""What is over sooner shows no progress."""

_EVERY_S: Final = 0.25
_COUNTED_EVERY: Final = 1 << 10

T = TypeVar("T")


class Progress:
    """Takes the words of a long work, and overwrites one line on standard error."""

    def __init__(self) -> None:
        self._next_s = time.monotonic() + PATIENCE_S
        self.shown = False

    def __call__(self, read: int, of: int | None) -> None:
        """Show how far the reading is, at most four times a second."""
        share = f", {100 * read // max(1, of)} %" if of else ""
        rows = read if of is None else max(0, read - of // 2)
        done = "read through" if of is None else "checked"
        self._show(f"{rows:,} rows {done}{share}")

    def texts(self, read: int) -> None:
        """Show how many shared texts of a workbook were read, which come before its rows."""
        self._show(f"{read:,} texts of the workbook read")

    def stored(self, people: int, of: int) -> None:
        """Show how many of the people are in the campaign."""
        self._show(f"{people:,} people stored, {100 * people // max(1, of)} %")

    def counted(self, count: int, what: str) -> None:
        """Show how many of something there were: `contacts written`."""
        self._show(f"{count:,} {what}")

    def _show(self, text: str) -> None:
        now_s = time.monotonic()
        if now_s < self._next_s:
            return
        self._next_s = now_s + _EVERY_S
        self.shown = True
        diagnostics.moving(text)

    def end(self) -> None:
        """Take the line off the screen."""
        if self.shown:
            diagnostics.moving("")


def with_progress(items: Iterable[T], what: str) -> Iterator[T]:
    """Yield the items; on a terminal show how many there were, such as `contacts written`."""
    if not diagnostics.to_a_terminal():
        yield from items
        return
    progress = Progress()
    try:
        for count, item in enumerate(items, start=1):
            yield item
            if count % _COUNTED_EVERY == 0:
                progress.counted(count, what)
    finally:
        progress.end()


@contextmanager
def reading_progress(report: ImportReport) -> Iterator[None]:
    """Show progress on a terminal while the report fills; show none anywhere else."""
    if not diagnostics.to_a_terminal():
        yield
        return
    progress = Progress()
    report.progress, report.texts, report.stored = progress, progress.texts, progress.stored
    try:
        yield
    finally:
        report.progress = report.texts = report.stored = None
        progress.end()
