"""A channel with several receivers: each gets every alert once, however long others are put off."""

from collections.abc import Mapping
from email.message import EmailMessage
from itertools import pairwise

import pytest
from memory_documents import MemoryDocuments
from outbox_desk import Desk, run_story
from reporting_doubles import KEY, alert

from callagent_cli.events import AlertDelivered, CommandObeyed
from callagent_cli.reporting.channels.email import EmailChannel, Refused
from callagent_cli.reporting.incidents.mutes import mute_argument
from callagent_cli.settings import Email

OPS, GREY, GONE = "ops@b.test", "grey@b.test", "gone@b.test"
LATER = (451, "greylisted")
NEVER = (550, f"no such user {KEY}")


class _Mails(EmailChannel):
    """An email channel whose server refuses whom it is told to; `inbox` is what each one got."""

    def __init__(self, *to: str, refuses: Mapping[str, tuple[int, str]] | None = None) -> None:
        super().__init__(Email(host="h", sender="a@b.test", to=list(to), tls="none"), password="")
        self.refuses = dict(refuses or {})
        self.inbox: dict[str, list[str]] = {address: [] for address in to}

    async def _session(self, message: EmailMessage | None, to: list[str]) -> Refused:
        """Take a mail for those who are not refused."""
        assert message is not None
        for address in to:
            if address not in self.refuses:
                self.inbox[address].append(message["Subject"].removeprefix("[critical] "))
        return {address: self.refuses[address] for address in to if address in self.refuses}


def test_who_has_an_alert_does_not_get_it_again_in_a_digest() -> None:
    """The later alert comes to them alone, and to those who were put off with what they lack."""

    async def story() -> None:
        mails = _Mails(OPS, GREY, refuses={GREY: LATER})
        desk = Desk(mails)
        desk.raise_(alert(1))
        await desk.serve(1)
        desk.raise_(alert(2))
        await desk.serve(30)
        assert mails.inbox == {OPS: ["title 1", "title 2"], GREY: []}
        del mails.refuses[GREY]
        await desk.serve(600)

        assert mails.inbox == {
            OPS: ["title 1", "title 2"],
            GREY: ["2 alerts, the last: title 2"],
        }
        assert desk.outbox.undelivered() == {}
        delivered = [each for each in desk.emitted if isinstance(each, AlertDelivered)]
        assert [each.alert for each in delivered if each.delivered] == [
            "INC-0001-01",
            "INC-0001-02",
        ]

    run_story(story)


def test_who_was_put_off_gets_what_it_lacks_in_its_order() -> None:
    """The later alert does not reach it before the first one, although it could."""

    async def story() -> None:
        mails = _Mails(OPS, GREY, refuses={GREY: LATER})
        desk = Desk(mails)
        desk.raise_(alert(1))
        await desk.serve(1)
        del mails.refuses[GREY]
        desk.raise_(alert(2, kind="resolved"))
        await desk.serve(30)

        assert mails.inbox == {
            OPS: ["title 1", "title 2"],
            GREY: ["2 alerts, the last: title 2"],
        }

    run_story(story)


def test_who_is_put_off_for_long_holds_up_nobody() -> None:
    """The others have each alert at once, however often that one was tried, and have it once."""

    async def story() -> None:
        mails = _Mails(OPS, GREY, GONE, refuses={GREY: (452, "mailbox full"), GONE: NEVER})
        desk = Desk(mails)
        for number in range(1, 9):
            desk.raise_(alert(number))
            await desk.serve(1)
            assert mails.inbox[OPS] == [f"title {each}" for each in range(1, number + 1)]
            await desk.serve(400)
            assert mails.inbox[OPS] == [f"title {each}" for each in range(1, number + 1)]
        assert mails.inbox[GREY] == []
        assert [said[:2] for said in desk.said] == [
            ("works", "email"),
            ("broken", "email.recipients"),
        ]

    run_story(story)


def test_who_is_put_off_is_tried_again_after_ever_longer_pauses() -> None:
    """As the channel itself would be: 5, 10, 20 s, then minutes; its breaker does not move."""

    async def story() -> None:
        mails = _Mails(OPS, GREY, refuses={GREY: LATER})
        desk = Desk(mails)
        tried: list[float] = []
        session = mails._session

        async def noted(message: EmailMessage | None, to: list[str]) -> Refused:
            tried.append(desk.clock.monotonic())
            return await session(message, to)

        mails._session = noted  # type: ignore[method-assign]
        desk.raise_(alert(1))
        await desk.serve(1_100)

        pauses = [round(after - before) for before, after in pairwise(tried)]
        assert pauses == [5, 10, 20, 60, 120, 240, 300, 300]
        assert desk.outbox._queues["email"].guard.breaker.state == "closed"

    run_story(story)


def test_who_is_put_off_is_not_asked_again_because_another_alert_waits_for_room() -> None:
    """With most of the hour's messages used up an update waits, and what began is put off."""

    async def story() -> None:
        mails = _Mails(OPS, GREY, refuses={GREY: LATER})
        desk = Desk(mails)
        asked: list[float] = []
        session = mails._session

        async def noted(message: EmailMessage | None, to: list[str]) -> Refused:
            asked.extend(desk.clock.monotonic() for each in to if each == GREY)
            assert len(asked) < 100
            return await session(message, to)

        mails._session = noted  # type: ignore[method-assign]
        for number in range(1, 7):
            desk.raise_(alert(number))
            await desk.serve(1)
        desk.raise_(alert(7, kind="update"))
        await desk.serve(3_600)

        assert min(after - before for before, after in pairwise(asked)) >= 5
        assert mails.inbox[OPS] == [f"title {each}" for each in range(1, 8)]

    run_story(story)


def test_a_run_that_ends_tries_who_is_put_off_once_more() -> None:
    """Whatever pause was left; and then it is left to the next run."""

    async def story() -> None:
        mails = _Mails(OPS, GREY, refuses={GREY: LATER})
        desk = Desk(mails)
        desk.raise_(alert(1))
        await desk.serve(100)
        desk.raise_(alert(2))
        assert await desk.outbox.flush(5.0) == 2
        assert mails.inbox == {OPS: ["title 1", "title 2"], GREY: []}
        del mails.refuses[GREY]
        assert await desk.outbox.flush(5.0) == 0

        assert mails.inbox == {
            OPS: ["title 1", "title 2"],
            GREY: ["2 alerts, the last: title 2"],
        }

    run_story(story)


def test_a_server_that_puts_off_everybody_has_failed() -> None:
    """Nobody has the alert, so the channel's own patience counts, and its breaker opens."""

    async def story() -> None:
        desk = Desk(_Mails(OPS, GREY, refuses={OPS: LATER, GREY: LATER}))
        desk.raise_(alert(1))
        await desk.serve(60)

        assert desk.outbox._queues["email"].guard.breaker.state == "open"

    run_story(story)


@pytest.mark.parametrize("restarts", [False, True])
def test_who_heard_that_it_began_hears_that_it_is_over_under_a_mute(*, restarts: bool) -> None:
    """Although another recipient is put off, so that the first alert waits still."""

    async def story() -> None:
        mails = _Mails(OPS, GREY, refuses={GREY: LATER})
        desk = Desk(mails)
        desk.raise_(alert(1))
        await desk.serve(30)
        if restarts:
            desk = Desk(mails, documents=desk.documents)
        until = mute_argument("all", desk.clock.utc() + 3_600)
        desk.see(CommandObeyed(command="mute", argument=until, by="ana"))
        desk.raise_(alert(2, kind="resolved"))
        await desk.serve(30)

        assert mails.inbox == {OPS: ["title 1", "title 2"], GREY: []}

    run_story(story)


def test_a_restart_forgets_no_message_of_the_hour_while_a_recipient_is_put_off() -> None:
    """Ten an hour and no more: what the others have counts, though nothing is delivered yet."""

    async def story() -> None:
        mails = _Mails(OPS, GREY, refuses={GREY: LATER})
        desk = Desk(mails)
        for number in range(1, 9):
            desk.raise_(alert(number))
            await desk.serve(1)
        desk = Desk(mails, documents=desk.documents)
        for number in range(9, 17):
            desk.raise_(alert(number))
            await desk.serve(1)

        assert len(mails.inbox[OPS]) == 10

    run_story(story)


def test_receivers_that_are_put_off_one_after_the_other_get_all_of_it_once() -> None:
    """Who waits for one alert and who waits for two are served in turn."""

    async def story() -> None:
        mails = _Mails(OPS, GREY, GONE, refuses={GREY: LATER})
        desk = Desk(mails)
        desk.raise_(alert(1))
        await desk.serve(1)
        mails.refuses[GONE] = LATER
        desk.raise_(alert(2))
        await desk.serve(200)
        assert mails.inbox == {OPS: ["title 1", "title 2"], GREY: [], GONE: ["title 1"]}
        del mails.refuses[GONE]
        await desk.serve(900)
        assert mails.inbox[GONE] == ["title 1", "title 2"]
        del mails.refuses[GREY]
        await desk.serve(900)

        assert mails.inbox[OPS] == mails.inbox[GONE] == ["title 1", "title 2"]
        assert mails.inbox[GREY] == ["2 alerts, the last: title 2"]

    run_story(story)


def test_a_restart_forgets_neither_who_has_an_alert_nor_who_refused_it() -> None:
    """The next process sends it to the one who was put off, and names the one who refused it."""

    async def story() -> None:
        documents, refuses = MemoryDocuments(), {GREY: LATER, GONE: NEVER}
        first = Desk(_Mails(OPS, GREY, GONE, refuses=refuses), documents=documents)
        first.raise_(alert())
        await first.serve(1)
        mails = _Mails(OPS, GREY, GONE)
        second = Desk(mails, documents=documents)
        await second.serve(1)

        assert mails.inbox == {OPS: [], GREY: ["title 1"], GONE: []}
        assert [said[:2] for said in second.said] == [
            ("works", "email"),
            ("broken", "email.recipients"),
        ]
        why = second.said[-1][2]
        assert f"({GONE} 550 no such user" in why
        assert KEY not in documents.text()

    run_story(story)


def test_nobody_waits_for_a_receiver_that_the_settings_name_no_more() -> None:
    """Taking out an address that is put off settles the alerts that waited for it alone."""

    async def story() -> None:
        documents = MemoryDocuments()
        first = Desk(_Mails(OPS, GREY, refuses={GREY: LATER}), documents=documents)
        first.raise_(alert(1))
        await first.serve(1)
        mails = _Mails(GONE)
        second = Desk(mails, documents=documents)
        second.raise_(alert(2))
        await second.serve(1)
        assert mails.inbox == {GONE: ["title 1", "title 2"]}
        assert second.outbox.undelivered() == {}

        third = Desk(_Mails(OPS, GREY, refuses={GREY: LATER}), documents=documents)
        third.raise_(alert(3))
        await third.serve(1)
        fourth = Desk(_Mails(OPS), documents=documents)
        await fourth.serve(1)
        assert fourth.outbox.undelivered() == {}
        assert fourth.said == [("works", "email"), ("works", "email.recipients")]

    run_story(story)


def test_a_server_that_fails_is_told_although_a_receiver_was_put_off_before() -> None:
    """That some are not reached says nothing of all: the others hear of each once."""

    async def story() -> None:
        mails = _Mails(OPS, GREY, refuses={GREY: LATER})
        desk = Desk(mails)
        desk.raise_(alert(1))
        await desk.serve(100)
        mails.refuses = {OPS: LATER, GREY: LATER}
        desk.raise_(alert(2))
        await desk.serve(100)
        assert [said[:2] for said in desk.said] == [
            ("works", "email"),
            ("broken", "email.recipients"),
            ("broken", "email"),
        ]
        mails.refuses.clear()
        await desk.serve(1_000)

        assert desk.said[3:] == [("works", "email"), ("works", "email.recipients")]

    run_story(story)


def test_what_only_some_receivers_took_counts_among_the_messages_of_an_hour() -> None:
    """One that is put off does not lift the limit for the others."""

    async def story() -> None:
        mails = _Mails(OPS, GREY, refuses={GREY: LATER})
        desk = Desk(mails)
        for number in range(50):
            desk.raise_(alert(number))
            await desk.serve(60)
        assert len(mails.inbox[OPS]) == 10

    run_story(story)


def test_alerts_that_all_receivers_refuse_are_tried_on_all_of_them_again() -> None:
    """Nobody has the alert, whoever refused it first: each of the addresses may be mended."""

    async def story() -> None:
        mails = _Mails(GREY, GONE, refuses={GREY: LATER, GONE: NEVER})
        desk = Desk(mails)
        desk.raise_(alert())
        await desk.serve(1)
        mails.refuses[GREY] = NEVER
        await desk.serve(60)
        ((_, _, why),) = desk.said
        assert "reaches others" not in why
        mails.refuses.clear()
        await desk.serve(1000)
        assert mails.inbox == {GREY: ["title 1"], GONE: ["title 1"]}

    run_story(story)
