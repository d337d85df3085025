"""An open database file: its permissions, its pragmas, and reading from it."""

import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from callagent_cli.errors import StoreError
from callagent_cli.store.failures import file_error, is_there, name_of, store_error, vanished
from callagent_cli.store.text import cleaned_row

if TYPE_CHECKING:
    from asyncio import Future

Row = tuple[Any, ...]

BUSY_TIMEOUT_S: Final = 10.0
"""How long one process waits for another one's transaction, which lasts milliseconds."""

_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA cache_size=-4096",
    "PRAGMA wal_autocheckpoint=4000",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """What is called around a commit.

    `before_commit` and `after_commit` let a simulation kill the worker at both sides of a commit:
    what they raise goes through, and nothing after it is done. `on_failure` learns that a commit
    failed, once.
    """

    before_commit: Callable[[], None] | None = None
    after_commit: Callable[[], None] | None = None
    on_failure: Callable[[StoreError], None] | None = None


class Database:
    """A database that is only read; `GroupCommit` is the one that also writes.

    Each read raises `StoreError` when the file is damaged, locked, or no longer in its place.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path | None) -> None:
        self.path = path
        self.hooks = Hooks()
        self._connection = connection
        self._identity = None if path is None else _identity(path)

    def read(self, sql: str, parameters: Sequence[object] = ()) -> list[Any]:
        """Return all rows of a query."""
        self._check_present()
        return self._query(sql, parameters)

    def mark(self) -> tuple[int, int]:
        """Return what differs once anything was written, by this process or another."""
        return self._connection.total_changes, self.read("PRAGMA data_version")[0][0]

    def write(self, sql: str, parameters: Sequence[object] = ()) -> sqlite3.Cursor:  # noqa: ARG002 — the interface of `GroupCommit`.
        """Refuse: this database is open for reading only."""
        raise StoreError(f"{name_of(self.path)} is open for reading only")

    def write_many(self, sql: str, rows: Iterable[Row]) -> int:  # noqa: ARG002 — as `write`.
        """Refuse, as `write` does."""
        raise StoreError(f"{name_of(self.path)} is open for reading only")

    def waiter(self) -> "Future[None] | None":
        """Return what to await until all writes are on disk; None when they are."""
        return None

    def commit(self) -> None:
        """Commit what was written."""

    def abandon(self) -> "Database":
        """Drop what is not committed; return the database to go on with."""
        return self

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    def _query(self, sql: str, parameters: Sequence[object]) -> list[Any]:
        try:
            return self._connection.execute(sql, parameters).fetchall()
        except UnicodeEncodeError:
            return self._query(sql, cleaned_row(parameters))
        except sqlite3.Error as error:
            raise explained(error, self._connection, self.path) from error

    def _check_present(self) -> None:
        # An open file that was deleted still takes writes, and they are lost with the process.
        if self.path is not None and _identity(self.path) != self._identity:
            raise vanished(self.path)


class Table:
    """A part of the store: queries of one subject on a database that all parts share."""

    def __init__(self, database: Database) -> None:
        self._database = database


def connect(
    path: Path | None,
    *,
    read_only: bool = False,
    unchanging: bool = False,
    patience_s: float | None = None,
) -> sqlite3.Connection:
    """Open a database file, or one in memory; a missing file is created unless `read_only`.

    Of a file that is `unchanging`, only read and without a log beside it, nothing is locked and
    nothing is made beside it.
    `patience_s` is how long a write waits for another process, `BUSY_TIMEOUT_S` when not given.
    The file is created for its owner only (0600), its folder too (0700).
    """
    if path is None:
        return sqlite3.connect(":memory:", isolation_level=None)
    if not read_only:
        _create(path)
    elif not is_there(path):
        raise StoreError(
            f"{path} does not exist", hint="`callagent run` makes it from a contacts file"
        )
    mode = "ro" if read_only else "rw"
    uri = f"file:{quote(os.fsencode(path.absolute()))}?mode={mode}"
    if read_only and (unchanging or _is_unchanging(path)):
        uri += "&immutable=1"
    try:
        timeout_s = BUSY_TIMEOUT_S if patience_s is None else patience_s
        return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=timeout_s)
    except sqlite3.Error as error:
        raise store_error(error, path) from error


def prepare(connection: sqlite3.Connection, path: Path | None) -> None:
    """Set how a database is written; the journal mode stays with the file."""
    try:
        for pragma in _PRAGMAS:
            connection.execute(pragma).fetchall()
    except sqlite3.Error as error:
        raise explained(error, connection, path) from error


def explained(
    error: sqlite3.Error, connection: sqlite3.Connection, path: Path | None
) -> StoreError:
    """Translate an error; a file that SQLite calls damaged is checked, to say what is damaged."""
    finding = ""
    if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_CORRUPT:
        with suppress(sqlite3.Error):  # The check itself fails on a file that is damaged enough.
            finding = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    return store_error(error, path, finding="" if finding == "ok" else finding)


def _is_unchanging(path: Path) -> bool:
    """Tell whether a database lies on a read-only medium, and all of it in its one file.

    There SQLite cannot make the file that it shares with writers, and refuses to read without it.
    """
    with suppress(OSError):
        read_only = os.statvfs(path).f_flag & os.ST_RDONLY
        return bool(read_only) and not has_log(path)
    return False


def has_log(path: Path) -> bool:
    """Tell whether a part of a database is not in its one file yet, but in the log beside it."""
    log = path.with_name(f"{path.name}-wal")
    return log.exists() and log.stat().st_size > 0


def _create(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite gives its -wal and -shm files the permissions of the database file.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise file_error(error, path) from error


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116 — each commit does this; a third of Path.stat's cost.
    except OSError:
        return None
    return status.st_dev, status.st_ino
