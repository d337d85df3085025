"""One worker per database: a lock on a file that names its holder.

The lock is the operating system's (`flock`) and goes with the process, however it ends; the file's
content only says whose it is. It is never deleted, because a deleted file's lock guards nothing.
"""

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from callagent_cli.errors import DatabaseHeld
from callagent_cli.store.failures import file_error

FRESH_HEARTBEAT_S: Final = 15.0
"""A worker stores a heartbeat each second; one that is older than this is taken for dead."""

_TRIES: Final = 20
_BETWEEN_TRIES_S: Final = 0.01
_CONTENT_MAX: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds the lock, or held it last; `alive` says whether it is held."""

    pid: int
    host: str
    run: str
    alive: bool


class _Content(msgspec.Struct, frozen=True):
    pid: int
    host: str
    run: str


class WorkerLock:
    """The lock of one worker on the lock file at `path`, usually `.callagent/worker.lock`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def acquire(
        self, run: str, *, heartbeat_age_s: float | None = None, beating_pid: int | None = None
    ) -> Holder | None:
        """Take the lock; return the predecessor that ended without releasing it, if any.

        `heartbeat_age_s` is how old the last run's heartbeat is: where a shared folder does not
        share its locks, it is the only sign of a worker on another host. `beating_pid` is whose it
        is, if of this host: the only sign of a worker whose lock file somebody deleted. Raises
        `DatabaseHeld`.
        """
        with ExitStack() as undo:
            file = _open(self._path)
            undo.callback(os.close, file)
            predecessor = _taken(file, heartbeat_age_s)
            if predecessor is None and _beats_here(beating_pid, heartbeat_age_s):
                raise _held(_Content(beating_pid or 0, _host(), run))
            _write(file, self._path, _Content(os.getpid(), _host(), run))
            undo.pop_all()
        self._file = file
        return None if predecessor is None else _holder(predecessor, alive=False)

    def release(self) -> None:
        """Give the lock back; nothing happens when it is not held."""
        if self._file is not None:
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = None


def holder(path: Path) -> Holder | None:
    """Return who holds the lock, or died holding it; None when it was released or never taken."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise file_error(error, path) from error
    try:
        content = _read(file)
        # Asking takes a shared lock for an instant; `acquire` tries again for that reason.
        return None if content is None else _holder(content, alive=not _shared(file))
    finally:
        os.close(file)


@contextmanager
def kept_free(path: Path) -> Iterator[bool]:
    """Keep a worker from beginning for an instant; yields whether none holds the lock.

    Who held it last still stands in the file. A worker that begins meanwhile tries again for a
    fifth of a second, so the instant must be shorter.
    """
    file = _open(path)
    try:
        yield _shared(file)
    finally:
        os.close(file)


def _open(path: Path) -> int:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise file_error(error, path) from error


def _taken(file: int, heartbeat_age_s: float | None) -> _Content | None:
    held = not _flocked(file)
    content = _read(file)
    if held:
        raise _held(content)
    if content is not None and _beats_elsewhere(content, heartbeat_age_s):
        raise _held(content, elsewhere=True)
    return content


def _flocked(file: int) -> bool:
    for _ in range(_TRIES):
        with suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        content = _read(file)
        if content is not None and content.host == _host() and _lives(content.pid):
            return False
        time.sleep(_BETWEEN_TRIES_S)  # Somebody asks for the holder, or is about to write its name.
    return False


def _shared(file: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return True
    return False


def _read(file: int) -> _Content | None:
    try:
        return msgspec.json.decode(os.pread(file, _CONTENT_MAX, 0), type=_Content)
    except msgspec.MsgspecError:
        return None  # Released, or not yet written: the lock itself decides.


def _write(file: int, path: Path, content: _Content) -> None:
    try:
        os.ftruncate(file, 0)
        os.pwrite(file, msgspec.json.encode(content), 0)
    except OSError as error:
        raise file_error(error, path) from error


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError as error:
        return error.errno == errno.EPERM  # It lives, and belongs to somebody else.
    return True


def _beats_elsewhere(content: _Content, heartbeat_age_s: float | None) -> bool:
    if content.host == _host() or heartbeat_age_s is None:
        return False
    return heartbeat_age_s < FRESH_HEARTBEAT_S


def _beats_here(pid: int | None, heartbeat_age_s: float | None) -> bool:
    if pid is None or pid == os.getpid() or heartbeat_age_s is None:
        return False
    return heartbeat_age_s < FRESH_HEARTBEAT_S and _lives(pid)


def _held(content: _Content | None, *, elsewhere: bool = False) -> DatabaseHeld:
    if content is None:
        return DatabaseHeld(
            "another worker holds the database", hint="try again, or look at `callagent status`"
        )
    who = f"pid {content.pid} on {content.host}"
    if elsewhere:
        return DatabaseHeld(
            f"a worker on another host holds the database: {who}",
            hint=f"stop it there; if it is dead, try again in {FRESH_HEARTBEAT_S:.0f} s",
        )
    return DatabaseHeld(
        f"another worker holds the database: {who}",
        hint="look at it with `callagent status`, or stop that worker first",
    )


def _holder(content: _Content, *, alive: bool) -> Holder:
    return Holder(pid=content.pid, host=content.host, run=content.run, alive=alive)


def _host() -> str:
    return os.uname().nodename
