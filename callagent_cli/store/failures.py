"""What SQLite and the file system can refuse, as errors that a person can act on."""

import errno
import sqlite3
from pathlib import Path
from typing import Final

from callagent_cli.errors import DatabaseCorrupt, StorageFull, StoreError

_PRIMARY: Final = 0xFF
_NO_PERMISSION: Final = {sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
_DAMAGED: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_OUT_OF_SPACE: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def store_error(error: sqlite3.Error, path: Path | None, *, finding: str = "") -> StoreError:
    """Translate SQLite's error; `finding` is what a check of a damaged file found first."""
    code = getattr(error, "sqlite_errorcode", None)
    where = name_of(path)
    primary = None if code is None else code & _PRIMARY
    if primary in _DAMAGED:
        return damaged(where, finding or str(error))
    # A write that is cut short by a quota or a size limit comes as IOERR_WRITE, not as FULL.
    if primary == sqlite3.SQLITE_FULL or code == sqlite3.SQLITE_IOERR_WRITE:
        return storage_full(where)
    if primary in _NO_PERMISSION:
        return StoreError(
            f"{where} cannot be opened or written: {error}",
            hint="check that the folder exists and that you may write in it",
        )
    if primary in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return StoreError(
            f"{where} is locked by another program: {error}",
            hint="close the program that has the database open for writing",
        )
    return StoreError(f"{where}: {error}", hint="`callagent doctor` looks further")


def is_locked(error: StoreError) -> bool:
    """Tell whether another process kept this one from writing."""
    code = getattr(error.__cause__, "sqlite_errorcode", sqlite3.SQLITE_OK)
    return code & _PRIMARY in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def refused(error: sqlite3.IntegrityError, path: Path | None) -> StoreError:
    """Return the error for a row that refers to nothing, or whose id is taken."""
    if "FOREIGN KEY" in str(error):
        reason = "the row belongs to a campaign or call that is not in the database"
    else:
        reason = str(error)
    return StoreError(f"{name_of(path)} refused a row: {reason}")


def file_error(error: OSError, path: Path) -> StoreError:
    """Translate the file system's error about a path."""
    if error.errno in _OUT_OF_SPACE:
        return storage_full(str(path))
    return StoreError(
        f"{path}: {error.strerror or error}",
        hint="check that the folder exists and that you may write in it",
    )


def is_there(path: Path) -> bool:
    """Tell whether a file exists; raises `StoreError` when that cannot be seen."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise StoreError(
            f"cannot look at `{path}`: {error.strerror or error}",
            hint=f"check the permissions of `{path.parent}`, and that it is yours",
        ) from error
    return True


def storage_full(where: str) -> StorageFull:
    """Return the error for a full disk."""
    return StorageFull(
        f"{where} cannot be written: the disk is full, or a quota or size limit is reached",
        hint="make room and run again; everything reported as done is on disk",
    )


def vanished(path: Path) -> StoreError:
    """Return the error for a file that was deleted or replaced while it was open."""
    return StoreError(
        f"{path} was deleted or replaced while it was open",
        hint="put the file back, then start again",
    )


def name_of(path: Path | None) -> str:
    """Return how the database is called in messages."""
    return "the database in memory" if path is None else str(path)


def damaged(where: str, finding: str) -> DatabaseCorrupt:
    """Return the error for a file that is no database, or not whole; `finding` says how so."""
    return DatabaseCorrupt(
        f"{where} is not a callagent database, or it is damaged: {finding}",
        hint="move it away together with its -wal and -shm files, or put a copy back; "
        "`sqlite3 FILE .recover` saves what can be saved",
    )
