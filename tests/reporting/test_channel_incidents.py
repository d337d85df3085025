"""Channels, the sheet and the dead-man's switch: their incidents keep the times of all others."""

import asyncio
from pathlib import Path

import pytest
from memory_documents import MemoryDocuments
from reporting_doubles import KEY, Drill, loop_clock, run_jumping

from callagent_cli.events import AlertRaised, Bus, Stamped
from callagent_cli.reporting.incidents import channel_wording
from callagent_cli.reporting.incidents.incident import load
from callagent_cli.reporting.real_doors import RealDoors
from callagent_cli.reporting.redaction import Redactor
from callagent_cli.reporting.wiring import Reporting, Surroundings
from callagent_cli.services.http import Request, Response
from callagent_cli.settings import Alerts, Settings

FOUR_HOURS_S = 14_400.0
CHANNELS = ("telegram", "sheet", "heartbeat", "email.recipients")


def _broken(drill: Drill, channel: str = "telegram") -> Drill:
    drill.told += drill.book.channel_broken(channel, "answered 503", drill.instant())
    return drill


def _works(drill: Drill, channel: str = "telegram") -> Drill:
    drill.told += drill.book.channel_works(channel, drill.instant())
    return drill


@pytest.mark.parametrize("channel", CHANNELS)
def test_its_end_is_told_after_two_minutes_of_health(channel: str) -> None:
    """With the time it took, not with the time it was watched; killed meanwhile or not."""
    for killed in (False, True):
        drill = _works(_broken(Drill(), channel).at(600), channel).at(660)
        if killed:
            drill.restart()
        before = list(drill.at(719).kinds)
        drill.at(720)

        assert before == ["opened"]
        assert drill.kinds == ["opened", "resolved"]
        assert drill.told[-1].title.endswith("again after 10m")


def test_a_run_that_ends_sooner_marks_the_end_early() -> None:
    """Nobody waits for two minutes; what does not work stays open."""
    drill = _broken(_works(_broken(Drill()).at(600)).at(660), "sheet").end_of_run()

    assert drill.kinds == ["opened", "opened", "resolved"]
    assert "early: the run ended" in drill.told[-1].title
    assert [each.service for each in drill.book.incidents()] == ["sheet"]


def test_who_is_not_reached_is_an_incident_beside_that_of_the_channel() -> None:
    """Nobody is told that no alert gets through while the others have each of them."""
    drill = _broken(Drill(), "email.recipients")
    _broken(drill.at(60), "email")

    titles = [each.title for each in drill.told]
    assert titles == [
        "alerts by email do not reach everybody: answered 503",
        "alerts do not get through by email: answered 503",
    ]
    _works(_works(drill.at(120), "email"), "email.recipients").at(300)
    assert [each.title for each in drill.told[2:]] == [
        "alerts by email reach everybody again after 2m",
        "alerts get through by email again after 1m",
    ]


def test_who_is_not_reached_is_over_when_the_channel_is_taken_out_of_the_settings() -> None:
    """As long as it is set, a restart with the same settings ends nothing."""
    drill = _broken(Drill(), "email.recipients")

    kept = drill.book.channels_set(frozenset({"alerts.email"}), drill.instant())
    (left,) = drill.book.channels_set(frozenset(), drill.instant())

    assert kept == []
    assert left.title.startswith("nothing is sent by email any more")


@pytest.mark.parametrize("channel", CHANNELS)
def test_what_comes_and_goes_is_one_incident(channel: str) -> None:
    """One opened and one resolved, and updates at most every five minutes between them."""
    drill = Drill()
    for _ in range(4):
        _works(_broken(drill, channel).at(drill.now_s + 60), channel).at(drill.now_s + 60)
    drill.at(drill.now_s + 1000)

    assert drill.kinds.count("opened") == drill.kinds.count("resolved") == 1
    assert drill.kinds[-1] == "resolved"
    assert len(drill.kinds) <= 4
    assert [each.times_opened for each in load(drill.documents)] == [4]


@pytest.mark.parametrize(("after_s", "same"), [(600.0, True), (600.001, False)])
def test_what_breaks_within_ten_minutes_is_the_same_incident(after_s: float, same: bool) -> None:
    """That it was over is taken back at once, as its second time."""
    drill = _broken(_works(_broken(Drill()).at(60)).at(60 + after_s))

    assert drill.kinds == ["opened", "resolved", "update" if same else "opened"]
    assert ("telegram (2nd time): answered 503" in drill.told[-1].title) is same
    _works(drill.at(800)).at(1000)
    assert drill.kinds[-1] == ("update" if same else "resolved")
    assert all(each.status == "resolved" for each in load(drill.documents))


@pytest.mark.parametrize("channel", CHANNELS)
def test_what_stays_broken_is_reminded_of_every_four_hours(channel: str) -> None:
    """It is a warning; a restart puts nothing off."""
    drill = _broken(Drill(), channel).at(1000)
    drill.restart()
    told = [len(drill.at(at_s).told) for at_s in (FOUR_HOURS_S - 1, FOUR_HOURS_S, 30_000)]

    assert told == [1, 2, 3]
    assert drill.told[1].title == f"reminder: {drill.told[0].title}"


class _Switch:
    """A dead-man's switch that answers with one status at a time."""

    def __init__(self) -> None:
        self.status = 0

    async def send(self, _: Request) -> Response:
        """Answer at once."""
        return Response(self.status, {}, b"")

    async def close(self) -> None:
        """Release nothing."""


async def _run(
    documents: MemoryDocuments, folder: Path, *answers: tuple[int, float], killed: bool = False
) -> list[tuple[str, str]]:
    """Play a run whose switch gives each answer for some time; return its alerts by kind, title."""
    clock, switch = loop_clock(), _Switch()
    bus = Bus(clock, run="run_1", campaign="contacts")
    seen: list[tuple[str, str]] = []

    def see(stamped: Stamped) -> None:
        if isinstance(stamped.event, AlertRaised):
            seen.append((stamped.event.kind, stamped.event.title))

    bus.listen(see)
    reporting = Reporting(
        Surroundings(
            clock=clock,
            bus=bus,
            settings=Settings(alerts=Alerts(heartbeat_url="https://a.invalid/ping")),
            documents=documents,
            folder=folder,
            redactor=Redactor([KEY]),
            screen=lambda _: None,
            real=True,
            doors=RealDoors(http_for=lambda _: switch, environ={}),
        )
    )
    running = asyncio.create_task(reporting.run())
    for switch.status, for_s in answers:
        await asyncio.sleep(for_s)
    if not killed:
        reporting.end_of_run()
    running.cancel()
    await asyncio.wait({running})
    await reporting.close()
    return seen


def test_a_switch_that_a_run_left_unreached_is_ended_by_the_next(tmp_path: Path) -> None:
    """The first run ends while it is not reached; the next one reaches it at once."""
    documents = MemoryDocuments()

    async def story() -> list[tuple[str, str]]:
        lives = [await _run(documents, tmp_path, (status, 300)) for status in (401, 401, 200)]
        return [told for life in lives for told in life]

    told = run_jumping(story())

    assert [title.partition(":")[0].partition(" after")[0] for _, title in told] == [
        "the dead-man's switch is not reached",
        "the dead-man's switch is reached again",
    ]
    assert [each.service for each in load(documents)] == [channel_wording.HEARTBEAT]


@pytest.mark.parametrize(("status", "kinds"), [(401, ["update"]), (503, ["resolved", "update"])])
def test_a_switch_that_breaks_again_after_a_kill_in_its_first_health_is_told(
    tmp_path: Path, status: int, kinds: list[str]
) -> None:
    """What only a person can mend takes the end back at once; else the third failure in a row."""
    documents = MemoryDocuments()

    async def story() -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        first = await _run(documents, tmp_path, (status, 200), (204, 61), killed=True)
        return first, await _run(documents, tmp_path, (status, 3600), killed=True)

    first, second = run_jumping(story())

    assert [kind for kind, _ in first] == ["opened"]
    assert [kind for kind, _ in second] == kinds
    assert f"(2nd time): heartbeat answered {status}" in second[-1][1]
    assert [each.closed_utc_s for each in load(documents)] == [None]


def test_a_switch_that_is_reached_after_a_kill_in_its_first_health_is_over_once(
    tmp_path: Path,
) -> None:
    """The next run goes on with the two minutes of health, and tells the end a single time."""
    documents = MemoryDocuments()

    async def story() -> list[tuple[str, str]]:
        await _run(documents, tmp_path, (503, 200), (204, 61), killed=True)
        return await _run(documents, tmp_path, (204, 3600), killed=True)

    assert [kind for kind, _ in run_jumping(story())] == ["resolved"]
