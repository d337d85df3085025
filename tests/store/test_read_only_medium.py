"""A database on a medium that nobody can write is read all the same."""

import os
from pathlib import Path

import pytest

from callagent_cli.store.sqlite_store import SqliteStore


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a database with one document, on what says that it is a read-only medium."""
    path = tmp_path / "sandbox.db"
    store = SqliteStore.open(path)
    store.put("kind", "key", b"before")
    store.close()
    found = list(os.statvfs(path))
    found[8] |= os.ST_RDONLY
    monkeypatch.setattr(os, "statvfs", lambda _path: os.statvfs_result(found))
    return path


def test_it_is_read_without_a_file_beside_it(database: Path) -> None:
    """SQLite could not make the one that readers share with writers."""
    store = SqliteStore.open(database, read_only=True)
    read = store.get("kind", "key")
    beside = sorted(file.name for file in database.parent.iterdir())
    store.close()

    assert read == b"before"
    assert beside == ["sandbox.db"]


def test_what_is_only_in_the_write_ahead_log_is_not_passed_over(database: Path) -> None:
    """A container may see a folder as read-only that a worker outside writes to."""
    worker = SqliteStore.open(database)
    worker.put("kind", "key", b"after")
    worker.flush()
    store = SqliteStore.open(database, read_only=True)
    read = store.get("kind", "key")
    store.close()
    worker.close()

    assert read == b"after"
