"""An outbox with scripted channels for the tests of delivery."""

import asyncio
from collections.abc import Awaitable, Callable

from reporting_doubles import KEY, MemoryDocuments, ScriptedChannel, loop_clock, run_jumping

from callagent_cli.events import AlertRaised, Event, Stamped
from callagent_cli.reporting.outbox import Outbox
from callagent_cli.reporting.redaction import Redactor


class Desk:
    """An outbox with scripted channels, and what it said."""

    def __init__(
        self, *channels: ScriptedChannel, documents: MemoryDocuments | None = None
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
        )

    def raise_(self, event: AlertRaised) -> None:
        """Show an alert to the outbox."""
        self.see(event)

    def see(self, event: Event) -> None:
        """Show another event to the outbox."""
        self.outbox(
            Stamped(self.clock.utc(), self.clock.monotonic(), 1, "run_1", "contacts", event)
        )

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
