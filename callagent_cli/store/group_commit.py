"""Group commit: everything written in one turn of the loop becomes durable in one commit.

A commit waits for the disk, so the lanes share it: the first write of a turn begins a transaction
and asks the loop for one callback, the callback commits, and everyone who awaits durability is
woken by it.
"""

import asyncio
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from callagent_cli.errors import StoreError
from callagent_cli.store.database import Database, Hooks, Row, explained
from callagent_cli.store.failures import name_of, refused
from callagent_cli.store.text import cleaned_row


class GroupCommit(Database):
    """A database that is written, one transaction a turn of the loop.

    Without a running loop the transaction stays open until `commit` or `close`. The first write or
    commit that fails ends it: everything since the last commit is rolled back, all who await
    durability and `hooks.on_failure` get the error, and each later write raises it again.
    """

    def __init__(
        self, connection: sqlite3.Connection, path: Path | None, hooks: Hooks | None = None
    ) -> None:
        super().__init__(connection, path)
        self.hooks = hooks or self.hooks
        self._open = False
        self._waiters: list[asyncio.Future[None]] = []
        self._callback: asyncio.Handle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._failure: StoreError | None = None
        self._untold = False
        self._abandoned = False

    def read(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Return all rows of a query; what this process wrote is seen at once."""
        return self._query(sql, parameters)

    def write(self, sql: str, parameters: Sequence[object] = ()) -> sqlite3.Cursor:
        """Execute one statement within the transaction of this turn."""
        if not self._open:
            self._begin()
        try:
            return self._connection.execute(sql, parameters)
        except UnicodeEncodeError:
            return self.write(sql, cleaned_row(parameters))
        except sqlite3.IntegrityError as error:
            raise refused(error, self.path) from error
        except sqlite3.Error as error:
            raise self._broken(error) from error

    def write_many(self, sql: str, rows: Iterable[Row]) -> int:
        """Execute one statement for each row, all or none of them; return the changed rows.

        Where nothing else is in the transaction, all of it is undone: a savepoint would have SQLite
        keep a copy of each page, which takes half as long again as the rows themselves.
        """
        alone = not self._open
        if alone:
            self._begin()
        else:
            self.write("SAVEPOINT many")
        changed: int | None = None
        try:
            changed = self._connection.executemany(sql, rows).rowcount
        except sqlite3.IntegrityError as error:
            raise refused(error, self.path) from error
        except sqlite3.Error as error:
            raise self._broken(error) from error
        finally:
            # The rows may come from a generator, which may raise anything.
            if self._failure is None:
                self._end_many(undo=changed is None, alone=alone)
        return max(changed, 0)

    def waiter(self) -> asyncio.Future[None] | None:
        """Return a future of the next commit; None when everything is on disk.

        Each caller gets a future of its own: one who is cancelled takes nobody along.
        """
        if self._failure is not None:
            raise self._same_failure()
        if not self._open:
            return None
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._schedule()  # The writes were made before this loop ran.
        future: asyncio.Future[None] = loop.create_future()
        self._waiters.append(future)
        return future

    def commit(self) -> None:
        """Commit what is open; raises `StoreError` when it cannot be."""
        if self._failure is not None:
            raise self._same_failure()
        failure = self._commit()
        if failure is not None:
            self._untold = False
            raise failure

    def close(self) -> None:
        """Commit and release the file; raises a failure only if nobody has learned of it."""
        if self._abandoned:
            return  # The successor owns the connection.
        failure = self._commit() if self._failure is None else None
        self._unschedule()
        self._connection.close()
        if failure is None and self._untold:
            failure = self._failure
        if failure is not None:
            raise failure

    def abandon(self) -> "GroupCommit":
        """Drop what is not committed, as a kill does; return the successor on the same database.

        This one is dead: its waiters are never woken and its writes raise, so whatever still runs
        of the killed worker cannot touch what its successor does. The successor has no hooks.
        """
        self._unschedule()
        self._waiters = []
        self._open = False
        self._roll_back()
        self._abandoned = True
        self._failure = StoreError(
            f"{name_of(self.path)} was abandoned", hint="use the store that abandon() returned"
        )
        return GroupCommit(self._connection, self.path)

    def _begin(self) -> None:
        if self._failure is not None:
            raise self._same_failure()
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise self._broken(error) from error
        self._open = True
        try:  # noqa: SIM105 — a `suppress` costs as much as an update, and this is done each turn.
            self._schedule()
        except RuntimeError:
            pass  # No loop runs: `commit` or `close` will be called.

    def _schedule(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._callback = self._loop.call_soon(self._commit)

    def _unschedule(self) -> None:
        if self._callback is not None:
            self._callback.cancel()
            self._callback = None
        self._loop = None

    def _commit(self) -> StoreError | None:
        if not self._open:
            return None
        hooks = self.hooks
        if hooks.before_commit is not None:
            hooks.before_commit()
        try:
            self._check_present()
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            return self._fail(explained(error, self._connection, self.path))
        except StoreError as failure:
            return self._fail(failure)
        self._open = False
        self._unschedule()
        if hooks.after_commit is not None:
            hooks.after_commit()
        for future in self._taken_waiters():
            future.set_result(None)
        return None

    def _broken(self, error: sqlite3.Error) -> StoreError:
        failure = self._fail(explained(error, self._connection, self.path))
        self._untold = False  # The caller raises it.
        return failure

    def _fail(self, failure: StoreError) -> StoreError:
        self._failure = failure
        self._open = False
        self._unschedule()
        self._roll_back()
        waiters = self._taken_waiters()
        for future in waiters:
            future.set_exception(failure)
        self._untold = not waiters and self.hooks.on_failure is None
        if self.hooks.on_failure is not None:
            self.hooks.on_failure(failure)
        return failure

    def _same_failure(self) -> StoreError:
        self._untold = False
        assert self._failure is not None  # noqa: S101 — the callers looked.
        return self._failure.with_traceback(None)

    def _taken_waiters(self) -> list[asyncio.Future[None]]:
        waiters, self._waiters = self._waiters, []
        return [each for each in waiters if not each.done() and not each.get_loop().is_closed()]

    def _roll_back(self) -> None:
        # After some errors, a full disk among them, SQLite has rolled back by itself.
        if self._connection.in_transaction:
            with suppress(sqlite3.Error):  # A file that cannot be read cannot be rolled back.
                self._connection.execute("ROLLBACK")

    def _end_many(self, *, undo: bool, alone: bool) -> None:
        if alone:
            if undo:
                self._open = False
                self._unschedule()
                self._roll_back()
            return
        if undo:
            self.write("ROLLBACK TO many")
        self.write("RELEASE many")
