"""Several lives of a worker on one real loop."""

import logging
from pathlib import Path

import pytest

from callagent_cli.services.httpx_client import HttpxClient
from callagent_cli.simulation.scenario.loader import parse_scenario
from callagent_cli.simulation.worlds.wire_world import WireWorld

TEXT = """
callagent: scenario/v1
name: lives
title: A stop, a restart, and a step of the clock afterwards
campaign: {contacts: 2, lanes: 2}
people: {ring: 1s, talk: 12s, processing: 1s}
timeline:
  - {name: halt, at: 500ms, do: stop, restart_after: 1s}
  - {name: jump, at: 17s, do: clock_step, by: 1h}
until: {at_most: 10m}
expect:
  outcome: {done: 2, dialed: 2}
"""


def test_what_is_done_to_the_process_is_done_once(caplog: pytest.LogCaptureFixture) -> None:
    """The timers of a worker that was stopped do not outlive it, although its loop does."""
    scenario = parse_scenario(TEXT, Path("lives.yaml")).scenario
    world = WireWorld(scenario, 7, client=lambda url: HttpxClient(base_url=url))

    with caplog.at_level(logging.ERROR):
        evidence = world.run()

    assert evidence.totals["done"] == 2
    assert len(evidence.offsets_s) == 2
    assert world._actions == []
    assert [record.message for record in caplog.records] == []
