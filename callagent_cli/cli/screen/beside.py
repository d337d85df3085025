"""The life of the monitor beside a worker in the same loop."""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from callagent_cli.cli.place.operator import operator_name
from callagent_cli.cli.screen.follower import ScreenFollower
from callagent_cli.cli.screen.terminal import ScreenLook, speaks_ascii_only
from callagent_cli.cli.screen.worker_commands import WorkerCommands
from callagent_cli.cli.text import diagnostics
from callagent_cli.errors import ExitCode
from callagent_cli.monitor.app import MonitorApp
from callagent_cli.monitor.ports import Leave, Options
from callagent_cli.worker.housekeeping import Housekeeping
from callagent_cli.worker.worker import Worker

_AFTERWARDS: Final[dict[Leave | None, str]] = {
    "stopped": "asked the worker to stop at once. Next: `callagent status`",
    "detached": "the run goes on. Next: `callagent status`, or `callagent tui` again",
    "drained": "the run has ended. Next: `callagent status`",
}
"""What is said to a person who left a screen that was attached to a worker elsewhere."""


def crash_reporter(folder: Path) -> Callable[[BaseException], str]:
    """Return what writes the redacted report of a failed screen, and names its place."""

    def report(error: BaseException) -> str:
        from callagent_cli.cli.text.crash import write_crash_report

        try:
            return f"`{write_crash_report(error, sys.argv[1:], folder)}`"
        except OSError as problem:
            return f"none could be written ({problem.strerror})"

    return report


async def shown(app: MonitorApp) -> Leave | None:
    """Show a screen to its end and return how the person left; none after its failure.

    Whatever breaks in it stays in it: `app.crash` says what it was.
    """
    showing = asyncio.create_task(app.run_async(), name="monitor")
    try:
        await asyncio.wait({showing})
    finally:
        showing.cancel()
    error = None if showing.cancelled() else showing.exception()
    if error is None:
        return None if showing.cancelled() else showing.result()
    app.crash = error
    report = app.options.report_crash
    where = "" if report is None else f" Report: {report(error)}"
    diagnostics.error(f"the screen failed; the run goes on.{where}")
    return None


async def shown_alone(app: MonitorApp) -> ExitCode:
    """Show a screen that has no worker beside it; signals take it off the terminal."""
    loop = asyncio.get_running_loop()
    ended_by: list[signal.Signals] = []

    def heed(number: signal.Signals) -> None:
        ended_by.append(number)
        app.exit("closed")

    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        loop.add_signal_handler(number, heed, number)
    left = await shown(app)
    if left in _AFTERWARDS:
        diagnostics.note(_AFTERWARDS[left])
    if ended_by:
        interrupted = ended_by[0] is signal.SIGINT
        return ExitCode.INTERRUPTED if interrupted else ExitCode.TERMINATED
    return ExitCode.INTERNAL if left is None else ExitCode.DONE


@asynccontextmanager
async def beside(
    follow: ScreenFollower,
    look: ScreenLook,
    worker: Worker,
    *,
    housekeeping: Housekeeping,
    session: "asyncio.Future[Any]",
    folder: Path,
) -> AsyncIterator[Callable[[], None]]:
    """Show the monitor beside a session; yields what takes it off the terminal.

    On the way out it waits until the terminal is as it was: at once after a failure of the run,
    and with `look.stays` when the person has seen how the run ended.
    """
    commands = WorkerCommands(worker, housekeeping, session, by=operator_name())
    options = Options(
        ascii_only=look.ascii_only or speaks_ascii_only(),
        light=look.light,
        show_numbers=look.show_numbers,
        close_when_done=not look.stays,
        report_crash=crash_reporter(folder),
    )
    app = MonitorApp(follow.state, commands, time.time, options)
    follow.on_screen = True

    async def show() -> None:
        try:
            await shown(app)
        finally:
            follow.on_screen = False

    screen = asyncio.create_task(show(), name="screen")

    def close() -> None:
        if not screen.done():
            app.exit("closed")

    leave = close
    try:
        yield close
        leave = _stay if look.stays else close
    finally:
        leave()
        await screen


def _stay() -> None:
    """Leave the screen to the person."""
