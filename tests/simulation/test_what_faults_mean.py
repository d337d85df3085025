"""What a fault is to whoever meets it: nothing, or what its name says."""

from pathlib import Path

import pytest

from callagent_cli.events import AttemptFinished, Stamped
from callagent_cli.simulation.judge.verdict import judge
from callagent_cli.simulation.scenario.loader import parse_scenario
from callagent_cli.simulation.worlds.world import World

TEXT = """
callagent: scenario/v1
name: stale
title: Connections that were kept turn out to be dead
campaign: {contacts: 2}
people: {ring: 1s, talk: 5s}
timeline:
  - {name: stale, at: 0s, for: 40s, target: TARGET, fault: {stale_keepalive: true}}
until: {at_most: 1h}
expect:
  outcome: {done: 2, dialed: 2}
"""


@pytest.mark.parametrize(("target", "struck"), [("elevenlabs.dial", 0), ("elevenlabs.follow", 3)])
def test_a_connection_of_its_own_is_never_stale(target: str, struck: int) -> None:
    """A dial opens a connection for itself, on the wire as in virtual time; polls share theirs."""
    scenario = parse_scenario(TEXT.replace("TARGET", target), Path("stale.yaml")).scenario
    world = World(scenario, 7)

    verdict = judge(world.run())

    assert world.faults.reached("stale") >= struck
    assert bool(world.faults.reached("stale")) is bool(struck)
    assert bool(verdict.cost.requests_wasted) is bool(struck)
    assert verdict.status == ("held" if struck else "broken")


@pytest.mark.parametrize("target", ["elevenlabs.dial", "llm.compose", "crm.record"])
def test_every_service_says_that_its_quota_is_used_up_in_its_own_words(target: str) -> None:
    """No key is revoked by a quota, and nobody is told so."""
    text = TEXT.replace("TARGET", target).replace("stale_keepalive: true", "quota: {limit: 0}")
    outcomes: list[str] = []

    def follow(_at_s: float, stamped: Stamped) -> None:
        if isinstance(stamped.event, AttemptFinished) and stamped.event.operation == target:
            outcomes.append(stamped.event.outcome)

    World(parse_scenario(text, Path("stale.yaml")).scenario, 7, follow=follow).run()

    assert outcomes[0] == "quota"
