"""Who must never be called again: one small database beside those of the campaigns.

Sandbox and live, and every campaign, ask the same list, and nothing is ever taken off it but what
one campaign's file said about its own people.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from callagent_cli.errors import StoreError
from callagent_cli.store.database import Database, connect, explained
from callagent_cli.store.failures import name_of
from callagent_cli.store.text import cleaned_row

SUPPRESSIONS_FILE: Final = "suppressions.db"
EVERYWHERE: Final = ""
"""The scope of a suppression that holds in every mode and campaign."""

SANDBOX: Final = "mode:sandbox"
"""The scope of what a pretended person said: a real person never said it."""

_APPLICATION_ID: Final = 0x4341534C
_VERSION: Final = 1
_TABLE: Final = """
CREATE TABLE suppressions (
    number TEXT NOT NULL,
    scope TEXT NOT NULL,
    reason TEXT NOT NULL,
    added_utc_s REAL NOT NULL,
    PRIMARY KEY (number, scope)
) WITHOUT ROWID
"""
_PRAGMAS: Final = ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL")
_ADD: Final = "INSERT INTO suppressions VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """A number that is not called, in E.164 and with whatever extension; `reason` says why.

    `scope` is `EVERYWHERE`, `SANDBOX`, or what `campaign_scope` returns.
    """

    number: str
    reason: str
    added_utc_s: float
    scope: str = EVERYWHERE


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
            "SELECT number, reason, added_utc_s, scope FROM suppressions "
            "ORDER BY added_utc_s, number, scope"
        )
        return [
            Suppression(number=number, reason=reason, added_utc_s=added_utc_s, scope=scope)
            for number, reason, added_utc_s, scope in rows
        ]

    def count(self) -> int:
        """Return how many suppressions hold everywhere; the count never falls."""
        query = "SELECT count(*) FROM suppressions WHERE scope = ?"
        return int(self._database.read(query, (EVERYWHERE,))[0][0])

    def add(self, suppressions: Iterable[Suppression]) -> int:
        """Put people on the list, all or none; return how many were not on it."""
        return self._change(None, suppressions)

    def replace(self, scope: str, suppressions: Iterable[Suppression]) -> int:
        """Put these in the place of everything in a campaign's scope; return how many there are."""
        if scope == EVERYWHERE:
            raise ValueError("what holds everywhere is never taken off the list")
        return self._change(scope, suppressions)

    def _change(self, replaced: str | None, suppressions: Iterable[Suppression]) -> int:
        self._database.read("SELECT 1")  # A file that was deleted meanwhile would lose the change.
        # Read to its end first: a source that fails must not leave half of it behind.
        rows = [
            cleaned_row((each.number, each.scope, each.reason, each.added_utc_s))
            for each in suppressions
        ]
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            if replaced is not None:
                connection.execute("DELETE FROM suppressions WHERE scope = ?", (replaced,))
            added = connection.executemany(_ADD, rows).rowcount
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            translated = explained(error, connection, self._database.path)
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise translated from error
        return max(0, added)


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    owner = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if tables and (owner, version) != (_APPLICATION_ID, _VERSION):
        raise StoreError(
            f"{name_of(path)} is no suppression list of this version",
            hint="put the list back, or update callagent; without it nobody is called",
        )
    for pragma in _PRAGMAS:
        connection.execute(pragma).fetchall()
    if tables:
        connection.execute("SELECT number, scope, reason, added_utc_s FROM suppressions LIMIT 1")
        return
    connection.execute("BEGIN IMMEDIATE")
    if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        connection.execute(_TABLE)
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {_VERSION}")
    connection.execute("COMMIT")
