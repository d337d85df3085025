"""What receivers tie together: ids over restarts, acknowledgements, a chat that moved, digests."""

import asyncio
import json
from collections.abc import Callable

import pytest
from channel_trials import channel_of
from loopback_servers import HttpServer, json_answer
from memory_documents import MemoryDocuments
from outbox_desk import Desk, run_story
from reporting_doubles import KEY, ScriptedChannel, alert
from standardwebhooks.webhooks import Webhook as Verifier

from callagent_cli.errors import ServiceUnavailable
from callagent_cli.events import AlertRaised, CommandObeyed
from callagent_cli.reporting.acknowledgement import KIND as ACKNOWLEDGEMENT
from callagent_cli.reporting.acknowledgement import acknowledgement, keep
from callagent_cli.reporting.alert import Channel
from callagent_cli.reporting.channels.pagerduty import dedup_key
from callagent_cli.reporting.incidents.incident import Incident, find, save
from callagent_cli.settings import Alerts, PagerDuty, Telegram, Webhook

SECRETS = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_b2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xk")
ENVIRON = {
    "TELEGRAM_BOT_TOKEN": KEY,
    "PAGERDUTY_ROUTING_KEY": KEY,
    "CALLAGENT_WEBHOOK_SECRET": " ".join(SECRETS),
}
DOWN = ServiceUnavailable("answered 503")
ACK = CommandObeyed(command="ack", argument="INC-0001", by="anna")


def _incident(documents: MemoryDocuments, incident: str = "INC-0001") -> None:
    save(
        documents,
        Incident(
            id=incident,
            key="elevenlabs:ServiceUnavailable",
            cause="breaker",
            service="elevenlabs",
            error_class="ServiceUnavailable",
            severity="critical",
            first_failure_utc_s=0.0,
            opened_utc_s=0.0,
        ),
    )


# A chat that moved


def _telegram(base_url: str, chat_id: str = "-100") -> Channel:
    return channel_of(Alerts(telegram=Telegram(base_url=base_url, chat_id=chat_id)), ENVIRON)


def test_a_chat_that_moved_is_remembered_over_a_restart_and_told_once() -> None:
    """The next run writes to the new chat at once; who set another chat is not overruled."""
    moved = json_answer(
        400, ok=False, description="upgraded", parameters={"migrate_to_chat_id": -1009}
    )
    taken = json_answer(200, ok=True, result={"message_id": 1})
    learned: list[tuple[str, str]] = []

    async def deliver(channel: Channel, documents: MemoryDocuments, number: int) -> None:
        desk = Desk(channel, documents=documents, on_learned=lambda *said: learned.append(said))
        desk.raise_(alert(number))
        assert await desk.outbox.flush(5) == 0
        await channel.close()

    async def story() -> list[str]:
        documents = MemoryDocuments()
        async with HttpServer([moved], forever=taken) as server:
            await deliver(_telegram(server.base_url), documents, 1)
            await deliver(_telegram(server.base_url), documents, 2)
            await deliver(_telegram(server.base_url, "-1009"), documents, 3)
            await deliver(_telegram(server.base_url, "-555"), documents, 4)
            return [json.loads(request.body)["chat_id"] for request in server.requests]

    chats = asyncio.run(story())

    assert chats == ["-100", "-1009", "-1009", "-1009", "-555"]
    assert learned == [
        ("telegram", "the chat moved: set `alerts.telegram.chat_id` to `-1009`"),
    ]


# Webhooks


def test_a_webhook_keeps_its_id_when_the_answer_was_lost_and_the_worker_was_killed() -> None:
    """The receiver took it, we never heard: the next worker sends the same id, signed anew."""

    async def story() -> list[tuple[str, str, dict[str, str]]]:
        documents = MemoryDocuments()
        async with HttpServer([(503, {}, b""), (204, {}, b"")], forever=(204, {}, b"")) as server:
            for number in (1, 2):
                channel = channel_of(
                    Alerts(webhook=Webhook(url=f"{server.base_url}/hook")), ENVIRON
                )
                desk = Desk(channel, documents=documents)
                desk.raise_(alert(number))
                await desk.outbox.flush(5)
                await channel.close()
            return [
                (request.headers["webhook-id"], request.body.decode(), request.headers)
                for request in server.requests
            ]

    requests = asyncio.run(story())
    ids = [identity for identity, _, _ in requests]

    assert len(requests) == 3
    assert ids[0] == ids[1] != ids[2]
    assert requests[0][1] == requests[1][1]
    for secret in SECRETS:
        for _, body, headers in requests:
            assert Verifier(secret).verify(body, headers)["type"] == "alert.opened"


def test_a_webhook_that_failed_gets_each_alert_with_its_own_id() -> None:
    """A digest would hide from the receiver which of them it has already."""

    async def story() -> None:
        channel = ScriptedChannel("webhook", [DOWN])
        desk = Desk(channel)
        desk.raise_(alert(1))
        desk.raise_(alert(2))
        await desk.serve(60)

        assert [taken.title for taken in channel.taken] == ["title 1", "title 2"]

    run_story(story)


# PagerDuty


def _pagerduty(base_url: str) -> Channel:
    return channel_of(Alerts(pagerduty=PagerDuty(base_url=base_url)), ENVIRON)


async def _sent(
    act: Callable[[Desk], object], documents: MemoryDocuments, *, server: HttpServer
) -> list[tuple[str, str]]:
    """Do something at a desk with a real PagerDuty channel; return what it was sent."""
    channel = _pagerduty(server.base_url)
    desk = Desk(channel, documents=documents)
    act(desk)
    await desk.outbox.flush(5)
    await channel.close()
    sent = [json.loads(request.body) for request in server.requests]
    server.requests.clear()
    return [(event["event_action"], event["dedup_key"]) for event in sent]


def test_pagerduty_hears_that_somebody_has_seen_an_incident() -> None:
    """Trigger, acknowledge and resolve carry one key, also when another campaign's run ends it."""
    accepted = json_answer(202, status="success", message="Event processed")

    async def story() -> list[list[tuple[str, str]]]:
        documents = MemoryDocuments()
        _incident(documents)
        async with HttpServer([], forever=accepted) as server:
            return [
                await _sent(act, documents, server=server)
                for act in (
                    lambda desk: desk.raise_(alert(1)),
                    lambda desk: desk.see(ACK),
                    lambda desk: desk.raise_(alert(2, kind="resolved"), run="run_2", campaign="b"),
                )
            ]

    told = asyncio.run(story())
    keys = {key for events in told for _, key in events}

    assert [[action for action, _ in events] for events in told] == [
        ["trigger"],
        ["acknowledge"],
        ["resolve"],
    ]
    assert keys == {"callagent/run_1.INC-0001"}


def test_an_acknowledgement_without_a_worker_waits_for_the_next_one() -> None:
    """`alerts ack` leaves it in the store; who was not told of the incident hears nothing."""

    async def story() -> None:
        documents = MemoryDocuments()
        _incident(documents)
        assert acknowledgement(documents, "INC-0001", by="anna", now_utc_s=1.0) is None
        told = Desk(ScriptedChannel("pagerduty"), documents=documents)
        told.raise_(alert(1))
        await told.serve(1)
        row = acknowledgement(documents, "INC-0001", by="anna", now_utc_s=2.0)
        assert row is not None
        keep(documents, row, waits=True)
        assert acknowledgement(documents, "INC-0001", by="ben", now_utc_s=3.0) is None
        channel = ScriptedChannel("pagerduty")
        again = Desk(channel, ScriptedChannel("email"), documents=documents)
        await again.serve(1)

        assert [(taken.status, taken.title) for taken in channel.taken] == [
            ("acknowledged", "INC-0001 was seen by anna")
        ]
        assert dedup_key(channel.taken[0]) == "callagent/run_1.INC-0001"
        assert documents.documents(ACKNOWLEDGEMENT, open_only=True) == []

    run_story(story)


def _over(documents: MemoryDocuments, desk: Desk) -> None:
    found = find(documents, "INC-0001")
    assert found is not None
    save(documents, found.evolve(status="resolved", resolved_utc_s=9.0))
    desk.outbox.end_quietly()


@pytest.mark.parametrize("killed", [False, True])
def test_failed_calls_call_nobody_by_pagerduty_once_their_run_has_ended(killed: bool) -> None:
    """Their incident ends without an alert: PagerDuty hears of it once, and people do not."""

    async def story() -> None:
        documents = MemoryDocuments()
        _incident(documents)
        pagerduty, email = ScriptedChannel("pagerduty"), ScriptedChannel("email")
        desk = Desk(pagerduty, email, documents=documents)
        desk.raise_(alert(1, kind="call_failed"))
        await desk.serve(1)
        _over(documents, desk)
        if killed:
            desk = Desk(pagerduty, email, documents=documents)
        desk.outbox.end_quietly()
        assert await desk.outbox.flush(5) == 0

        assert [taken.status for taken in pagerduty.taken] == ["open", "resolved"]
        assert len({dedup_key(taken) for taken in pagerduty.taken}) == 1
        assert [taken.status for taken in email.taken] == ["open"]

    run_story(story)


def test_an_end_that_was_told_is_not_told_again() -> None:
    """The last alert of an incident resolved it, and of another PagerDuty never heard."""

    async def story() -> None:
        documents = MemoryDocuments()
        _incident(documents)
        muted = Desk(ScriptedChannel("email"), documents=documents)
        muted.raise_(alert(1))
        _over(documents, muted)
        desk = Desk(ScriptedChannel("pagerduty"), documents=documents)
        _incident(documents, "INC-0002")
        desk.raise_(_of("INC-0002", 1))
        desk.raise_(alert(2, incident="INC-0002", alert="INC-0002-02", kind="resolved"))
        desk.outbox.end_quietly()

        assert documents.documents(ACKNOWLEDGEMENT) == []

    run_story(story)


def test_an_acknowledgement_never_stands_in_for_its_alert() -> None:
    """Both waited while PagerDuty was down: the alert goes first, and the rest is one message."""

    async def story() -> None:
        channel = ScriptedChannel("pagerduty", [DOWN])
        desk = Desk(channel)
        _incident(desk.documents)
        desk.raise_(alert(1))
        desk.see(ACK)
        desk.raise_(alert(2, kind="update"))
        await desk.serve(60)

        assert [taken.status for taken in channel.taken] == ["open", "acknowledged"]
        assert channel.taken[0].title == "2 alerts, the last: title 2"

    run_story(story)


@pytest.mark.parametrize("name", ["pagerduty", "webhook"])
def test_a_program_gets_a_digest_of_each_incident(name: str) -> None:
    """Two incidents in one message would leave one of them open there for good."""

    async def story() -> None:
        channel = ScriptedChannel(name)
        desk = Desk(channel)
        for number in range(10):
            desk.raise_(alert(number))
        await desk.serve(10)
        channel.taken.clear()
        desk.raise_(alert(20))
        desk.raise_(alert(21, kind="resolved"))
        desk.raise_(_of("INC-0002", 1))
        desk.raise_(_of("INC-0002", 2))
        await desk.serve(3600)

        assert [(taken.incident, taken.status) for taken in channel.taken] == [
            ("INC-0001", "resolved"),
            ("INC-0002", "open"),
        ]

    run_story(story)


def _of(incident: str, number: int) -> AlertRaised:
    return alert(number, incident=incident, alert=f"{incident}-{number:02d}")


def test_what_belongs_to_no_incident_calls_nobody_by_pagerduty() -> None:
    """Nothing would ever resolve it there."""

    async def story() -> int:
        async with HttpServer([]) as server:
            channel = _pagerduty(server.base_url)
            desk = Desk(channel)
            desk.raise_(alert(1, incident="", alert="notice-1"))
            assert await desk.outbox.flush(5) == 0
            await channel.close()
            return len(server.requests)

    assert asyncio.run(story()) == 0
