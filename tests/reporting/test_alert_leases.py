"""Two processes and one outbox in the store: an alert under a lease is sent by its holder only."""

import asyncio

import pytest
from memory_documents import MemoryDocuments
from outbox_desk import Desk, run_story
from reporting_doubles import EPOCH_S, ScriptedChannel, alert

LEASE_S = 45.0


def _desk(documents: MemoryDocuments, channel: ScriptedChannel) -> Desk:
    return Desk(channel, documents=documents)


@pytest.mark.parametrize("sent", [True, False])
def test_a_worker_leaves_a_leased_alert_to_whoever_sends_it(sent: bool) -> None:
    """One message in all: by the holder of the lease, or after its end by the worker."""
    documents, watcher, worker = MemoryDocuments(), ScriptedChannel(), ScriptedChannel()
    late_s: list[float] = []

    async def story() -> None:
        first = _desk(documents, watcher)
        first.outbox.lease(EPOCH_S + LEASE_S)
        first.raise_(alert())
        second = _desk(documents, worker)
        serving = asyncio.create_task(second.serve(LEASE_S + 5))
        await asyncio.sleep(1)
        if sent:
            await first.outbox.flush(5)
            first.outbox.end_lease()
        await serving
        late_s.extend(worker.tried_s)
        second.outbox.close()

    run_story(story)

    assert len(watcher.taken) + len(worker.taken) == 1
    assert late_s == ([] if sent else [LEASE_S])


def test_what_could_not_be_sent_under_a_lease_is_left_to_the_next_one() -> None:
    """The lease ends with the try, not with its time."""
    documents, channel = MemoryDocuments(), ScriptedChannel(answers=["hang"])
    worker = ScriptedChannel()

    async def story() -> None:
        first = _desk(documents, channel)
        first.outbox.lease(EPOCH_S + LEASE_S)
        first.raise_(alert())
        assert await first.outbox.flush(5) == 1
        first.outbox.end_lease()
        await _desk(documents, worker).serve(1)

    run_story(story)

    assert [taken.id for taken in worker.taken] == ["INC-0001-01"]
    assert worker.tried_s == [5.0]


def test_beside_a_worker_that_may_wake_up_only_its_own_alerts_are_sent() -> None:
    """The alerts of the other process stay where they are."""
    documents, channel = MemoryDocuments(), ScriptedChannel()

    async def story() -> None:
        _desk(documents, ScriptedChannel()).raise_(alert())
        watcher = Desk(channel, documents=documents, service="worker.heartbeat")
        watcher.raise_(alert(2, service="worker.heartbeat", incident="INC-0002"))
        await watcher.outbox.flush(5)

    run_story(story)

    assert [taken.id for taken in channel.taken] == ["INC-0001-02"]
