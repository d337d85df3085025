"""Loads of contacts files that were not finished: `status` says whose, and what finishes them."""

import shlex
from pathlib import Path

from callagent_cli.cli.contacts.columns import half_loaded
from callagent_cli.cli.contacts.input import STDIN, STDIN_SHOWN, campaign_name
from callagent_cli.counting import counted
from callagent_cli.store.lock import Holder
from callagent_cli.store.port import Campaign
from callagent_cli.store.sqlite_store import SqliteStore


def load_lines(store: SqliteStore, held: Holder | None) -> tuple[str, ...]:
    """Return lines for each campaign of which people may be missing; `held` is the lock's holder.

    While it lives, its own campaign is being loaded.
    """
    loading = held.run if held is not None and held.alive else ""
    lines: list[str] = []
    for campaign in store.campaigns():
        if half_loaded(store, campaign.name):
            people = counted(sum(store.totals(campaign.name).values()), "person", "people")
            lines += _told(campaign, people, is_loading=campaign.name == loading)
    return tuple(lines)


def _told(campaign: Campaign, people: str, *, is_loading: bool) -> list[str]:
    if is_loading:
        return [f"{campaign.source} is being loaded: {people} so far"]
    interrupted = f"the load of {campaign.source} was interrupted at {people}"
    return [f"{interrupted}, the rest by:", f"  {_command(campaign)}"]


def _command(campaign: Campaign) -> str:
    """Return the command that loads the file again."""
    contacts = STDIN if campaign.source == STDIN_SHOWN else Path(campaign.source)
    named = campaign_name(contacts, "") == campaign.name
    words = ["callagent", "run", str(contacts), *([] if named else ["--campaign", campaign.name])]
    return shlex.join(words)
