"""The twins' ledger on disk: an answer leaves only after what it reports has been written.

What rang a phone or wrote a record is synchronized to the disk (SQLite `synchronous=FULL`); plain
requests are committed without waiting for the disk (`NORMAL`), which survives a kill of the
process but not a power cut, and costs 7 µs instead of 360.
"""

import asyncio
import os
import sqlite3
from contextlib import suppress
from pathlib import Path

from callagent_cli.errors import StoreError
from callagent_cli.simulation.twins.ledger import Ledger, PlacedCall, ReceivedRequest
from callagent_cli.store.failures import file_error, store_error

_SCHEMA = """
CREATE TABLE IF NOT EXISTS requests (
    sequence INTEGER PRIMARY KEY, at REAL, service TEXT, target TEXT, method TEXT, route TEXT,
    status INTEGER, effect INTEGER, call_id TEXT, attempt_id TEXT, number TEXT, fault TEXT);
CREATE TABLE IF NOT EXISTS placed (
    sequence INTEGER PRIMARY KEY, conversation TEXT UNIQUE, number TEXT, call_id TEXT,
    attempt_id TEXT, at REAL);
CREATE TABLE IF NOT EXISTS documents (
    kind TEXT, key TEXT, body BLOB, PRIMARY KEY (kind, key));
"""
_ADD_REQUEST = "INSERT INTO requests VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"
_ADD_PLACED = (
    "INSERT INTO placed (conversation, number, call_id, attempt_id, at) VALUES (?,?,?,?,?)"
)
_KEEP = (
    "INSERT INTO documents (kind, key, body) VALUES (?,?,?) "
    "ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body"
)
_IS_COMPLETE = "SELECT 1 FROM sqlite_master WHERE name = 'documents'"
_BUSY_TIMEOUT_MS = 5000

_Row = tuple[object, ...]


class DurableLedger(Ledger):
    """The ledger in a SQLite file; one process writes it, any process may read it.

    Everything that is noted in one turn of the loop is committed together. Raises `StoreError`
    when the file cannot be used; what could not be written is tried again with the next commit.
    """

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file
        self._database = _opened(file)
        self._unwritten: list[tuple[str, _Row]] = []
        self._effects = False
        self._synchronous = ""
        self._committed: asyncio.Future[None] | None = None
        try:
            load(self._database, self)
        except sqlite3.Error as error:
            self._database.close()
            raise store_error(error, file) from error

    def record(self, request: ReceivedRequest) -> None:
        """Note a request; written with the next commit."""
        super().record(request)
        self._unwritten.append((_ADD_REQUEST, _request_row(request)))

    def place(self, call: PlacedCall) -> None:
        """Note a phone that rings; the next commit waits for the disk."""
        super().place(call)
        row = (call.conversation, call.number, call.call_id, call.attempt_id, call.at)
        self._unwritten.append((_ADD_PLACED, row))
        self._effects = True

    def keep(self, kind: str, key: str, document: bytes) -> None:
        """Insert or replace a document; the next commit waits for the disk."""
        super().keep(kind, key, document)
        self._unwritten.append((_KEEP, (kind, key, document)))
        self._effects = True

    async def durable(self) -> None:
        """Return once everything noted so far is written; waits for the end of this turn."""
        if not self._unwritten:
            return
        if self._committed is None:
            loop = asyncio.get_running_loop()
            self._committed = loop.create_future()
            loop.call_soon(self._commit_turn)
        await asyncio.shield(self._committed)

    def commit(self) -> None:
        """Write everything noted so far."""
        if not self._unwritten:
            return
        execute = self._database.execute
        try:
            self._synchronize("FULL" if self._effects else "NORMAL")
            execute("BEGIN IMMEDIATE")
            for statement, row in self._unwritten:
                execute(statement, row)
            execute("COMMIT")
        except sqlite3.Error as error:
            if self._database.in_transaction:
                with suppress(sqlite3.Error):  # A file that cannot be read has no way back.
                    execute("ROLLBACK")
            raise store_error(error, self._file) from error
        self._unwritten.clear()
        self._effects = False

    def close(self) -> None:
        """Write what is not written yet, and release the file."""
        try:
            self.commit()
        finally:
            self._database.close()

    def _commit_turn(self) -> None:
        committed, self._committed = self._committed, None
        try:
            self.commit()
        except StoreError as error:
            if committed is not None:
                committed.set_exception(error)
            return
        if committed is not None:
            committed.set_result(None)

    def _synchronize(self, level: str) -> None:
        if level != self._synchronous:
            self._database.execute(f"PRAGMA synchronous = {level}")
            self._synchronous = level


def _opened(file: Path) -> sqlite3.Connection:
    try:
        for folder in (file.parent.parent, file.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Numbers stand in it; SQLite gives its -wal and -shm files the same permissions.
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        database = sqlite3.connect(file, isolation_level=None)
    except OSError as error:
        raise file_error(error, file) from error
    except sqlite3.Error as error:
        raise store_error(error, file) from error
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
        database.executescript(_SCHEMA)
    except sqlite3.Error as error:
        database.close()
        raise store_error(error, file) from error
    return database


def _request_row(request: ReceivedRequest) -> _Row:
    return (
        request.sequence,
        request.at,
        request.service,
        request.target,
        request.method,
        request.route,
        request.status,
        request.effect,
        request.call_id,
        request.attempt_id,
        request.number,
        request.fault,
    )


def load(database: sqlite3.Connection, ledger: Ledger) -> None:
    """Fill a ledger's memory with what a database holds, all of one instant."""
    database.execute("BEGIN")
    for row in database.execute("SELECT * FROM requests ORDER BY sequence"):
        Ledger.record(ledger, _request(row))
    for conversation, number, call_id, attempt_id, at in database.execute(
        "SELECT conversation, number, call_id, attempt_id, at FROM placed ORDER BY sequence"
    ):
        placed = PlacedCall(
            conversation=conversation,
            number=number,
            call_id=call_id,
            attempt_id=attempt_id,
            at=at,
        )
        Ledger.place(ledger, placed)
    for kind, key, body in database.execute("SELECT kind, key, body FROM documents ORDER BY rowid"):
        Ledger.keep(ledger, kind, key, body)
    database.execute("COMMIT")


def _request(
    row: tuple[int, float, str, str, str, str, int, int, str, str, str, str],
) -> ReceivedRequest:
    return ReceivedRequest(
        sequence=row[0],
        at=row[1],
        service=row[2],
        target=row[3],
        method=row[4],
        route=row[5],
        status=row[6],
        effect=bool(row[7]),
        call_id=row[8],
        attempt_id=row[9],
        number=row[10],
        fault=row[11],
    )


def read_ledger_file(file: Path) -> Ledger:
    """Return a copy of a ledger's file as it is at this instant, while it is written or after.

    A file that does not exist is an empty ledger.
    """
    ledger = Ledger()
    if file.exists():
        database = sqlite3.connect(file, isolation_level=None)
        try:
            database.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
            database.execute("PRAGMA query_only = 1")
            if database.execute(_IS_COMPLETE).fetchone():
                load(database, ledger)
        finally:
            database.close()
    return ledger
