"""A worker in a process of its own: writes turns and tells each that is durable, until killed.

`durable_writer.py DATABASE LIMIT`: LIMIT is the size in bytes beyond which no file may grow, 0 for
none. A turn moves two calls and a dial to the same count; a file that ends between them is torn.
"""

import asyncio
import resource
import sys
from pathlib import Path

from store_builders import SPRING, a_call, a_dial

from callagent_cli.errors import StorageFull
from callagent_cli.store.sqlite_store import SqliteStore


def tell(line: str) -> None:
    """Send a line to the test."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def write_turns(store: SqliteStore) -> None:
    """Write and acknowledge turn after turn."""
    turn = 0
    while True:
        turn += 1
        notes = {"notes": "x" * (turn % 997)}
        store.save_call(a_call(1, attempts=turn, results=notes))
        store.save_call(a_call(2, attempts=turn))
        store.save_dial(a_dial("call_1", id=f"dial_{turn}", ended_utc_s=float(turn)))
        await store.durable()
        tell(str(turn))


def main() -> None:
    """Open the database, set the limit, and write."""
    store = SqliteStore.open(Path(sys.argv[1]))
    store.save_campaign(SPRING)
    store.add_calls([a_call(1), a_call(2)])
    store.flush()
    limit = int(sys.argv[2])
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        asyncio.run(write_turns(store))
    except StorageFull:
        tell("full")
        store.close()


if __name__ == "__main__":
    main()
