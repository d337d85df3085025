"""What becomes of the channels themselves: each change is told once, however often it shows."""

from collections.abc import Callable, Sequence
from typing import Final

from callagent_cli.durations import duration_text
from callagent_cli.errors import InvalidPayload, PermanentError, ServiceError
from callagent_cli.reporting.alert import Channel, Learning, Selective
from callagent_cli.reporting.incidents import Documents
from callagent_cli.reporting.incidents.channel_wording import RECIPIENTS
from callagent_cli.reporting.queue import Queue

LEARNED: Final = "channel"
"""The kind under which it is kept what a channel learned from its receiver."""

LONG_WAIT_S: Final = 180.0
"""A receiver that asks for more time than this is as good as broken meanwhile."""

BROKEN_AFTER: Final = 3
"""Failures in a row after which the other channels hear that this one is broken."""


def say_nothing(_channel: str, _advice: str) -> None:
    """Tell nobody."""


class ChannelNews:
    """Tells that a channel broke, works, or learned something; see `Outbox` for the callbacks."""

    def __init__(
        self,
        documents: Documents,
        *,
        on_broken: Callable[[str, str], None],
        on_works: Callable[[str], None],
        on_learned: Callable[[str, str], None] = say_nothing,
    ) -> None:
        self._documents = documents
        self._on_broken = on_broken
        self._on_works = on_works
        self._on_learned = on_learned
        self._well: dict[str, bool] = {}

    def recall(self, channels: Sequence[Channel]) -> None:
        """Let channels take up what they learned in earlier runs."""
        for channel in channels:
            known = self._documents.get(LEARNED, channel.name)
            if known is not None and isinstance(channel, Learning):
                channel.recall(known.decode())

    def learn(self, channel: Channel) -> None:
        """Keep what a channel learned for the runs to come, and tell how to settle it."""
        # Asking for the attribute first: whether a channel fits a protocol takes long to find out.
        if not getattr(channel, "learned", "") or not isinstance(channel, Learning):
            return
        known = self._documents.get(LEARNED, channel.name)
        learned = channel.learned.encode()
        if known != learned:
            self._documents.put(LEARNED, channel.name, learned, open_=False)
            self._on_learned(channel.name, channel.advice)

    def delivered(self, queue: Queue) -> None:
        """Tell that a channel works, and whom it does not reach."""
        self.works(queue)
        channel = queue.channel
        if not hasattr(channel, "missed") or not isinstance(channel, Selective):
            return
        if channel.missed:
            self._is_broken(f"{channel.name}{RECIPIENTS}", channel.missed)
        else:
            self._is_well(f"{channel.name}{RECIPIENTS}")

    def works(self, queue: Queue) -> None:
        """Tell that a channel works, at least for some of its receivers."""
        self._is_well(queue.channel.name)

    def put_off(self, queue: Queue, error: ServiceError) -> None:
        """Tell that some receivers have to wait: the third time, or at once when it is for long."""
        self.works(queue)
        wait_s = error.retry_after_s or 0.0
        if queue.put_offs >= BROKEN_AFTER or wait_s > LONG_WAIT_S:
            self._is_broken(f"{queue.channel.name}{RECIPIENTS}", error.message)

    def failed(self, queue: Queue, error: ServiceError) -> None:
        """Tell a failure at the third in a row, or at once when it cannot be over soon."""
        queue.failures += not isinstance(error, InvalidPayload)
        wait_s = error.retry_after_s or 0.0
        if wait_s > LONG_WAIT_S:
            asked = f"; it asks to wait for {duration_text(wait_s)}"
            self._is_broken(queue.channel.name, f"{error.message}{asked}")
        elif isinstance(error, PermanentError) or queue.failures >= BROKEN_AFTER:
            self._is_broken(queue.channel.name, error.message)

    def _is_well(self, name: str) -> None:
        if self._well.get(name) is not True:
            self._well[name] = True
            self._on_works(name)

    def _is_broken(self, name: str, message: str) -> None:
        if self._well.get(name) is not False:
            self._well[name] = False
            self._on_broken(name, message)
