"""Stores that are closed when their test ends."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from store_builders import filled

from callagent_cli.store.sqlite_store import SqliteStore


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Return where a test's database file goes."""
    return tmp_path / ".callagent" / "callagent.db"


@pytest.fixture
def store() -> Iterator[SqliteStore]:
    """Yield a store in memory that has the spring campaign."""
    with closing(SqliteStore.open(None)) as opened:
        yield filled(opened)
