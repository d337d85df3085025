"""How often a channel gets a message, and what goes first when there is more to say."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from memory_documents import MemoryDocuments
from outbox_desk import Desk, run_story
from reporting_doubles import ScriptedChannel, alert

from callagent_cli.errors import RateLimited, ServiceUnavailable
from callagent_cli.reporting.alert import Alert


def test_the_hourly_limit_holds_over_the_ends_of_runs() -> None:
    """Thirty short runs in half an hour send ten messages; what waits is told together later."""

    async def story() -> None:
        channel, documents = ScriptedChannel(), MemoryDocuments()
        for number in range(30):
            desk = Desk(channel, documents=documents)
            desk.raise_(alert(number, incident=f"INC-{number:04d}"))
            await desk.outbox.flush(30)
            desk.outbox.close()
            await asyncio.sleep(60)

        assert len(channel.taken) == 10
        await Desk(channel, documents=documents).serve(3600)
        assert channel.taken[-1].title == "20 alerts, the last: title 29"

    run_story(story)


class _Slow(ScriptedChannel):
    """Takes a moment for each message."""

    async def deliver(self, alert: Alert) -> None:
        """Take it, a moment later."""
        await asyncio.sleep(0.1)
        await super().deliver(alert)


def test_the_end_of_a_run_and_the_run_itself_share_the_hour() -> None:
    """The last message of the hour is on its way when the run ends: what waits gets no eleventh."""

    async def story() -> None:
        channel = _Slow()
        desk = Desk(channel)
        serving = asyncio.create_task(desk.outbox.serve("telegram"))
        for number in range(9):
            desk.raise_(alert(number))
            await asyncio.sleep(0.2)
        for number in range(9, 14):
            desk.raise_(alert(number))
        await asyncio.sleep(0.05)
        waiting = await desk.outbox.flush(30)
        serving.cancel()

        assert len(channel.taken) == 10
        assert waiting == 4

    run_story(story)


def test_updates_leave_room_for_what_begins_and_ends() -> None:
    """An outage is told at once and in its order after an hour's worth of other news."""

    async def story() -> None:
        channel = ScriptedChannel()
        desk = Desk(channel)
        for number in range(10):
            desk.raise_(alert(number, kind="update", severity="info", incident="INC-0009"))
            await desk.serve(1)
        desk.raise_(alert(50, incident="INC-0050"))
        desk.raise_(alert(51, incident="INC-0050", kind="update"))
        await desk.serve(1)
        desk.raise_(alert(52, incident="INC-0050", kind="resolved"))
        await desk.serve(1)

        assert channel.taken[-2].title == "title 50"
        assert channel.taken[-1].title == "2 alerts, the last: title 52"
        assert channel.taken[-1].status == "resolved"
        await desk.serve(3600)
        assert channel.taken[-1].title == "4 alerts, the last: title 9"

    run_story(story)


@pytest.mark.parametrize("asked_s", [0.0, 0.5])
def test_a_receiver_that_asks_for_no_wait_is_left_alone_all_the_same(asked_s: float) -> None:
    """Retry-After 0 is no leave to knock without end: the waits grow as without it."""

    async def story() -> None:
        slow_down = RateLimited("slow down", status=429, retry_after_s=asked_s)
        channel = ScriptedChannel(answers=[slow_down] * 500)
        desk = Desk(channel)
        desk.raise_(alert())
        await desk.serve(600)

        assert len(channel.tried_s) < 20
        assert min(b - a for a, b in pairwise(channel.tried_s)) > 3

    run_story(story)


def test_a_receiver_that_asks_for_a_long_wait_is_told_at_once() -> None:
    """An hour without alerts is worth knowing on the other channels; a minute is not."""

    async def story() -> None:
        for asked_s, said in ((60.0, []), (3600.0, ["slow down; it asks to wait for 1h"])):
            channel = ScriptedChannel(answers=[RateLimited("slow down", retry_after_s=asked_s)])
            desk = Desk(channel)
            desk.raise_(alert())
            await desk.serve(30)

            assert [entry[2] for entry in desk.said] == said

    run_story(story)


class _Receiver(ScriptedChannel):
    """Notes the id of whatever it is sent, taken or not."""

    def __init__(self, answers: list[Any]) -> None:
        super().__init__("webhook", answers)
        self.ids: list[str] = []

    async def deliver(self, alert: Alert) -> None:
        """Do what the script says."""
        self.ids.append(alert.message)
        await super().deliver(alert)


def test_a_digest_to_a_webhook_is_repeated_as_it_was() -> None:
    """Its receiver goes by the id, also after a restart: what was added since comes after it."""

    async def story() -> None:
        documents = MemoryDocuments()
        broken = ServiceUnavailable("503 after the effect", status=503)
        channel, again = _Receiver([*[None] * 6, broken, broken]), _Receiver([])
        desk = Desk(channel, documents=documents)
        for number in range(8):
            desk.raise_(alert(number, kind="update"))
            await desk.serve(1)
        await desk.serve(3594)
        desk.raise_(alert(8, kind="update"))
        await desk.serve(5)
        await Desk(again, documents=documents).serve(60)

        assert {*channel.ids[6:]} == {again.ids[0]}
        assert [taken.title for taken in again.taken] == ["2 alerts, the last: title 7", "title 8"]

    run_story(story)
