"""One database in memory serves world after world."""

import pytest

from callagent_cli.errors import StoreError
from callagent_cli.simulation.worlds.people import simulated_calls
from callagent_cli.store.port import Campaign
from callagent_cli.store.schema import empty
from callagent_cli.store.sqlite_store import SqliteStore


def _fill(store: SqliteStore) -> None:
    store.save_campaign(
        Campaign(name="spring", source="list.csv", source_sha256="", created_utc_s=1.0)
    )
    store.add_calls(simulated_calls("spring", 5))
    store.put("alert", "first", b"{}")
    store.flush()


def _dump(store: SqliteStore) -> list[str]:
    return list(store._database._connection.iterdump())


def test_an_emptied_store_is_like_a_fresh_one() -> None:
    """Nothing is left of what was written, and the same writes lead to the same rows."""
    fresh = SqliteStore.open(None)
    nothing = _dump(fresh)
    used = SqliteStore.open(None)
    _fill(used)
    used.put("alert", "second", b"not committed")

    emptied = used.emptied()

    assert _dump(emptied) == nothing
    _fill(fresh)
    _fill(emptied)
    assert _dump(emptied) == _dump(fresh)
    fresh.close()
    emptied.close()


def test_the_store_that_was_emptied_is_dead() -> None:
    """Whatever still runs of the world before cannot write into the next one."""
    before = SqliteStore.open(None)
    after = before.emptied()

    with pytest.raises(StoreError):
        before.put("alert", "late", b"{}")
    before.close()
    after.put("alert", "early", b"{}")
    after.close()


def test_only_the_rows_go() -> None:
    """Emptying keeps tables, indexes and triggers."""
    store = SqliteStore.open(None)
    schema = store._database.read("SELECT name FROM sqlite_master ORDER BY name")

    empty(store._database)

    assert store._database.read("SELECT name FROM sqlite_master ORDER BY name") == schema
    store.close()
