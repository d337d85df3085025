"""The store on SQLite: one file, written by one worker and read by whoever wants to."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from callagent_cli.errors import StoreError
from callagent_cli.store.call_table import CallTable
from callagent_cli.store.database import Database, Hooks, connect, prepare
from callagent_cli.store.dial_table import DialTable
from callagent_cli.store.record_table import RecordTable
from callagent_cli.store.schema import checked_version, empty, make, migrate, require_current


class SqliteStore(CallTable, DialTable, RecordTable):
    """Implements `callagent_cli.store.port.Store`; its calls are synchronous and short.

    Writes of one turn of the loop are committed together (see `group_commit`); every method raises
    `StoreError` when the file cannot be used any more.
    """

    @classmethod
    def open(
        cls,
        path: Path | None,
        *,
        read_only: bool = False,
        hooks: Hooks | None = None,
        patience_s: float | None = None,
    ) -> "SqliteStore":
        """Open a database file, None for one in memory; it is made or migrated unless `read_only`.

        `patience_s` is how long a write waits for another process, some seconds when not given.

        Raises `DatabaseVersion` when a newer callagent wrote it, `DatabaseCorrupt` when it is no
        database, and `StoreError` when it cannot be opened.
        """
        if path is not None:
            path = path.absolute()  # The file stays the same wherever the process goes.
        connection = connect(path, read_only=read_only, patience_s=patience_s)
        try:
            database = _database(connection, path, read_only=read_only, hooks=hooks)
        except StoreError:
            connection.close()
            raise
        return cls(database)

    @property
    def hooks(self) -> Hooks:
        """What is called around a commit; may be replaced at any time."""
        return self._database.hooks

    @hooks.setter
    def hooks(self, hooks: Hooks) -> None:
        self._database.hooks = hooks

    @property
    def folder(self) -> Path | None:
        """Where the database is; None for one in memory."""
        path = self._database.path
        return None if path is None else path.parent

    async def durable(self) -> None:
        """Return once everything written so far is on disk; raises `StoreError` if it cannot be."""
        waiter = self._database.waiter()
        if waiter is not None:
            await waiter

    def mark(self) -> tuple[int, int]:
        """Return what differs once anything was written, by this process or another."""
        return self._database.mark()

    def flush(self) -> None:
        """Commit now, outside a turn of the loop (at start and end)."""
        self._database.commit()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Read everything as it is at this moment, whatever a worker writes meanwhile.

        Only for a store that was opened `read_only`.
        """
        self._database.read("BEGIN")
        try:
            yield
        finally:
            self._database.read("ROLLBACK")

    def close(self) -> None:
        """Commit and release the file."""
        self._database.close()

    def abandon(self) -> "SqliteStore":
        """Drop what is not committed, as a kill does; return the store to restart with.

        The database stays open, so that one in memory survives. This store is dead: its waiters
        are never woken and its writes raise `StoreError`. The one returned has no hooks.
        """
        return SqliteStore(self._database.abandon())

    def emptied(self) -> "SqliteStore":
        """Drop everything; return the store to begin anew with, on the same database in memory.

        This store is dead, as after `abandon`. What SQLite has prepared for one world serves the
        next one too, so that a world is begun in a tenth less time.
        """
        database = self._database.abandon()
        empty(database)
        return SqliteStore(database)


def _database(
    connection: sqlite3.Connection, path: Path | None, *, read_only: bool, hooks: Hooks | None
) -> Database:
    if read_only:
        require_current(connection, path)
        return Database(connection, path)
    checked_version(connection, path)  # Nothing is written to another program's database.
    prepare(connection, path)
    if path is None:
        make(connection)
    else:
        migrate(connection, path)
    from callagent_cli.store.group_commit import GroupCommit  # noqa: PLC0415 — brings asyncio, which `callagent status` must not wait for.

    return GroupCommit(connection, path, hooks)
