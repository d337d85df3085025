"""The tables, and how an older database becomes the present one."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Final

from callagent_cli.errors import DatabaseVersion, StoreError
from callagent_cli.store.database import Database, explained
from callagent_cli.store.failures import name_of

APPLICATION_ID: Final = 0x43414C4C
"""Marks a SQLite file as callagent's own (`CALL` in ASCII)."""

_VERSION_1: Final = """
CREATE TABLE campaigns (
    name TEXT PRIMARY KEY NOT NULL,
    source TEXT NOT NULL,
    source_sha256 TEXT NOT NULL,
    created_utc_s REAL NOT NULL
) WITHOUT ROWID;

CREATE TABLE calls (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    campaign TEXT NOT NULL REFERENCES campaigns (name),
    line INTEGER NOT NULL,
    number TEXT NOT NULL,
    extension TEXT NOT NULL,
    name TEXT NOT NULL,
    timezone TEXT NOT NULL,
    crm_id TEXT NOT NULL,
    alternate TEXT NOT NULL,
    variables TEXT NOT NULL,
    state TEXT NOT NULL,
    shelf INTEGER NOT NULL,
    step TEXT NOT NULL,
    reason TEXT NOT NULL,
    waits_for TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    due_utc_s REAL,
    parked_utc_s REAL,
    dials INTEGER NOT NULL,
    conversation TEXT NOT NULL,
    result TEXT NOT NULL,
    failed_by TEXT NOT NULL,
    incident TEXT NOT NULL,
    results TEXT NOT NULL,
    reconciling_since_utc_s REAL,
    reconciling_closed_s REAL NOT NULL,
    look_ups INTEGER NOT NULL,
    updated_utc_s REAL NOT NULL,
    UNIQUE (campaign, number, extension)
);

-- A shelf is a group of states that are looked for alike (see `rows`): 0 pending, 1 waiting,
-- 2 active or settled other than done, 3 done. An index of one shelf is not written when a call
-- moves among the others.
CREATE INDEX calls_pending ON calls (campaign, waits_for, step, line, seq, due_utc_s)
WHERE shelf = 0;

CREATE INDEX calls_parked
ON calls (campaign, waits_for, step, ifnull(parked_utc_s, 0.0), line, seq, due_utc_s)
WHERE shelf = 1 AND state = 'parked';

CREATE INDEX calls_timed
ON calls (campaign, state, waits_for, step, ifnull(due_utc_s, 0.0), line)
WHERE shelf = 1;

CREATE INDEX calls_due ON calls (campaign, due_utc_s) WHERE shelf <= 1 AND due_utc_s IS NOT NULL;

CREATE INDEX calls_waiting ON calls (campaign, state, waits_for, reason, due_utc_s)
WHERE shelf = 1;

CREATE INDEX calls_by_state ON calls (campaign, state, line) WHERE shelf = 2;

-- How many calls there are of a kind, kept by the triggers below because counting a million rows
-- takes longer than a screen may wait. Service and reason are told apart while a call waits.
CREATE TABLE tallies (
    campaign TEXT NOT NULL,
    state TEXT NOT NULL,
    waits_for TEXT NOT NULL,
    reason TEXT NOT NULL,
    result TEXT NOT NULL,
    calls INTEGER NOT NULL,
    PRIMARY KEY (campaign, state, waits_for, reason, result)
) WITHOUT ROWID;

CREATE TRIGGER calls_added AFTER INSERT ON calls BEGIN
    INSERT INTO tallies VALUES (
        new.campaign, new.state, iif(new.shelf = 1, new.waits_for, ''),
        iif(new.shelf = 1, new.reason, ''), new.result, 1
    ) ON CONFLICT DO UPDATE SET calls = calls + 1;
END;

CREATE TRIGGER calls_moved AFTER UPDATE OF state, waits_for, reason, result ON calls
WHEN old.state <> new.state OR old.result <> new.result
OR (new.shelf = 1 AND (old.waits_for <> new.waits_for OR old.reason <> new.reason))
BEGIN
    UPDATE tallies SET calls = calls - 1
    WHERE campaign = old.campaign AND state = old.state
    AND waits_for = iif(old.shelf = 1, old.waits_for, '')
    AND reason = iif(old.shelf = 1, old.reason, '') AND result = old.result;
    DELETE FROM tallies
    WHERE old.shelf = 1 AND campaign = old.campaign AND state = old.state
    AND waits_for = old.waits_for AND reason = old.reason AND result = old.result AND calls = 0;
    INSERT INTO tallies VALUES (
        new.campaign, new.state, iif(new.shelf = 1, new.waits_for, ''),
        iif(new.shelf = 1, new.reason, ''), new.result, 1
    ) ON CONFLICT DO UPDATE SET calls = calls + 1;
END;

CREATE TRIGGER calls_removed AFTER DELETE ON calls BEGIN
    UPDATE tallies SET calls = calls - 1
    WHERE campaign = old.campaign AND state = old.state
    AND waits_for = iif(old.shelf = 1, old.waits_for, '')
    AND reason = iif(old.shelf = 1, old.reason, '') AND result = old.result;
END;

-- Kept in the order of the calls, so that lanes that work neighboring calls write the same pages.
CREATE TABLE dials (
    call_seq INTEGER NOT NULL REFERENCES calls (seq),
    id TEXT NOT NULL,
    place INTEGER NOT NULL,
    number TEXT NOT NULL,
    status TEXT NOT NULL,
    intended_utc_s REAL NOT NULL,
    ended_utc_s REAL,
    conversation TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (call_seq, id)
) WITHOUT ROWID;

CREATE INDEX dials_open ON dials (call_seq) WHERE status IN ('intent', 'unproven', 'unknown');

CREATE TABLE documents (
    seq INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    body BLOB NOT NULL,
    open INTEGER NOT NULL,
    UNIQUE (kind, key)
);

CREATE INDEX documents_by_kind ON documents (kind);

CREATE INDEX documents_open ON documents (kind) WHERE open = 1;

CREATE TABLE commands (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    argument TEXT NOT NULL,
    by TEXT NOT NULL,
    asked_utc_s REAL NOT NULL,
    taken INTEGER NOT NULL DEFAULT 0
);

CREATE INDEX commands_waiting ON commands (id) WHERE taken = 0;

CREATE TABLE runs (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    campaign TEXT NOT NULL,
    mode TEXT NOT NULL,
    pid INTEGER NOT NULL,
    host TEXT NOT NULL,
    lanes INTEGER NOT NULL,
    started_utc_s REAL NOT NULL,
    heartbeat_utc_s REAL NOT NULL,
    ended_utc_s REAL,
    exit_code INTEGER,
    verdict TEXT NOT NULL
);

CREATE INDEX runs_by_start ON runs (started_utc_s);
"""

MIGRATIONS: Final = (_VERSION_1,)
"""The script that makes each version out of the one before; version 1 starts from nothing."""


def migrate(
    connection: sqlite3.Connection, path: Path | None, migrations: tuple[str, ...] = MIGRATIONS
) -> None:
    """Bring the database to the last version, in one transaction.

    Raises `DatabaseVersion` when it is newer than this program.
    """
    if checked_version(connection, path, migrations) == len(migrations):
        return
    try:
        connection.execute("BEGIN IMMEDIATE")
        # Another process may have migrated it while this one waited for the lock.
        version = checked_version(connection, path, migrations)
        for script in migrations[version:]:
            for statement in _statements(script):
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        translated = explained(error, connection, path)
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise translated from error


def make(connection: sqlite3.Connection) -> None:
    """Give an empty database in memory its tables, copied from one made before: ten times faster.

    A simulation opens one for each of its worlds.
    """
    if not hasattr(connection, "deserialize"):  # SQLite may be built without.
        migrate(connection, None)
        return
    with closing(sqlite3.connect(":memory:")) as made:
        made.deserialize(_made())
        made.backup(connection)


@cache
def _made() -> bytes:
    """Return an empty database of the present version, as a file would hold it."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, None)
        return connection.serialize()


def empty(database: Database) -> None:
    """Delete all rows of a database in memory, and begin to count them afresh."""
    for table in _tables():
        database.write(f"DELETE FROM {table}")  # noqa: S608 — a name out of the schema.
    database.commit()


@cache
def _tables() -> list[str]:
    """Return the names of the tables, those first whose rows belong to rows of others."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, None)
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return [name for (name,) in reversed(found)]


def require_current(connection: sqlite3.Connection, path: Path | None) -> None:
    """Raise `DatabaseVersion` unless the database can be read as it is."""
    version = checked_version(connection, path)
    if version < len(MIGRATIONS):
        raise DatabaseVersion(
            f"{name_of(path)} has version {version} and this callagent reads {len(MIGRATIONS)}",
            hint="`callagent run` brings it up to date",
        )


def checked_version(
    connection: sqlite3.Connection, path: Path | None, migrations: tuple[str, ...] = MIGRATIONS
) -> int:
    """Return the database's version, 0 when it is empty.

    Raises `DatabaseVersion` when it is newer, `StoreError` when another program wrote it.
    """
    try:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        owner = int(connection.execute("PRAGMA application_id").fetchone()[0])
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    except sqlite3.Error as error:
        raise explained(error, connection, path) from error
    if tables and owner != APPLICATION_ID:
        raise StoreError(
            f"{name_of(path)} is a database of another program",
            hint="give callagent a folder of its own",
        )
    if version > len(migrations):
        raise DatabaseVersion(
            f"{name_of(path)} has version {version} and this callagent knows {len(migrations)}",
            hint="update callagent, or use the version that wrote it",
        )
    return version


def _statements(script: str) -> Iterator[str]:
    # `executescript` would commit the transaction that makes a migration all or nothing.
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
