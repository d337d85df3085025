"""Calls, dials and stores for the tests of the store."""

from pathlib import Path
from typing import Any, Final

from callagent_cli.calls.model import Call, Contact, Dial, DialStatus
from callagent_cli.store.port import Campaign, RunRow
from callagent_cli.store.sqlite_store import SqliteStore

ROOT: Final = Path(__file__).parents[2]
SPRING: Final = Campaign(
    name="spring", source="contacts.csv", source_sha256="ab12", created_utc_s=100.0
)


def contact(line: int, **changes: Any) -> Contact:  # noqa: ANN401 — a contact's fields.
    """Return a contact whose number follows from its line (at most 99 lines)."""
    return Contact(**{"line": line, "number": f"+12125550{100 + line}", **changes})


def a_call(line: int = 1, **changes: Any) -> Call:  # noqa: ANN401 — a call's fields.
    """Return a pending call of the spring campaign."""
    return Call(**{"id": f"call_{line}", "campaign": "spring", "contact": contact(line), **changes})


def a_dial(call: str = "call_1", **changes: Any) -> Dial:  # noqa: ANN401 — a dial's fields.
    """Return a dial whose intent is being written."""
    fields = {
        "id": "dial_1",
        "call": call,
        "number": "+12125550101",
        "status": DialStatus.INTENT,
        "intended_utc_s": 10.0,
    }
    return Dial(**{**fields, **changes})


def a_run(**changes: Any) -> RunRow:  # noqa: ANN401 — a run's fields.
    """Return a run that is going on."""
    fields = {
        "id": "run_1",
        "campaign": "spring",
        "mode": "sandbox",
        "pid": 4711,
        "host": "here",
        "lanes": 4,
        "started_utc_s": 50.0,
        "heartbeat_utc_s": 51.0,
    }
    return RunRow(**{**fields, **changes})


def filled(store: SqliteStore, *calls: Call) -> SqliteStore:
    """Return the store with the spring campaign and some calls, committed."""
    store.save_campaign(SPRING)
    store.add_calls(calls)
    store.flush()
    return store
