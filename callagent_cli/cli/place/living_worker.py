"""Passes a person's command on to the living worker, through the store."""

import time
from dataclasses import dataclass
from typing import Final

from callagent_cli.cli.place.operator import operator_name
from callagent_cli.cli.place.workplace import Workplace
from callagent_cli.store.lock import Holder, holder
from callagent_cli.store.sqlite_store import SqliteStore

PATIENCE_S: Final = 2.0
"""How long a command waits for the worker, which looks for commands every 250 ms."""

_LOOK_EVERY_S: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of a command: the worker it was left for, and whether it was obeyed in time."""

    worker: Holder
    obeyed: bool

    @property
    def who(self) -> str:
        """The worker as a person finds it."""
        return f"the worker (pid {self.worker.pid} on {self.worker.host})"


def living_worker(place: Workplace) -> Holder | None:
    """Return who holds the database; none when no worker lives."""
    held = holder(place.lock)
    return held if held is not None and held.alive else None


def ask(place: Workplace, store: SqliteStore, name: str, argument: str = "") -> Answer | None:
    """Leave a command and wait for the worker to obey; none, and nothing left, when none lives."""
    worker = living_worker(place)
    if worker is None:
        return None
    command = store.add_command(name, argument, operator_name(), time.time())
    store.flush()
    until_s = time.monotonic() + PATIENCE_S
    obeyed = store.was_taken(command)
    while not obeyed and time.monotonic() < until_s:
        time.sleep(_LOOK_EVERY_S)
        obeyed = store.was_taken(command)
    return Answer(worker=worker, obeyed=obeyed)


def not_yet(answer: Answer, what: str) -> str:
    """Return the line for a worker that did not look in time."""
    return f"{answer.who} has not answered within {PATIENCE_S:.0f} s; {what} when it does"
