"""The outbox: every alert reaches every channel in the end, and no channel holds up another."""

from typing import Any

import pytest
from outbox_desk import Desk, run_story
from reporting_doubles import (
    EPOCH_S,
    KEY,
    NUMBER,
    ScriptedChannel,
    alert,
)

from callagent_cli.errors import (
    AuthenticationFailed,
    InvalidPayload,
    Misconfigured,
    RateLimited,
    ServiceUnavailable,
)
from callagent_cli.events import AlertDelivered

DOWN = ServiceUnavailable("telegram answered 503")


def test_each_channel_gets_each_alert() -> None:
    """Delivered once per channel, said in an event, and closed in the store."""

    async def story() -> None:
        channels = [ScriptedChannel("email"), ScriptedChannel("telegram")]
        desk = Desk(*channels)
        desk.raise_(alert(1))
        desk.raise_(alert(2))
        await desk.serve(1)

        for channel in channels:
            assert [taken.title for taken in channel.taken] == ["title 1", "title 2"]
        assert (
            desk.emitted.count(AlertDelivered(alert="INC-0001-01", channel="email", delivered=True))
            == 1
        )
        assert desk.documents.documents("alert", open_only=True) == []
        assert desk.outbox.undelivered() == {}

    run_story(story)


def test_a_failing_channel_is_tried_after_growing_waits() -> None:
    """5, 10, 20 s, then 1, 2, 4 and every 5 min; then all that waits goes in one message."""

    async def story() -> None:
        channel = ScriptedChannel(answers=[DOWN] * 9)
        desk = Desk(channel)
        desk.raise_(alert(1))
        desk.raise_(alert(2))
        await desk.serve(3000)

        waits = [b - a for a, b in zip(channel.tried_s, channel.tried_s[1:], strict=False)]
        nominal = [5, 10, 20, 60, 120, 240, 300, 300, 300]
        assert [0.74 < wait / due < 1.26 for wait, due in zip(waits, nominal, strict=True)] == (
            [True] * 9
        )
        assert [taken.title for taken in channel.taken] == ["2 alerts, the last: title 2"]
        assert channel.taken[0].incident == "INC-0001"

    run_story(story)


def test_a_hanging_channel_holds_up_no_other() -> None:
    """The other channel has its alert at once; the hanging one is given up after 30 s."""

    async def story() -> None:
        slow, quick = ScriptedChannel("email", ["hang"]), ScriptedChannel("telegram")
        desk = Desk(slow, quick)
        desk.raise_(alert())
        await desk.serve(1)
        assert len(quick.taken) == 1
        assert slow.taken == []
        await desk.serve(40)
        assert len(slow.taken) == 1

    run_story(story)


def test_a_wait_that_the_receiver_asked_for_is_kept() -> None:
    """Retry-After is a floor, also when the run ends."""

    async def story() -> None:
        channel = ScriptedChannel(answers=[RateLimited("slow down", retry_after_s=77.0)])
        desk = Desk(channel)
        desk.raise_(alert())
        await desk.serve(1)
        assert await desk.outbox.flush(50) == 1
        assert await desk.outbox.flush(50) == 0
        assert 77.0 <= channel.tried_s[1] <= 78.0

    run_story(story)


def test_flushing_cuts_the_back_off_short_and_counts_what_is_left() -> None:
    """At the end of a run each channel is tried once more, and no longer than allowed."""

    async def story() -> None:
        channel = ScriptedChannel(answers=[DOWN] * 5)
        desk = Desk(channel, ScriptedChannel("email"))
        desk.raise_(alert())
        await desk.serve(1)

        assert await desk.outbox.flush(10) == 1
        assert desk.clock.monotonic() < 2
        assert desk.outbox.undelivered() == {"telegram": 1}
        channel.answers = ["hang"]
        assert await desk.outbox.flush(10) == 1

    run_story(story)


def test_what_was_not_delivered_survives_a_restart() -> None:
    """Another process takes up the rows, and repeats nothing that was delivered."""

    async def story() -> None:
        email = ScriptedChannel("email")
        desk = Desk(ScriptedChannel(answers=[DOWN]), email)
        desk.raise_(alert())
        await desk.serve(1)
        again = Desk(ScriptedChannel(), email, documents=desk.documents)
        await again.serve(1)

        assert len(email.taken) == 1
        assert again.outbox.undelivered() == {}

    run_story(story)


def test_a_message_keeps_its_id_over_tries_and_restarts() -> None:
    """The id by which a receiver drops repetitions is unique by run and alert."""

    async def story() -> None:
        first = Desk(ScriptedChannel(answers=[DOWN]))
        first.raise_(alert(1))
        kept = first.documents.text()
        channel = ScriptedChannel()
        second = Desk(channel, documents=first.documents)
        second.raise_(alert(2))
        await second.serve(1)

        assert channel.taken[0].message in kept
        assert channel.taken[0].message != channel.taken[1].message

    run_story(story)


def test_ten_messages_an_hour_then_a_digest() -> None:
    """The 11th to 40th alert of an hour arrive together when the hour is over."""

    async def story() -> None:
        channel = ScriptedChannel()
        desk = Desk(channel)
        for number in range(40):
            desk.raise_(alert(number))
        await desk.serve(3599)
        assert len(channel.taken) == 10
        await desk.serve(10)
        assert len(channel.taken) == 11
        assert channel.taken[-1].title == "30 alerts, the last: title 39"

        again = Desk(ScriptedChannel(), documents=desk.documents)
        again.raise_(alert(41))
        await again.serve(1)
        assert again.outbox.undelivered() == {}

    run_story(story)


def test_the_hourly_limit_survives_a_restart() -> None:
    """A worker that is started again and again does not flood a channel."""

    async def story() -> None:
        desk = Desk(ScriptedChannel())
        for number in range(10):
            desk.raise_(alert(number))
            await desk.serve(1)
        channel = ScriptedChannel()
        again = Desk(channel, documents=desk.documents)
        again.raise_(alert(99))
        await again.serve(60)
        assert channel.taken == []
        await again.serve(3600)
        assert len(channel.taken) == 1

    run_story(story)


@pytest.mark.parametrize(
    ("answers", "quiet_s"),
    [([DOWN] * 3, 11), ([AuthenticationFailed("wrong token", status=401)] * 3, 0)],
)
def test_a_broken_channel_is_said_once_and_its_recovery_too(
    answers: list[Any], quiet_s: float
) -> None:
    """After three failures, or at once when only a person can help."""

    async def story() -> None:
        patient = Desk(ScriptedChannel(answers=list(answers)))
        patient.raise_(alert())
        await patient.serve(quiet_s)
        assert patient.said == []

        desk = Desk(ScriptedChannel(answers=list(answers)))
        desk.raise_(alert())
        await desk.serve(3000)
        assert desk.said == [("broken", "telegram", answers[0].message), ("works", "telegram")]

    run_story(story)


def test_a_receiver_that_refuses_what_others_took_is_told_until_it_takes_it() -> None:
    """The alert counts as delivered and the channel as working; who is missed is told once."""

    class Halved(ScriptedChannel):
        missed = f"ops@x.test was refused with {KEY}"

    async def story() -> None:
        channel = Halved("email")
        desk = Desk(channel)
        for number in (1, 2):
            desk.raise_(alert(number))
            await desk.serve(1)
        channel.missed = ""
        desk.raise_(alert(3))
        await desk.serve(1)

        assert len(channel.taken) == 3
        assert desk.said == [
            ("works", "email"),
            ("broken", "email.recipients", "ops@x.test was refused with ***"),
            ("works", "email.recipients"),
        ]

    run_story(story)


def test_a_channel_only_a_person_can_mend_is_tried_again_now_and_then() -> None:
    """A refused token is no reason to knock every minute, and none to give up for good."""

    async def story() -> None:
        channel = ScriptedChannel(answers=[AuthenticationFailed("wrong token", status=401)] * 3)
        desk = Desk(channel)
        desk.raise_(alert())
        await desk.serve(3000)

        assert channel.tried_s == [0.0, 900.0, 1800.0, 2700.0]

    run_story(story)


def test_a_channel_is_not_told_of_its_own_failure() -> None:
    """The alert about Telegram goes out by email only."""

    async def story() -> None:
        telegram, email = ScriptedChannel("telegram"), ScriptedChannel("email")
        desk = Desk(telegram, email)
        desk.raise_(alert(service="alerts.telegram"))
        await desk.serve(1)

        assert telegram.taken == []
        assert len(email.taken) == 1

    run_story(story)


def test_a_receiver_that_is_gone_is_left_alone() -> None:
    """After a 410 nothing more is sent in this run; the alerts stay in the store."""

    async def story() -> None:
        channel = ScriptedChannel("webhook", [Misconfigured("gone", status=410)])
        desk = Desk(channel)
        desk.raise_(alert())
        await desk.serve(10_000)
        desk.raise_(alert(2))
        await desk.serve(10_000)

        assert len(channel.tried_s) == 1
        assert await desk.outbox.flush(10) == 2
        assert len(desk.documents.documents("alert", open_only=True)) == 2

    run_story(story)


def test_an_alert_that_is_refused_does_not_block_the_others() -> None:
    """A 400 about one message gives that one up; the next goes out at once."""

    async def story() -> None:
        channel = ScriptedChannel(answers=[InvalidPayload("cannot parse")])
        desk = Desk(channel)
        desk.raise_(alert(1))
        desk.raise_(alert(2))
        await desk.serve(1)

        assert [taken.title for taken in channel.taken] == ["title 2"]
        assert desk.outbox.undelivered() == {}

    run_story(story)


def test_a_channel_with_a_bug_is_a_failing_channel() -> None:
    """Whatever a channel raises, the outbox goes on and tries again."""

    async def story() -> None:
        channel = ScriptedChannel(answers=[ValueError(f"{KEY} {NUMBER}")])
        desk = Desk(channel)
        desk.raise_(alert())
        await desk.serve(10)

        assert len(channel.taken) == 1
        failed = desk.emitted[0]
        assert isinstance(failed, AlertDelivered)
        assert failed.error_message == "ValueError: *** …123"

    run_story(story)


def test_secrets_and_numbers_do_not_enter_the_outbox() -> None:
    """Neither the store nor a channel sees what an alert should not have carried."""

    async def story() -> None:
        channel = ScriptedChannel()
        desk = Desk(channel)
        desk.raise_(alert(title=f"{KEY} for {NUMBER}", body=f"{NUMBER} {KEY}"))
        await desk.serve(1)
        everything = desk.documents.text() + repr(channel.taken)

        assert KEY not in everything
        assert NUMBER not in everything
        assert channel.taken[0].raised_utc_s == EPOCH_S

    run_story(story)
