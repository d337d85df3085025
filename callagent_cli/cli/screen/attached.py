"""The screen of a worker in another process: what the store and the journal tell of it."""

import time
from dataclasses import replace

from callagent_cli.cli.alerts.watcher import Watcher
from callagent_cli.cli.place.operator import operator_name
from callagent_cli.cli.place.service_names import service_names
from callagent_cli.cli.place.workplace import Workplace
from callagent_cli.cli.screen.attach import StoreFeed
from callagent_cli.cli.screen.store_commands import StoreCommands
from callagent_cli.monitor.app import MonitorApp
from callagent_cli.monitor.ports import Options
from callagent_cli.monitor.state import ViewState


def attached_app(
    place: Workplace, campaign: str, options: Options, *, watcher: Watcher | None = None
) -> MonitorApp:
    """Return a screen of what the store and the journal tell; its feed is a `StoreFeed`.

    With a `watcher` a worker that is lost is told of.
    """
    state = ViewState(service_names(place.settings))
    state.mode = place.settings.mode
    feed = StoreFeed(place, campaign, watcher=watcher)
    commands = StoreCommands(place, feed, state, by=operator_name())
    return MonitorApp(state, commands, time.time, replace(options, feed=feed))
