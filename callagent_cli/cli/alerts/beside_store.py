"""What a watcher tells while the database is locked: kept in a file beside it, and taken up later.

A worker that hangs within a transaction keeps everybody else from writing. Whoever watches reads
what was committed before, and keeps the alert of the lost worker here until the lock is gone.
"""

import os
from pathlib import Path
from typing import Final

import msgspec

from callagent_cli.calls.model import Call, CallState
from callagent_cli.cli.place.workplace import Workplace
from callagent_cli.reporting.incidents.incident import KIND as INCIDENT
from callagent_cli.store.failures import file_error
from callagent_cli.store.port import RunRow
from callagent_cli.store.sqlite_store import SqliteStore

LEFT_TO_THE_WORKER: Final = 10
"""How many ids of incidents are left free: the worker may wake up and open some itself."""


class _Kept(msgspec.Struct, kw_only=True):
    """A document that was put; `before` is what the database had of it."""

    kind: str
    key: str
    body: bytes
    open: bool
    before: bytes | None


class BesideStore:
    """The part of a store that a watcher needs; what it puts goes to a file of its own (0600)."""

    def __init__(self, place: Workplace) -> None:
        self._path = _file(place)
        self._store = place.read_store()
        self._kept = {(kept.kind, kept.key): kept for kept in _read(self._path)}
        known = [key for key, _ in self.documents(INCIDENT)]
        self._taken = {_next(known, step) for step in range(1, LEFT_TO_THE_WORKER + 1)}

    def put(self, kind: str, key: str, body: bytes, *, open_: bool = True) -> None:
        """Insert or replace a document, beside the database."""
        kept = self._kept.get((kind, key))
        before = self._store.get(kind, key) if kept is None else kept.before
        self._kept[kind, key] = _Kept(kind=kind, key=key, body=body, open=open_, before=before)

    def get(self, kind: str, key: str) -> bytes | None:
        """Return a document; ids that are left to the worker count as taken."""
        kept = self._kept.get((kind, key))
        if kept is not None:
            return kept.body
        found = self._store.get(kind, key)
        return b"" if found is None and kind == INCIDENT and key in self._taken else found

    def documents(self, kind: str, *, open_only: bool = False) -> list[tuple[str, bytes]]:
        """Return the documents of a kind in the order they were first put."""
        found = dict(self._store.documents(kind, open_only=open_only))
        for kept in self._kept.values():
            if kept.kind == kind and (kept.open or not open_only):
                found[kept.key] = kept.body
            elif kept.kind == kind:
                found.pop(kept.key, None)
        return list(found.items())

    def last_run(self) -> RunRow | None:
        """Return the run that started last."""
        return self._store.last_run()

    def calls(self, campaign: str, states: frozenset[CallState]) -> list[Call]:
        """Return a campaign's calls in some states."""
        return list(self._store.calls(campaign, states))

    def totals(self, campaign: str) -> dict[CallState, int]:
        """Return how many calls of a campaign are in each state."""
        return self._store.totals(campaign)

    def flush(self) -> None:
        """Write the file; raises `StoreError`."""
        part = self._path.with_suffix(".part")
        try:
            file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(file, "wb") as written:
                written.write(msgspec.json.encode(list(self._kept.values())))
            part.replace(self._path)
        except OSError as error:
            raise file_error(error, self._path) from error

    def close(self) -> None:
        """Release the database."""
        self._store.close()


def take_up(place: Workplace, store: SqliteStore) -> None:
    """Put what was told beside the database into it; what it has by another hand stays."""
    path = _file(place)
    kept = _read(path)
    for each in kept:
        if store.get(each.kind, each.key) == each.before:
            store.put(each.kind, each.key, each.body, open_=each.open)
    if kept:
        store.flush()
    path.unlink(missing_ok=True)


def _file(place: Workplace) -> Path:
    return place.state_dir / f"{place.settings.mode}.watch.json"


def _read(path: Path) -> list[_Kept]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[_Kept])
    except FileNotFoundError:
        return []
    except OSError as error:
        raise file_error(error, path) from error
    except msgspec.MsgspecError:
        return []  # Another version wrote it: at worst the alert of a lost worker is told twice.


def _next(ids: list[str], step: int) -> str:
    highest = max((int(each.removeprefix("INC-")) for each in ids), default=0)
    return f"INC-{highest + step:04d}"
