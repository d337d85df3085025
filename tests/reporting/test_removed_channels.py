"""A channel that was taken out of the settings: what waited for it is given up, in the open."""

import asyncio
from pathlib import Path

from memory_documents import MemoryDocuments
from outbox_desk import Desk, run_story
from reporting_doubles import (
    KEY,
    Drill,
    ScriptedChannel,
    alert,
    breaker,
    failed_attempt,
    loop_clock,
    run_jumping,
)

from callagent_cli.errors import ServiceUnavailable
from callagent_cli.events import AlertDelivered, AlertRaised, Bus, Stamped
from callagent_cli.reporting.channels.mock import MockChannel
from callagent_cli.reporting.incidents import channel_wording
from callagent_cli.reporting.incidents.report import report_of
from callagent_cli.reporting.outbox import NOT_SET
from callagent_cli.reporting.real_doors import RealDoors
from callagent_cli.reporting.redaction import Redactor
from callagent_cli.reporting.sinks import MemorySink
from callagent_cli.reporting.wiring import Reporting, Surroundings
from callagent_cli.services.http import Request, Response
from callagent_cli.settings import Alerts, Settings, Slack
from callagent_cli.store.port import RunRow

DOWN = ServiceUnavailable("slack answered 503")
GIVEN_UP = AlertDelivered(
    alert="INC-0001-01", channel="slack", delivered=False, error_message=NOT_SET
)


def test_what_waited_for_a_removed_channel_is_given_up_and_said() -> None:
    """It is an event, it is counted no more, and setting the channel again brings no old news."""

    async def story() -> None:
        before = Desk(ScriptedChannel("slack", answers=[DOWN]), ScriptedChannel("email"))
        before.raise_(alert())
        await before.serve(1)
        without = Desk(ScriptedChannel("email"), documents=before.documents)
        without.outbox.retire()
        without.outbox.retire()

        assert without.emitted == [GIVEN_UP]
        assert before.documents.documents("alert", open_only=True) == []
        slack = ScriptedChannel("slack")
        await Desk(slack, documents=before.documents).serve(1)
        assert slack.taken == []

    run_story(story)


def test_a_mock_does_not_deliver_what_was_meant_for_people() -> None:
    """Its place is taken by a mock: what was tried on the real one is not said to be delivered."""

    async def story() -> None:
        before = Desk(ScriptedChannel("slack", answers=[DOWN]))
        before.raise_(alert())
        await before.serve(1)
        lines = MemorySink()
        pretended = MockChannel("slack", lines, before.clock)
        after = Desk(pretended, documents=before.documents)
        after.outbox.retire()
        await after.serve(1)

        assert after.emitted == [GIVEN_UP]
        assert lines.lines == []

    run_story(story)


def test_the_report_does_not_call_a_mocks_line_a_delivery() -> None:
    """Who reads it must not believe that a mail went out."""

    async def story() -> None:
        drill = Drill().see(*[failed_attempt()] * 4, breaker("closed", "open"))
        desk = Desk(
            MockChannel("email", MemorySink(), loop_clock()),
            ScriptedChannel("slack"),
            documents=drill.documents,
        )
        desk.raise_(drill.told[0])
        await desk.serve(1)
        report = report_of(drill.documents, "INC-0001", state_of=str)
        assert report is not None
        lines = [entry.text for entry in report.timeline if "delivered" in entry.text]
        who = " ".join(sorted(lines))
        assert "email (pretended)" in who
        assert "slack" in who
        assert "slack (pretended)" not in who

    run_story(story)


class _Failing:
    """A receiver that is down."""

    async def send(self, _: Request) -> Response:
        """Answer as a broken server does."""
        return Response(500, {}, b"rollup_error")

    async def close(self) -> None:
        """Do nothing."""


def _reporting(
    documents: MemoryDocuments, folder: Path, *, slack: Slack | None, seen: list[Stamped]
) -> Reporting:
    clock = loop_clock()
    bus = Bus(clock, run="run_1", campaign="contacts")
    bus.listen(seen.append)
    return Reporting(
        Surroundings(
            clock=clock,
            bus=bus,
            settings=Settings(alerts=Alerts(slack=slack, heartbeat_url="https://a.invalid/ping")),
            documents=documents,
            folder=folder,
            redactor=Redactor([KEY]),
            screen=lambda _: None,
            real=True,
            doors=RealDoors(
                http_for=lambda _: _Failing(),
                environ={"SLACK_WEBHOOK_URL": "https://slack.invalid/services/T/B/X"},
            ),
        )
    )


def test_the_incident_of_a_removed_channel_is_over(tmp_path: Path) -> None:
    """The first run without it says on the others that nothing is sent there any more."""
    documents = MemoryDocuments()
    last = RunRow(
        id="run_0",
        campaign="contacts",
        mode="sandbox",
        pid=1,
        host="here",
        lanes=1,
        started_utc_s=0.0,
        heartbeat_utc_s=1.0,
        ended_utc_s=2.0,
    )

    async def story() -> None:
        seen: list[Stamped] = []
        before = _reporting(documents, tmp_path, slack=Slack(), seen=seen)
        running = asyncio.create_task(before.run())
        before.outbox(Stamped(0.0, 0.0, 1, "run_1", "contacts", alert()))
        await asyncio.sleep(300)
        running.cancel()
        await asyncio.wait({running})
        await before.close()
        slots = {incident.service for incident in before.book.incidents()}
        assert slots == {"alerts.slack", channel_wording.HEARTBEAT}

        seen.clear()
        after = _reporting(documents, tmp_path, slack=None, seen=seen)
        after.follows(last)
        raised = [each.event for each in seen if isinstance(each.event, AlertRaised)]
        await after.close()
        assert [event.kind for event in raised] == ["resolved"]
        assert raised[0].title.startswith("nothing is sent by slack any more after 4m")
        assert [incident.service for incident in after.book.incidents()] == [
            channel_wording.HEARTBEAT
        ]

    run_jumping(story())
