"""The file: permissions, damage, other versions, other programs, readers beside a worker."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from store_builders import ROOT, a_call, filled

from callagent_cli.calls.model import CallState
from callagent_cli.errors import (
    CallAgentError,
    DatabaseCorrupt,
    DatabaseVersion,
    StorageFull,
    StoreError,
)
from callagent_cli.store import failures
from callagent_cli.store.port import Store
from callagent_cli.store.schema import APPLICATION_ID, MIGRATIONS, migrate
from callagent_cli.store.sqlite_store import SqliteStore


def mode(path: Path) -> int:
    """Return a file's permissions."""
    return path.stat().st_mode & 0o777


def test_only_the_owner_can_read_the_database(database: Path) -> None:
    """The folder is 0700 and each file 0600: contacts are personal data."""
    with closing(filled(SqliteStore.open(database))):
        modes = {path.name: mode(path) for path in database.parent.iterdir()}

    assert mode(database.parent) == 0o700
    assert modes == {
        "callagent.db": 0o600,
        "callagent.db-wal": 0o600,
        "callagent.db-shm": 0o600,
    }


def test_commits_wait_for_the_disk(database: Path) -> None:
    """The journal is a write-ahead log, synced at each commit, and references are checked."""
    with closing(SqliteStore.open(database)) as store:
        pragmas = [
            store._database.read(f"PRAGMA {name}")[0][0]
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]

    assert pragmas == ["wal", 2, 1]


def test_a_reader_sees_each_commit_while_the_worker_writes(database: Path) -> None:
    """Reading neither waits for the writer nor stops it."""
    with (
        closing(filled(SqliteStore.open(database), a_call(1), a_call(2))) as worker,
        closing(SqliteStore.open(database, read_only=True)) as reader,
    ):
        seen = []
        for line in (1, 2):
            worker.save_call(a_call(line, state=CallState.DONE))
            seen.append(reader.totals("spring").get(CallState.DONE, 0))
            worker.flush()
            seen.append(reader.totals("spring").get(CallState.DONE, 0))

    assert seen == [0, 1, 1, 2]


def test_a_command_of_another_process_reaches_the_worker(database: Path) -> None:
    """`callagent pause` writes beside the worker; neither is in the other's way."""
    with (
        closing(filled(SqliteStore.open(database), a_call())) as worker,
        closing(SqliteStore.open(database)) as command_line,
    ):
        command_line.add_command("pause", "", "ann", 1.0)
        command_line.flush()
        taken = worker.take_commands()

    assert [command.name for command in taken] == ["pause"]


def test_a_reader_cannot_write(database: Path) -> None:
    """A read-only store refuses each write, and has nothing to commit."""
    filled(SqliteStore.open(database), a_call()).close()

    with closing(SqliteStore.open(database, read_only=True)) as reader:
        with pytest.raises(StoreError, match="reading only"):
            reader.save_call(a_call())
        with pytest.raises(StoreError, match="reading only"):
            reader.add_calls([a_call(2)])
        reader.flush()
        with pytest.raises(StopIteration):
            reader.durable().send(None)
        assert reader.abandon().totals("spring") == {CallState.PENDING: 1}


def test_a_missing_database_is_not_made_by_a_reader(database: Path) -> None:
    """`status` before the first run says so."""
    with pytest.raises(StoreError, match="does not exist") as error:
        SqliteStore.open(database, read_only=True)

    assert "callagent run" in error.value.hint
    assert not database.parent.exists()


def test_a_vanished_file_is_an_error_for_reader_and_worker(database: Path) -> None:
    """A file that is deleted or replaced while open is noticed, not written into the void."""
    worker = filled(SqliteStore.open(database), a_call())
    reader = SqliteStore.open(database, read_only=True)
    database.rename(database.with_name("moved.db"))
    database.touch()

    with pytest.raises(StoreError, match="deleted or replaced"):
        reader.totals("spring")
    worker.save_call(a_call(state=CallState.ACTIVE))
    with pytest.raises(StoreError, match="deleted or replaced"):
        worker.flush()
    reader.close()
    worker.close()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A file where the folder should be gives the path and what to check."""
    (tmp_path / "taken").touch()

    with pytest.raises(StoreError, match="taken") as error:
        SqliteStore.open(tmp_path / "taken" / "callagent.db")

    assert error.value.hint


def test_a_file_that_is_no_database_is_named(database: Path) -> None:
    """Any other file is refused by name, with what to do, and left as it is."""
    database.parent.mkdir()
    database.write_bytes(b"name,number\n" * 500)

    for read_only in (False, True):
        with pytest.raises(DatabaseCorrupt, match=r"callagent\.db") as error:
            SqliteStore.open(database, read_only=read_only)
        assert "move it away" in error.value.hint

    assert database.read_bytes() == b"name,number\n" * 500


def test_a_damaged_database_is_reported_with_what_is_damaged(database: Path) -> None:
    """Pages full of zeros are found when they are read, and the check's finding is told."""
    calls = [a_call(line, results={"x": "y" * 3000}) for line in range(90)]
    filled(SqliteStore.open(database), *calls).close()
    page = 4096
    with database.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(page * 30)
        file.write(b"\x7f" * (size - page * 30))

    with (
        closing(SqliteStore.open(database)) as store,
        pytest.raises(DatabaseCorrupt, match="damaged: "),
    ):
        list(store.calls("spring"))


def test_a_newer_database_is_refused(database: Path) -> None:
    """A database of a later version is neither changed nor guessed at."""
    SqliteStore.open(database).close()
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA user_version = 99")

    for read_only in (False, True):
        with pytest.raises(DatabaseVersion, match="version 99") as error:
            SqliteStore.open(database, read_only=read_only)
        assert "update callagent" in error.value.hint


def test_another_programs_database_is_refused_unchanged(database: Path) -> None:
    """SQLite files with tables that are not ours are left alone."""
    database.parent.mkdir()
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE photos (id INTEGER)")
    before = database.read_bytes()

    with pytest.raises(StoreError, match="another program"):
        SqliteStore.open(database)

    assert database.read_bytes() == before


def test_an_older_database_is_migrated_and_keeps_its_calls(database: Path) -> None:
    """Later scripts run on the earlier tables; opening again runs nothing."""
    filled(SqliteStore.open(database), a_call()).close()
    scripts = (*MIGRATIONS, "ALTER TABLE calls ADD COLUMN note TEXT;\n\nDELETE FROM commands;\n")
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        migrate(connection, database, scripts)
        migrate(connection, database, scripts)

        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
        assert connection.execute("SELECT id, note FROM calls").fetchall() == [("call_1", None)]


def test_a_migration_that_fails_changes_nothing(database: Path) -> None:
    """All scripts of a migration are one transaction."""
    filled(SqliteStore.open(database), a_call()).close()
    scripts = (*MIGRATIONS, "DELETE FROM calls;\n", "ALTER TABLE nothing ADD COLUMN note TEXT;\n")
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        with pytest.raises(StoreError, match="nothing"):
            migrate(connection, database, scripts)

        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert connection.execute("SELECT count(*) FROM calls").fetchone() == (1,)


def test_a_reader_does_not_migrate(database: Path) -> None:
    """An older database is brought up to date by a worker, not by `status`."""
    database.parent.mkdir()
    database.touch()

    with pytest.raises(DatabaseVersion, match="version 0"):
        SqliteStore.open(database, read_only=True)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_FULL, StorageFull),
        (sqlite3.SQLITE_IOERR_WRITE, StorageFull),
        (sqlite3.SQLITE_CORRUPT_INDEX, DatabaseCorrupt),
        (sqlite3.SQLITE_NOTADB, DatabaseCorrupt),
        (sqlite3.SQLITE_READONLY_DIRECTORY, StoreError),
        (sqlite3.SQLITE_BUSY, StoreError),
        (sqlite3.SQLITE_IOERR_READ, StoreError),
    ],
)
def test_each_refusal_of_sqlite_is_an_error_with_a_hint(
    code: int, expected: type[CallAgentError]
) -> None:
    """Every code becomes its error, names the file, and says what to do."""
    error = sqlite3.OperationalError("refused")
    error.sqlite_errorcode = code

    found = failures.store_error(error, Path("callagent.db"))

    assert type(found) is expected
    assert "callagent.db" in found.message
    assert found.hint


def test_reading_the_store_imports_nothing_heavy(database: Path) -> None:
    """`callagent status` reads the store without asyncio, HTTP or YAML."""
    filled(SqliteStore.open(database), a_call()).close()
    script = (
        "import sys; from pathlib import Path;"
        "from callagent_cli.store.sqlite_store import SqliteStore;"
        "store = SqliteStore.open(Path(sys.argv[1]), read_only=True);"
        "print(sum(store.totals('spring').values())); store.close();"
        "print(sorted({'asyncio', 'httpx2', 'yaml', 'socket', 'random'} & sys.modules.keys()))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, str(database)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert ran.stdout == "1\n[]\n"


def test_the_store_does_all_that_the_worker_asks_of_it(store: SqliteStore) -> None:
    """`SqliteStore` has every method of the port, with its types."""
    asked: Store = store

    assert {name for name in vars(Store) if name[0] != "_"} <= set(dir(asked))
