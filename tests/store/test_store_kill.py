"""What was acknowledged as durable survives kill -9 and a full disk, and no turn is torn."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random

import pytest
from store_builders import ROOT

from callagent_cli.store.sqlite_store import SqliteStore

WRITER = Path(__file__).parent / "durable_writer.py"


@contextmanager
def writer(database: Path, limit: int = 0) -> Iterator["subprocess.Popen[str]"]:
    """Run the writer until the end of the block, and kill it then."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(WRITER), str(database), str(limit)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def last_turn(database: Path) -> int:
    """Return the turn that the database stands at, having checked that it is whole."""
    with closing(SqliteStore.open(database)) as store:
        first, second = store.call("call_1"), store.call("call_2")
        dials = len(store.dials("call_1"))
        assert store._database.read("PRAGMA integrity_check") == [("ok",)]
    assert first is not None
    assert second is not None
    assert (first.attempts, second.attempts) == (dials, dials)
    return dials


@pytest.mark.parametrize("seed", range(4))
def test_everything_acknowledged_survives_kill_9(database: Path, seed: int) -> None:
    """However often the worker is killed, the next one goes on from the last durable turn."""
    random = Random(seed)
    with writer(database) as process:
        assert process.stdout is not None
        for _ in range(random.randint(1, 400)):
            acknowledged = int(process.stdout.readline())
        for _ in range(random.randint(0, 20_000)):
            pass  # The kill comes at any point of the turn under way.
        process.kill()
        rest = process.stdout.read().split("\n")
    # The last line may have been cut short by the kill; all others are promises.
    promised = max([acknowledged, *(int(line) for line in rest[:-1])])

    assert last_turn(database) >= promised


def test_readers_see_the_last_durable_turn_after_kill_9(database: Path) -> None:
    """`status` reads what a killed worker left behind, its unfinished log included."""
    with writer(database) as process:
        assert process.stdout is not None
        for _ in range(20):
            process.stdout.readline()

    with closing(SqliteStore.open(database, read_only=True)) as store:
        call = store.call("call_1")

    assert call is not None
    assert call.attempts >= 20


def test_a_full_disk_stops_the_writer_and_keeps_what_was_durable(database: Path) -> None:
    """At the size limit a commit fails as `StorageFull`; the database opens and goes on after."""
    with writer(database, 400_000) as process:
        assert process.stdout is not None
        lines = process.stdout.read().split()
        code = process.wait()

    assert (lines[-1], code) == ("full", 0)
    assert last_turn(database) == int(lines[-2])
    with writer(database) as process:  # With room again, the same calls go on.
        assert process.stdout is not None
        assert process.stdout.readline() == "1\n"
