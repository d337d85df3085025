"""Twelve minutes of coming and going: one opened and one resolved alert, wherever it is killed."""

from functools import cache
from random import Random
from typing import Final, NamedTuple

import msgspec
import pytest
from outage_worlds import Post, Watched, library

from callagent_cli.reporting.channels.mock import MockChannel
from callagent_cli.reporting.wiring import CHANNELS
from callagent_cli.settings import Settings
from callagent_cli.simulation.worlds.world import Kill
from callagent_cli.store.database import Hooks

RESTART_S: Final = 5.0
POINTS: Final = 10
"""How many kills each test tries."""


class Calm(NamedTuple):
    """The world without a kill: when alerts are raised, in steps and commits, and how many."""

    kinds: tuple[str, ...]
    steps: tuple[int, ...]
    commits: tuple[int, ...]
    last_step: int
    last_commit: int


def _flapping() -> Watched:
    scenario = library("flapping-outage", without="killed")
    # Enough people that somebody is called to its end; more of them would change no alert.
    few = msgspec.structs.replace(scenario.campaign, contacts=20, lanes=2)
    rarely = {"policy": {"health": {"interval_s": 120, "stale_after_s": 360}}}
    settings = msgspec.convert({"services": {"llm": rarely, "crm": rarely}}, Settings)
    return Watched(msgspec.structs.replace(scenario, campaign=few, settings=settings))


@cache
def _calm() -> Calm:
    world, committed, at_alerts = _flapping(), [0], list[int]()

    def count() -> None:
        committed[0] += 1
        while len(at_alerts) < len(world.raised):
            at_alerts.append(committed[0])

    # The run sets hooks of its own at its start; these come with its first event.
    hear = world._hear

    def hear_and_count(at_s: float, stamped: object) -> None:
        if world.events == 0:
            world._store.hooks = Hooks(after_commit=count)
        hear(at_s, stamped)  # type: ignore[arg-type]

    world._follow = hear_and_count
    world.run()
    assert world._loop is not None
    kinds = tuple(alert.kind for alert in world.raised)
    last = world._loop.steps
    return Calm(kinds, tuple(world.steps_at_alerts), tuple(at_alerts), last, committed[0])


def _told(*kills: Kill, monkeypatch: pytest.MonkeyPatch) -> Post:
    post = Post()
    deliver = MockChannel.deliver

    async def kept(channel: MockChannel, alert: object) -> None:
        await deliver(channel, alert)  # type: ignore[arg-type]
        post.deliver(channel, alert)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(MockChannel, "deliver", kept)
        evidence = _flapping().run(*kills)
    assert evidence.finished, kills
    return post


def _assert_one_of_each(post: Post, *kills: Kill) -> None:
    """One message that it began and one that it is over, in each channel.

    A message that was on its way when the worker was killed is sent again, under the same id.
    """
    again = 0
    for channel in CHANNELS:
        for kind in ("opened", "resolved"):
            sent = post.messages[channel, kind]
            assert len(set(sent)) == 1, (kills, channel, kind, sent)
            again = max(again, len(sent) - 1)
    assert again <= len(kills), kills


def test_without_a_kill_each_message_is_sent_once() -> None:
    """The measure for the others: opened first, resolved last, updates five minutes apart."""
    calm = _calm()

    assert calm.kinds[0] == "opened"
    assert calm.kinds[-1] == "resolved"
    assert set(calm.kinds[1:-1]) == {"update"}
    assert len(calm.kinds) == 5


@pytest.mark.parametrize("alert", range(5))
def test_a_kill_at_the_steps_around_an_alert_repeats_and_loses_none(
    alert: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the step that raises it to the steps that deliver it and note the delivery."""
    for after in range(POINTS):
        kill = Kill(where="step", number=_calm().steps[alert] + after, restart_after_s=RESTART_S)
        _assert_one_of_each(_told(kill, monkeypatch=monkeypatch), kill)


@pytest.mark.parametrize("alert", range(5))
@pytest.mark.parametrize("where", ["before_commit", "after_commit"])
def test_a_kill_at_the_commits_around_an_alert_repeats_and_loses_none(
    alert: int, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On both sides of the commits that keep the incident, the alert and its delivery."""
    for after in range(-1, POINTS // 2):
        number = max(1, _calm().commits[alert] + after)
        kill = Kill(where=where, number=number, restart_after_s=RESTART_S)  # type: ignore[arg-type]
        _assert_one_of_each(_told(kill, monkeypatch=monkeypatch), kill)


@pytest.mark.parametrize("seed", range(3))
def test_kills_at_any_moment_repeat_and_lose_none(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One to three kills, anywhere in twelve minutes, with rests from none to two minutes."""
    random, calm = Random(seed), _calm()
    for _ in range(POINTS):
        kills = []
        for _ in range(random.randint(1, 3)):
            where = random.choice(("step", "before_commit", "after_commit"))
            last = calm.last_step if where == "step" else calm.last_commit
            number, rest_s = random.randint(1, last), random.choice((0.0, 5.0, 60.0, 120.0))
            kills.append(Kill(where=where, number=number, restart_after_s=rest_s))  # type: ignore[arg-type]
        _assert_one_of_each(_told(*kills, monkeypatch=monkeypatch), *kills)
