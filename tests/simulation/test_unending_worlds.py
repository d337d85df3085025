"""A scenario that nothing can finish is invalid, and says why; a worker that stops is broken."""

from pathlib import Path

import pytest
from judge_worlds import scenario_of, world

from callagent_cli.simulation.judge.verdict import Verdict, judge
from callagent_cli.simulation.scenario.loader import parse_scenario
from callagent_cli.simulation.worlds.world import World

HEAD = """
callagent: scenario/v1
name: unending
title: Nothing can finish
"""
FIVE = HEAD + "campaign: {contacts: 5, lanes: 1}\nuntil: {at_most: 20m}\n"


def _verdict(text: str) -> Verdict:
    return judge(World(parse_scenario(text, Path("unending.yaml")).scenario, 7).run())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            HEAD + "campaign: {contacts: 30, lanes: 2}\nuntil: {at_most: 10m}\n",
            "30 calls of 1m on 2 lanes do not fit into 10m",
        ),
        (
            FIVE + "timeline: [{name: a, at: 0s, until: 1199s, target: llm, fault: {status: 503}}]",
            "nothing can finish under `a`",
        ),
        (
            FIVE + "timeline: [{name: a, at: 0s, for: 9s, target: llm,"
            " fault: {status: 503, retry_after: 9h}}]",
            "nothing can finish under `a`",
        ),
        (
            FIVE + "timeline: [{name: a, at: 0s, for: 9s, target: llm,"
            " fault: {status: 429, headers: {Retry-After: 'Thu, 01 Jan 2099 00:00:00 GMT'}}}]",
            "nothing can finish under `a`",
        ),
        (
            FIVE + "timeline: [{name: a, at: 0s, for: 9s, target: llm,"
            " fault: {rate_limit: {rps: 0.0001}}}]",
            "nothing can finish under `a`",
        ),
        (
            FIVE + "timeline: [{name: a, at: 5s, do: kill, restart_after: 1d}]",
            "nothing can finish under `a`",
        ),
        (
            FIVE + 'settings: {dialing: {window: {opens: "18:00", closes: "19:00"}}}',
            "the calling window is closed when the world ends",
        ),
        (
            FIVE + "people: {answered: 0, busy: 1}",
            "3 dials of a person 15m apart do not fit into 20m",
        ),
    ],
)
def test_a_world_without_room_for_its_calls_is_invalid(text: str, why: str) -> None:
    """Too many calls, a fault or a Retry-After until the end, a closed window, late redials."""
    verdict = _verdict(text)

    assert verdict.exit_code == 2
    assert verdict.reason.startswith(f"{why}: not finished after")


def test_a_worker_that_stops_with_room_to_spare_is_broken() -> None:
    """The scenario is no excuse where its faults leave time for every call."""
    plot = world(scenario=scenario_of(), finished=False, totals={"parked": 2}, ended_at_s=3600.0)

    assert judge(plot.evidence()).status == "broken"


@pytest.mark.parametrize(
    ("text", "hangs"),
    [
        (FIVE.replace("20m", "3m"), "call_000004 is pending at look_up: waits for a lane"),
        (
            FIVE + "timeline: [{name: a, at: 0s, target: llm, fault: {status: 503}}]",
            "is pending at look_up: waits for llm",
        ),
    ],
)
def test_a_call_that_has_not_begun_hangs_on_something_too(text: str, hangs: str) -> None:
    """It waits for the service that is down, else for a lane."""
    assert hangs in _verdict(text).reason
