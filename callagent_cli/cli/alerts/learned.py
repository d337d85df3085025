"""What a channel learned from its receiver, kept between commands as between runs."""

from contextlib import closing

from callagent_cli.cli.place.workplace import Workplace
from callagent_cli.reporting.alert import Channel, Learning
from callagent_cli.reporting.channel_news import LEARNED
from callagent_cli.store.lock import kept_free


def recall_learned(place: Workplace, channel: Channel) -> None:
    """Let a channel know what a run or a test learned about it."""
    if not isinstance(channel, Learning) or not place.was_used:
        return
    with closing(place.read_store()) as store:
        known = store.get(LEARNED, channel.name)
    if known is not None:
        channel.recall(known.decode())


def keep_learned(place: Workplace, channel: Channel) -> str:
    """Keep what a channel learned, where a run has been; return which setting to change.

    A worker that lives learns it by itself from its next alert, and keeps it.
    """
    if not isinstance(channel, Learning) or not channel.learned:
        return ""
    if place.was_used:
        with closing(place.write_store()) as store, kept_free(place.lock) as free:
            if free:
                store.put(LEARNED, channel.name, channel.learned.encode(), open_=False)
                store.flush()
    return channel.advice
