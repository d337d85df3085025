"""Looks whether a database file is whole, and leaves no trace of the look."""

import sqlite3
from contextlib import closing
from pathlib import Path

from callagent_cli.errors import StoreError
from callagent_cli.store.database import connect, explained, has_log
from callagent_cli.store.failures import damaged
from callagent_cli.store.schema import checked_version


def examine(path: Path, *, ours: bool = True) -> None:
    """Read a database file from its beginning to its end; raises `StoreError` with what is wrong.

    Nothing is written, and a worker is not kept from writing. With `ours`, a database of another
    program is wrong too, and one of a newer callagent.
    """
    alone = not has_log(path)
    try:
        _look(path, unchanging=alone, ours=ours)
    except StoreError:
        if not alone or not has_log(path):
            raise
        # A worker has begun meanwhile: what it moved looked like damage to whoever locks nothing.
        _look(path, unchanging=False, ours=ours)


def _look(path: Path, *, unchanging: bool, ours: bool) -> None:
    with closing(connect(path, read_only=True, unchanging=unchanging)) as connection:
        if ours:
            checked_version(connection, path)
        try:
            finding = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
        except sqlite3.Error as error:
            raise explained(error, connection, path) from error
    if finding != "ok":
        raise damaged(str(path), " ".join(finding.split()))
