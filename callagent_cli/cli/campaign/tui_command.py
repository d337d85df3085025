"""What `callagent tui` does: attach to the living worker, be one, or take a picture."""

import asyncio
import os
from dataclasses import dataclass, replace
from pathlib import Path

from callagent_cli.cli.alerts.watcher import Watcher
from callagent_cli.cli.contacts.input import campaign_name
from callagent_cli.cli.place.living_worker import living_worker
from callagent_cli.cli.place.workplace import Workplace, workplace
from callagent_cli.cli.screen.attach import StoreFeed
from callagent_cli.cli.screen.attached import attached_app
from callagent_cli.cli.screen.terminal import ScreenLook, require_terminal, speaks_ascii_only
from callagent_cli.errors import ExitCode, UsageError
from callagent_cli.monitor.app import MonitorApp
from callagent_cli.monitor.ports import Options

NO_TERMINAL = "use `callagent status --json`"


@dataclass(frozen=True, slots=True, kw_only=True)
class TuiOptions:
    """The command line of `tui`, as typed."""

    contacts: Path | None
    config: Path | None
    campaign: str
    light: bool
    ascii_only: bool
    screenshot: Path | None
    size: str


def show_tui(options: TuiOptions) -> int:
    """Show the screen and return the exit code; raises `CallAgentError`s."""
    place = workplace(options.config, os.environ)
    if options.screenshot is not None:
        return _picture(place, options, options.screenshot)
    require_terminal(os.environ, hint=NO_TERMINAL)
    worker = living_worker(place)
    if options.contacts is None:
        return asyncio.run(_attached(place, options))
    wanted = campaign_name(options.contacts, options.campaign)
    if worker is None:
        return _run_here(options, options.contacts)
    if worker.run != wanted:
        raise UsageError(
            f"a worker (pid {worker.pid}) works on campaign `{worker.run}`, not on `{wanted}`",
            hint="watch it with `callagent tui`",
        )
    return asyncio.run(_attached(place, options))


def _run_here(options: TuiOptions, contacts: Path) -> int:
    from callagent_cli.cli.run.command import RunOptions, run_campaign

    look = ScreenLook(ascii_only=options.ascii_only, light=options.light, stays=True)
    return run_campaign(
        RunOptions(contacts=contacts, config=options.config, campaign=options.campaign, look=look)
    )


async def _attached(place: Workplace, options: TuiOptions) -> int:
    from callagent_cli.cli.screen.beside import crash_reporter, shown_alone

    look = replace(_look(options), report_crash=crash_reporter(place.state_dir))
    app = attached_app(place, options.campaign, look, watcher=Watcher(place))
    try:
        return int(await shown_alone(app))
    finally:
        _close(app)


def _look(options: TuiOptions) -> Options:
    return Options(
        ascii_only=options.ascii_only or speaks_ascii_only(),
        light=options.light,
        next_command="callagent tui contacts.csv",
    )


def _picture(place: Workplace, options: TuiOptions, file: Path) -> int:
    from callagent_cli.cli.screen.picture import parse_size, require_kind, take_picture

    require_kind(file)
    size = parse_size(options.size)
    look = replace(_look(options), ascii_only=options.ascii_only, paint_every_s=None)
    app = attached_app(place, options.campaign, look)
    try:
        take_picture(app, file, size)
    finally:
        _close(app)
    return int(ExitCode.DONE)


def _close(app: MonitorApp) -> None:
    if isinstance(app.options.feed, StoreFeed):
        app.options.feed.close()
