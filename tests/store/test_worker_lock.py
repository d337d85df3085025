"""One worker per database: the lock names its holder and goes with the process."""

import errno
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from store_builders import ROOT

from callagent_cli.errors import DatabaseHeld, StorageFull, StoreError
from callagent_cli.store.lock import FRESH_HEARTBEAT_S, Holder, WorkerLock, holder

HOST = os.uname().nodename
WORKER = (
    "import sys; from pathlib import Path; from callagent_cli.store.lock import WorkerLock;"
    "lock = WorkerLock(Path(sys.argv[1])); lock.acquire('run_other');"
    "print('held', flush=True); sys.stdin.read()"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the lock file goes."""
    return tmp_path / ".callagent" / "worker.lock"


@contextmanager
def other_worker(path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Run another process that holds the lock."""
    with subprocess.Popen(
        [sys.executable, "-c", WORKER, str(path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def leave(path: Path, content: bytes) -> None:
    """Write what a dead worker left in the lock file."""
    path.parent.mkdir()
    path.write_bytes(content)


def test_a_lock_names_its_holder_until_it_is_released(path: Path) -> None:
    """`status` learns who works, and that nobody does."""
    lock = WorkerLock(path)
    assert holder(path) is None

    assert lock.acquire("run_1") is None
    assert holder(path) == Holder(pid=os.getpid(), host=HOST, run="run_1", alive=True)

    lock.release()
    lock.release()
    assert holder(path) is None


def test_a_second_worker_is_refused_with_pid_and_host(path: Path) -> None:
    """The refusal says who holds the database and what to do; the holder is not disturbed."""
    with other_worker(path) as process:
        with pytest.raises(DatabaseHeld, match=f"pid {process.pid} on {HOST}") as error:
            WorkerLock(path).acquire("run_1")
        found = holder(path)

    assert "callagent status" in error.value.hint
    assert found == Holder(pid=process.pid, host=HOST, run="run_other", alive=True)


def test_the_same_process_cannot_hold_it_twice(path: Path) -> None:
    """The lock is of the worker, not of the process."""
    lock = WorkerLock(path)
    lock.acquire("run_1")

    with pytest.raises(DatabaseHeld):
        WorkerLock(path).acquire("run_2")

    lock.release()
    again = WorkerLock(path)
    assert again.acquire("run_2") is None
    again.release()


def test_a_killed_workers_lock_is_taken_over(path: Path) -> None:
    """After kill -9 the lock is free, and the successor learns whom it follows."""
    with other_worker(path) as process:
        process.kill()
        process.wait()
        dead = Holder(pid=process.pid, host=HOST, run="run_other", alive=False)
        assert holder(path) == dead

        lock = WorkerLock(path)
        assert lock.acquire("run_1") == dead
        lock.release()


def test_asking_for_the_holder_never_keeps_a_worker_out(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shared lock that somebody who asks has for an instant is waited out."""
    leave(path, b'{"pid": 12, "host": "elsewhere", "run": "run_0"}')
    with path.open("rb") as asking:
        fcntl.flock(asking, fcntl.LOCK_SH)
        waits: list[float] = []

        def answered(delay_s: float) -> None:
            waits.append(delay_s)
            fcntl.flock(asking, fcntl.LOCK_UN)

        monkeypatch.setattr(time, "sleep", answered)
        lock = WorkerLock(path)
        lock.acquire("run_1")
        lock.release()

    assert len(waits) == 1


def test_an_unnamed_holder_is_refused_after_a_while(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock that stays taken keeps out even when its file says nothing."""
    leave(path, b"")
    monkeypatch.setattr(time, "sleep", lambda _delay_s: None)
    with path.open("rb") as holding:
        fcntl.flock(holding, fcntl.LOCK_EX)

        with pytest.raises(DatabaseHeld, match="another worker"):
            WorkerLock(path).acquire("run_1")


@pytest.mark.parametrize("age_s", [0.0, FRESH_HEARTBEAT_S - 0.1])
def test_a_fresh_heartbeat_of_another_host_keeps_out(path: Path, age_s: float) -> None:
    """Where the lock itself is not shared between hosts, the stored heartbeat speaks."""
    leave(path, b'{"pid": 12, "host": "elsewhere", "run": "run_0"}')

    with pytest.raises(DatabaseHeld, match="pid 12 on elsewhere") as error:
        WorkerLock(path).acquire("run_1", heartbeat_age_s=age_s)

    assert "15 s" in error.value.hint
    assert holder(path) == Holder(pid=12, host="elsewhere", run="run_0", alive=False)


@pytest.mark.parametrize("age_s", [None, FRESH_HEARTBEAT_S])
def test_a_stale_heartbeat_of_another_host_does_not(path: Path, age_s: float | None) -> None:
    """A worker elsewhere that stopped beating is followed."""
    leave(path, b'{"pid": 12, "host": "elsewhere", "run": "run_0"}')
    lock = WorkerLock(path)

    predecessor = lock.acquire("run_1", heartbeat_age_s=age_s)

    lock.release()
    assert predecessor == Holder(pid=12, host="elsewhere", run="run_0", alive=False)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xff", b'{"pid": "x"}'])
def test_an_unreadable_lock_file_is_no_holder(path: Path, content: bytes) -> None:
    """Only the operating system's lock decides; the content merely names."""
    leave(path, content)
    lock = WorkerLock(path)

    assert holder(path) is None
    assert lock.acquire("run_1") is None
    lock.release()


def test_the_lock_file_says_what_a_person_needs(path: Path) -> None:
    """It is JSON with pid, host and run, and readable by its owner only."""
    lock = WorkerLock(path)
    lock.acquire("run_1")

    content = msgspec.json.decode(path.read_bytes())
    lock.release()
    assert content == {"pid": os.getpid(), "host": HOST, "run": "run_1"}
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_full_disk_leaves_the_lock_free(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock that cannot name its holder is not taken."""

    def full(*_arguments: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(StorageFull):
            WorkerLock(path).acquire("run_1")

    lock = WorkerLock(path)
    assert lock.acquire("run_1") is None
    lock.release()


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    """A file in the folder's place is named."""
    (tmp_path / "taken").touch()

    with pytest.raises(StoreError, match="taken"):
        WorkerLock(tmp_path / "taken" / "worker.lock").acquire("run_1")
    with pytest.raises(StoreError, match="taken"):
        holder(tmp_path / "taken" / "worker.lock")


def test_a_fresh_heartbeat_of_a_living_process_keeps_out_although_its_lock_file_is_gone(
    path: Path,
) -> None:
    """Whoever takes a lock file for a leftover and deletes it must not get a second worker."""
    with other_worker(path) as process:
        path.unlink()
        with pytest.raises(DatabaseHeld, match=f"pid {process.pid}"):
            WorkerLock(path).acquire("run_1", heartbeat_age_s=1.0, beating_pid=process.pid)


@pytest.mark.parametrize(("age_s", "own"), [(FRESH_HEARTBEAT_S, False), (None, False), (1.0, True)])
def test_a_stale_or_own_heartbeat_does_not(path: Path, age_s: float | None, *, own: bool) -> None:
    """A process id may have been given to another process since, or to this one."""
    lock = WorkerLock(path)
    pid = os.getpid() if own else os.getppid()

    assert lock.acquire("run_1", heartbeat_age_s=age_s, beating_pid=pid) is None
    lock.release()
