"""Runs the monitor without a terminal, at one instant, and reads its screen as text."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path
from typing import Any

from monitor_doubles import RecordingCommands
from monitor_scenes import NOW, SCENES
from screens import latest_toast, press, screen_text
from textual.pilot import Pilot

from callagent_cli.monitor.app import MonitorApp
from callagent_cli.monitor.ports import Options
from callagent_cli.monitor.state import ViewState

GOLDEN = Path(__file__).parent / "golden"
STANDARD = (80, 24)
QUIET = Options(zone=UTC, paint_every_s=None)
"""Paints only when asked to, and shows times in UTC."""


class Stage:
    """A monitor under test and the hands on its keys."""

    def __init__(self, app: MonitorApp, pilot: Pilot[Any], commands: RecordingCommands) -> None:
        self.app, self.pilot, self.commands = app, pilot, commands

    async def press(self, *keys: str) -> None:
        """Press keys one after the other, and let each take effect."""
        await press(self.pilot, *keys)

    async def paint(self) -> None:
        """Paint now."""
        self.app.paint()
        await self.pilot.pause()

    def text(self) -> str:
        """Return the screen as text."""
        return screen_text(self.app)

    def said(self) -> str:
        """Return what the latest toast says."""
        return latest_toast(self.app)


@asynccontextmanager
async def stage(
    state: ViewState | str = "incident",
    size: tuple[int, int] = STANDARD,
    options: Options = QUIET,
) -> AsyncIterator[Stage]:
    """Open the monitor on a scene or a state; it paints only when asked to."""
    commands = RecordingCommands()
    view = SCENES[state]() if isinstance(state, str) else state
    app = MonitorApp(view, commands, lambda: NOW, options)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield Stage(app, pilot, commands)


def play(
    act: Callable[[Stage], Awaitable[None]],
    state: ViewState | str = "incident",
    size: tuple[int, int] = STANDARD,
    options: Options = QUIET,
) -> None:
    """Run one act on a stage of its own."""

    async def run() -> None:
        async with stage(state, size, options) as ready:
            await act(ready)

    asyncio.run(run())


def compare_golden(name: str, shown: str) -> None:
    """Compare a text with the recorded one; with `UPDATE_GOLDEN=1` it is recorded first."""
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(shown, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == shown
