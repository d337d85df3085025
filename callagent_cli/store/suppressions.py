"""Who must never be called again: one small database beside those of the campaigns.

Sandbox and live, and every campaign, ask the same list. Nothing is ever taken off it but what one
campaign's file said about its own people, and what a person takes off: that is kept with who did it
and why.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from callagent_cli.errors import StoreError
from callagent_cli.store.database import Database, Row, connect, explained
from callagent_cli.store.failures import name_of
from callagent_cli.store.text import cleaned_row

SUPPRESSIONS_FILE: Final = "suppressions.db"
EVERYWHERE: Final = ""
"""The scope of a suppression that holds in every mode and campaign."""

SANDBOX: Final = "mode:sandbox"
"""The scope of what a pretended person said: a real person never said it."""

_APPLICATION_ID: Final = 0x4341534C
_MIGRATIONS: Final = (
    (
        """
        CREATE TABLE suppressions (
            number TEXT NOT NULL,
            scope TEXT NOT NULL,
            reason TEXT NOT NULL,
            added_utc_s REAL NOT NULL,
            PRIMARY KEY (number, scope)
        ) WITHOUT ROWID
        """,
    ),
    (
        "ALTER TABLE suppressions ADD COLUMN heard INTEGER NOT NULL DEFAULT 0",
        "UPDATE suppressions SET heard = 1 WHERE reason LIKE 'opted out on a call%'",
        """
        CREATE TABLE removals (
            seq INTEGER PRIMARY KEY,
            number TEXT NOT NULL,
            scope TEXT NOT NULL,
            reason TEXT NOT NULL,
            added_utc_s REAL NOT NULL,
            heard INTEGER NOT NULL,
            removed_utc_s REAL NOT NULL,
            removed_by TEXT NOT NULL,
            why TEXT NOT NULL
        )
        """,
    ),
)
"""The statements that make each version out of the one before."""

_PRAGMAS: Final = ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL")
_COLUMNS: Final = "number, scope, reason, added_utc_s, heard"
_ADD: Final = (
    f"INSERT INTO suppressions ({_COLUMNS}) VALUES (?, ?, ?, ?, ?) "  # noqa: S608 — a constant.
    # Whoever says so besides is one who said so.
    "ON CONFLICT DO UPDATE SET heard = 1 WHERE excluded.heard > heard"
)
_KEEP: Final = """
    INSERT INTO removals (
        number, scope, reason, added_utc_s, heard, removed_utc_s, removed_by, why
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_DROP: Final = "DELETE FROM suppressions WHERE number = ? AND scope = ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """A number that is not called, in E.164 and with whatever extension; `reason` says why.

    `scope` is `EVERYWHERE`, `SANDBOX`, or what `campaign_scope` returns. `heard` says that the
    person asked for it on a call.
    """

    number: str
    reason: str
    added_utc_s: float
    scope: str = EVERYWHERE
    heard: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """A suppression that a person took off the list, by mistake on it: `why` is what they said."""

    suppression: Suppression
    removed_utc_s: float
    removed_by: str
    why: str


def campaign_scope(campaign: str) -> str:
    """Return the scope of what the file of one campaign says about its own people."""
    return f"campaign:{campaign}"


class SuppressionList:
    """The list on disk; each change is durable when its method returns.

    `scopes` are those that hold here besides `EVERYWHERE`. Every method raises `StoreError` when
    the list cannot be read, and then nobody may be called.
    """

    def __init__(self, database: Database, connection: sqlite3.Connection) -> None:
        self._database = database
        self._connection = connection
        self.scopes: tuple[str, ...] = (EVERYWHERE,)

    @classmethod
    def open(cls, path: Path) -> "SuppressionList":
        """Open the list, or begin one, readable by its owner only; raises `StoreError`."""
        path = path.absolute()
        connection = connect(path)
        try:
            _prepare(connection, path)
        except StoreError:
            connection.close()
            raise
        except sqlite3.Error as error:
            translated = explained(error, connection, path)
            connection.close()
            raise translated from error
        return cls(Database(connection, path), connection)

    def close(self) -> None:
        """Release the file."""
        self._database.close()

    def reason(self, *numbers: str) -> str:
        """Return why one of these numbers must not be called, empty when they may be."""
        for number in filter(None, numbers):
            for scope in self.scopes:
                found = self._database.read(
                    "SELECT reason FROM suppressions WHERE number = ? AND scope = ?",
                    (number, scope),
                )
                if found:
                    return str(found[0][0])
        return ""

    def numbers(self) -> Iterator[str]:
        """Yield the numbers that must not be called here, each at least once."""
        for scope in self.scopes:
            query = "SELECT number FROM suppressions WHERE scope = ?"
            for (number,) in self._database.read(query, (scope,)):
                yield number

    def entries(self) -> list[Suppression]:
        """Return the whole list, the oldest first."""
        rows = self._database.read(
            f"SELECT {_COLUMNS} FROM suppressions "  # noqa: S608 — a constant.
            "ORDER BY added_utc_s, number, scope"
        )
        return [_suppression(row) for row in rows]

    def entries_of(self, number: str) -> list[Suppression]:
        """Return everything on the list about a number, whatever its scope."""
        query = f"SELECT {_COLUMNS} FROM suppressions WHERE number = ? ORDER BY scope"  # noqa: S608 — a constant.
        return [_suppression(row) for row in self._database.read(query, (number,))]

    def removals(self) -> list[Removal]:
        """Return everything that was taken off the list, in its order."""
        rows = self._database.read(
            f"SELECT {_COLUMNS}, removed_utc_s, removed_by, why FROM removals ORDER BY seq"  # noqa: S608 — a constant.
        )
        return [
            Removal(
                suppression=_suppression(row), removed_utc_s=row[5], removed_by=row[6], why=row[7]
            )
            for row in rows
        ]

    def count(self) -> int:
        """Return how many suppressions ever held everywhere; the count never falls."""
        query = "SELECT count(*) FROM suppressions WHERE scope = ?"
        removed = "SELECT count(*) FROM removals WHERE scope = ?"
        counts = (self._database.read(each, (EVERYWHERE,))[0][0] for each in (query, removed))
        return sum(map(int, counts))

    def add(self, suppressions: Iterable[Suppression]) -> int:
        """Put people on the list, all or none; return how many were not on it."""
        return self._change(None, suppressions)

    def replace(self, scope: str, suppressions: Iterable[Suppression]) -> int:
        """Put these in the place of everything in a campaign's scope; return how many there are."""
        if scope == EVERYWHERE:
            raise ValueError("what holds everywhere is never taken off the list")
        return self._change(scope, suppressions)

    def remove(self, removals: Iterable[Removal]) -> int:
        """Take people off the list, all or none, and keep that; return how many were on it."""
        dropped = 0
        rows = [(each, cleaned_row(_kept(each))) for each in removals]
        with self._transaction() as connection:
            for each, row in rows:
                key = (each.suppression.number, each.suppression.scope)
                if connection.execute(_DROP, key).rowcount:
                    connection.execute(_KEEP, row)
                    dropped += 1
        return dropped

    def _change(self, replaced: str | None, suppressions: Iterable[Suppression]) -> int:
        with self._transaction() as connection:
            if replaced is not None:
                connection.execute("DELETE FROM suppressions WHERE scope = ?", (replaced,))
            before = connection.execute("SELECT count(*) FROM suppressions").fetchone()[0]
            connection.executemany(_ADD, (cleaned_row(_row(each)) for each in suppressions))
            after = connection.execute("SELECT count(*) FROM suppressions").fetchone()[0]
        return int(after - before)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._database.read("SELECT 1")  # A file that was deleted meanwhile would lose the change.
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise explained(error, connection, self._database.path) from error
        finally:
            # Also when the source of a change fails, or the process is interrupted.
            if connection.in_transaction:
                connection.execute("ROLLBACK")


def _row(suppression: Suppression) -> tuple[object, ...]:
    """Return a suppression in the order of the columns."""
    each = suppression
    return each.number, each.scope, each.reason, each.added_utc_s, int(each.heard)


def _kept(removal: Removal) -> tuple[object, ...]:
    return *_row(removal.suppression), removal.removed_utc_s, removal.removed_by, removal.why


def _suppression(row: Row) -> Suppression:
    number, scope, reason, added_utc_s, heard = row[:5]
    return Suppression(
        number=number, reason=reason, added_utc_s=added_utc_s, scope=scope, heard=bool(heard)
    )


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    owner = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if tables and (owner != _APPLICATION_ID or not 1 <= version <= len(_MIGRATIONS)):
        raise StoreError(
            f"{name_of(path)} is no suppression list of this version",
            hint="put the list back, or update callagent; without it nobody is called",
        )
    for pragma in _PRAGMAS:
        connection.execute(pragma).fetchall()
    if tables:
        connection.execute("SELECT number, scope, reason, added_utc_s FROM suppressions LIMIT 1")
    if version == len(_MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    # Another process may have made or migrated it while this one waited.
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    for statements in _MIGRATIONS[version:]:
        for statement in statements:
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")
    connection.execute("COMMIT")
