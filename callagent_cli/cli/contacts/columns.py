"""What is known of a campaign's last file: its columns, and whether all of it was loaded."""

from collections.abc import Iterable
from typing import Final

import msgspec

from callagent_cli.store.sqlite_store import SqliteStore

LOADING: Final = "loading"
"""In place of the manner of reading, while only some of a file's people are in the store."""

_KIND: Final = "columns"


def remember_columns(store: SqliteStore, campaign: str, variables: Iterable[str]) -> None:
    """Keep the names under which the agent gets a file's cells."""
    store.put(_KIND, campaign, msgspec.json.encode(tuple(variables)), open_=False)


def half_loaded(store: SqliteStore, campaign: str) -> bool:
    """Say whether an import was killed, so that people of the file may be missing."""
    found = store.campaign(campaign)
    return found is not None and found.source_sha256.endswith(f":{LOADING}")


def known_columns(store: SqliteStore, campaign: str) -> tuple[str, ...] | None:
    """Return the columns of a campaign's last file, None when they are not known."""
    body = store.get(_KIND, campaign)
    return None if body is None else msgspec.json.decode(body, type=tuple[str, ...])
