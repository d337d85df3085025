"""An outbox with scripted channels for the tests of delivery."""

import asyncio
from collections.abc import Awaitable, Callable

from memory_documents import MemoryDocuments
from reporting_doubles import KEY, loop_clock, run_jumping

from callagent_cli.events import AlertRaised, Event, Stamped
from callagent_cli.reporting.alert import Channel
from callagent_cli.reporting.outbox import Outbox
from callagent_cli.reporting.redaction import Redactor


class Desk:
    """An outbox with scripted channels, and what it said."""

    def __init__(
        self,
        *channels: Channel,
        documents: MemoryDocuments | None = None,
        on_learned: Callable[[str, str], None] = lambda _channel, _advice: None,
        service: str = "",
    ) -> None:
        self.documents = documents or MemoryDocuments()
        self.emitted: list[Event] = []
        self.said: list[tuple[str, ...]] = []
        self.clock = loop_clock()
        self.outbox = Outbox(
            self.documents,
            channels,
            clock=self.clock,
            redactor=Redactor([KEY]),
            emit=self.emitted.append,
            on_broken=lambda channel, error: self.said.append(("broken", channel, error)),
            on_works=lambda channel: self.said.append(("works", channel)),
            on_learned=on_learned,
            service=service,
        )

    def raise_(self, event: AlertRaised, *, run: str = "run_1", campaign: str = "contacts") -> None:
        """Show an alert to the outbox."""
        self.see(event, run=run, campaign=campaign)

    def see(self, event: Event, *, run: str = "run_1", campaign: str = "contacts") -> None:
        """Show another event to the outbox."""
        utc_s, monotonic_s = self.clock.utc(), self.clock.monotonic()
        self.outbox(Stamped(utc_s, monotonic_s, 1, run, campaign, event))

    async def serve(self, for_s: float) -> None:
        """Deliver for some time."""
        async with asyncio.TaskGroup() as tasks:
            serving = [tasks.create_task(self.outbox.serve(name)) for name in self.outbox.channels]
            await asyncio.sleep(for_s)
            for task in serving:
                task.cancel()


def run_story(story: Callable[[], Awaitable[None]]) -> None:
    """Play a story without waiting for real time."""

    async def begin() -> None:
        await story()

    run_jumping(begin())
