"""Which campaign a command is about."""

from callagent_cli.cli.text.suggestions import hint_for
from callagent_cli.errors import UsageError
from callagent_cli.store.sqlite_store import SqliteStore


def campaign_of(store: SqliteStore, name: str) -> str:
    """Return the named campaign, or without a name the one that ran last.

    Raises `UsageError` when there is none of that name, or none at all.
    """
    known = [campaign.name for campaign in store.campaigns()]
    if name and name not in known:
        listed = ", ".join(f"`{each}`" for each in known)
        others = f"the campaigns are: {listed}" if known else "nothing has been run yet"
        hint = hint_for(name, known, otherwise=others)
        raise UsageError(f"no campaign `{name}`", hint=hint)
    last = store.last_run()
    found = name or (last.campaign if last else "") or next(iter(known), "")
    if not found:
        raise UsageError("nothing has been run yet", hint="start with `callagent run contacts.csv`")
    return found
