"""A key pressed while a worker hangs within a transaction holds up the screen for no time."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import cast

import pytest
from command_line import place_in

from callagent_cli.cli.screen.attach import StoreFeed
from callagent_cli.cli.screen.store_commands import PATIENCE_S, StoreCommands
from callagent_cli.errors import StoreError
from callagent_cli.monitor.state import ViewState
from callagent_cli.store.database import BUSY_TIMEOUT_S
from callagent_cli.store.sqlite_store import SqliteStore


def test_a_key_gives_up_soon_when_nobody_can_write(tmp_path: Path) -> None:
    """It says that the database is locked, long before another program would give up."""
    place = place_in(tmp_path)
    SqliteStore.open(place.database).close()
    feed = cast("StoreFeed", None)  # Asked only whether a command is possible.
    commands = StoreCommands(place, feed, ViewState(), by="ana")
    with closing(sqlite3.connect(place.database, isolation_level=None)) as hanging:
        hanging.execute("BEGIN IMMEDIATE")
        began_s = time.monotonic()
        with pytest.raises(StoreError, match="locked"):
            commands.pause()
        held_up_s = time.monotonic() - began_s

    assert held_up_s < PATIENCE_S + BUSY_TIMEOUT_S / 2
