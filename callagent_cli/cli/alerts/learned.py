"""What a channel learned from its receiver, kept between commands as between runs.

A database that cannot be read or written stops no test of a channel: a run tells what is wrong
with it.
"""

from contextlib import closing, suppress

from callagent_cli.cli.place.workplace import Workplace
from callagent_cli.errors import StoreError
from callagent_cli.reporting.alert import Channel, Learning
from callagent_cli.reporting.channel_news import LEARNED
from callagent_cli.store.lock import kept_free


def recall_learned(place: Workplace, channel: Channel) -> None:
    """Let a channel know what a run or a test learned about it."""
    if not isinstance(channel, Learning):
        return
    with suppress(StoreError):
        known = _known(place, channel.name)
        if known is not None:
            channel.recall(known.decode())


def _known(place: Workplace, name: str) -> bytes | None:
    if not place.was_used:
        return None
    with closing(place.read_store()) as store:
        return store.get(LEARNED, name)


def keep_learned(place: Workplace, channel: Channel) -> str:
    """Keep what a channel learned, where a run has been; return which setting to change.

    A worker that lives learns it by itself from its next alert, and keeps it.
    """
    if not isinstance(channel, Learning) or not channel.learned:
        return ""
    with suppress(StoreError):
        _keep(place, channel.name, channel.learned)
    return channel.advice


def _keep(place: Workplace, name: str, learned: str) -> None:
    if not place.was_used:
        return
    with closing(place.write_store()) as store, kept_free(place.lock) as free:
        if free:
            store.put(LEARNED, name, learned.encode(), open_=False)
            store.flush()
