"""Mutes: silence has an end, and whoever heard that it began hears that it is over."""

import pytest
from outbox_desk import Desk, run_story
from reporting_doubles import (
    EPOCH_S,
    Drill,
    ScriptedChannel,
    alert,
    breaker,
    failed_attempt,
    failed_call,
)

from callagent_cli.events import CommandObeyed
from callagent_cli.reporting.incidents.mutes import Mute, Mutes, mute_argument, mute_of, mutes_of


def _muted(target: str, until_s: float) -> CommandObeyed:
    argument = mute_argument(target, EPOCH_S + until_s)
    return CommandObeyed(command="mute", argument=argument, by="ana")


def test_how_a_muted_incident_stands_is_told_when_the_mute_is_over() -> None:
    """Whoever wanted an hour of silence hears what is still down after it."""
    drill = Drill().see(*[failed_attempt()] * 4, breaker("closed", "open"))
    drill.see(_muted("elevenlabs", 600)).at(599)
    before = list(drill.kinds)
    drill.at(601)

    assert before == ["opened"]
    assert drill.kinds == ["opened", "update"]


def _down(drill: Drill) -> Drill:
    return drill.see(*[failed_attempt()] * 4, breaker("closed", "open"))


def test_what_begins_under_a_mute_is_told_when_it_is_over() -> None:
    """Its opened alert reached nobody, nor did the update that came in between."""
    drill = Drill().see(_muted("all", 600)).at(300)
    _down(drill).see(failed_call(), failed_attempt(call="call_2"), failed_call("call_2")).at(599)
    before = len(drill.told)
    drill.at(601)

    assert len(drill.told) == before + 1
    assert drill.kinds[-1] == "update"
    assert drill.at(1700).kinds[before + 1 :] == []


@pytest.mark.parametrize(
    ("killed_s", "rest_s", "told_s"), [(120, 5, 600), (590, 100, 690), (10, 400, 600)]
)
def test_a_kill_under_a_mute_does_not_lose_its_end(
    killed_s: float, rest_s: float, told_s: float
) -> None:
    """The next run tells it when the mute is over, or at its start when it is so by then."""
    drill = _down(Drill()).see(_muted("elevenlabs", 600)).at(killed_s)
    drill.restart(after_s=rest_s)
    before = list(drill.at(told_s - 0.5).kinds) if told_s > killed_s + rest_s else ["opened"]
    drill.at(told_s)
    drill.restart()
    drill.at(told_s + 1000)

    assert before == ["opened"]
    assert drill.kinds == ["opened", "update"]


def test_a_mute_that_is_lifted_tells_at_once_how_things_stand() -> None:
    """Unless another one covers the incident: then at its end."""
    unmute = CommandObeyed(command="unmute", argument="all", by="ana")
    drill = _down(Drill().see(_muted("all", 3600), _muted("crm", 3600)).at(60))
    drill.at(100).see(unmute).at(100)

    assert drill.kinds == ["opened", "update"]
    covered = _down(Drill().see(_muted("all", 3600), _muted("elevenlabs", 600)).at(60))
    covered.at(100).see(unmute).at(599)
    assert covered.kinds == ["opened"]
    assert covered.at(600).kinds == ["opened", "update"]


def test_lifting_a_mute_that_is_over_tells_nothing() -> None:
    """Everybody has heard what it kept back."""
    unmute = CommandObeyed(command="unmute", argument="all", by="ana")
    drill = _down(Drill().see(_muted("all", 100)).at(60)).at(200).see(unmute).at(300)

    assert drill.kinds == ["opened", "update"]


@pytest.mark.parametrize("argument", ["", "elevenlabs", "elevenlabs soon", " 12"])
def test_a_mute_without_an_end_is_none(argument: str) -> None:
    """Silence always has an end."""
    assert mute_of(argument) is None


def test_a_mute_covers_what_it_names_until_its_end() -> None:
    """An incident, one of its alerts, a service, or all; kept over a restart, and lifted."""
    drill = Drill()
    mutes = Mutes(drill.documents)
    mutes.set(Mute(target="INC-0001", until_utc_s=100))
    mutes.set(Mute(target="crm", until_utc_s=200))
    again = Mutes(drill.documents)

    assert again.covering("INC-0001", "llm", 99)
    assert not again.covering("INC-0001", "llm", 100)
    assert again.covering("INC-0002", "crm", 150)
    assert not again.covering("INC-0002", "llm", 50)
    again.lift("crm")
    assert [mute.target for mute in mutes_of(drill.documents)] == ["INC-0001"]


def _command(name: str, argument: str) -> CommandObeyed:
    return CommandObeyed(command=name, argument=argument, by="ana")


def test_a_muted_incident_reaches_no_channel_until_the_mute_ends() -> None:
    """The alert is kept and says who muted it; after the end, alerts go out again."""

    async def story() -> None:
        channel = ScriptedChannel()
        desk = Desk(channel)
        desk.see(_command("mute", f"INC-0001 {EPOCH_S + 600:.0f}"))
        desk.raise_(alert(1))
        await desk.serve(601)
        desk.raise_(alert(2))
        await desk.serve(1)

        assert [taken.title for taken in channel.taken] == ["title 2"]
        assert "muted by ana until 2026-01-05T09:10:00.000Z" in desk.documents.text()
        assert desk.documents.documents("alert", open_only=True) == []

    run_story(story)


def test_whoever_heard_that_it_began_hears_that_it_is_over_mute_or_not() -> None:
    """A resolve always follows its opened alert; other channels stay silent."""

    async def story() -> None:
        channel = ScriptedChannel()
        desk = Desk(channel)
        desk.raise_(alert(1))
        await desk.serve(1)
        desk.see(_command("mute", f"all {EPOCH_S + 600:.0f}"))
        desk.raise_(alert(2, kind="update"))
        desk.raise_(alert(3, kind="resolved"))
        desk.raise_(alert(4, kind="resolved", incident="INC-0009"))
        await desk.serve(1)

        assert [taken.title for taken in channel.taken] == ["title 1", "title 3"]

    run_story(story)


def test_the_second_end_of_an_incident_is_heard_mute_or_not() -> None:
    """An incident that was opened again ends by an update; a pager must not stay on for it."""

    async def story() -> None:
        channel, drill = ScriptedChannel("pagerduty"), Drill()
        desk = Desk(channel, documents=drill.documents)

        async def deliver() -> None:
            for told in drill.told:
                desk.raise_(told)
            drill.told.clear()
            await desk.serve(1)

        drill.see(*[failed_attempt()] * 4, breaker("closed", "open")).at(10)
        drill.see(breaker("half_open", "closed")).at(140)
        await deliver()
        drill.at(200).see(breaker("closed", "open"))
        await deliver()
        mute = _muted("elevenlabs", 100_000)
        desk.see(mute)
        drill.see(mute).at(800).see(breaker("half_open", "closed"))
        await deliver()
        drill.at(1000)
        await deliver()

        assert [taken.status for taken in channel.taken][-2:] == ["open", "resolved"]
        assert channel.taken[-1].kind == "update"

    run_story(story)


def test_a_mute_that_is_lifted_is_over() -> None:
    """`unmute` ends it before its time, and a restart keeps one that was not lifted."""

    async def story() -> None:
        channel = ScriptedChannel()
        desk = Desk(channel)
        desk.see(_command("mute", f"all {EPOCH_S + 600:.0f}"))
        again = Desk(channel, documents=desk.documents)
        again.raise_(alert(1))
        again.see(_command("unmute", "all"))
        again.raise_(alert(2))
        await again.serve(1)

        assert [taken.title for taken in channel.taken] == ["title 2"]

    run_story(story)
