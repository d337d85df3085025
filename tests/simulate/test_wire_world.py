"""The same scenario on real sockets: loopback only, and with the outcome of virtual time."""

import sys
from pathlib import Path
from typing import Any

import pytest

from callagent_cli.services.httpx_client import HttpxClient
from callagent_cli.simulation.judge.verdict import judge
from callagent_cli.simulation.scenario.format import Scenario
from callagent_cli.simulation.scenario.loader import parse_scenario
from callagent_cli.simulation.wire_world import WireWorld
from callagent_cli.simulation.world import World

THREE_MINUTES = """
callagent: scenario/v1
name: short
title: Three minutes with a refused CRM and a voice platform that answers 503
campaign: {contacts: 6, lanes: 2}
settings:
  services:
    elevenlabs: {policy: {retry: {jitter: none}}}
services: {elevenlabs: {latency: 200ms}, llm: {latency: 200ms}, crm: {latency: 80ms}}
people: {ring: 2s, talk: 8s, processing: 1s}
timeline:
  - {name: gone, at: 0s, for: 20s, target: crm, fault: {refuse: true}}
  - {name: blip, at: 14s, for: 15s, target: elevenlabs.dial, fault: {status: 503, applied: 0}}
until: {at_most: 10m}
expect:
  always: [no_call_lost, nobody_dialed_twice, breaker_legal, one_alert_per_outage, no_secret_in_log]
  outcome: {done: 6, failed: 0, dialed: 6}
"""

_connected: list[tuple[Any, ...]] = []
_watching: list[bool] = []


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Note each address that a socket is connected to; an audit hook cannot be removed."""
    if _watching and event in {"socket.connect", "socket.bind", "socket.getaddrinfo"}:
        _connected.append((event, arguments[1] if event != "socket.getaddrinfo" else arguments[0]))


sys.addaudithook(_watch)


def _scenario() -> Scenario:
    return parse_scenario(THREE_MINUTES, Path("short.yaml")).scenario


def _wire(scenario: Scenario) -> WireWorld:
    return WireWorld(scenario, 7, client=lambda url: HttpxClient(base_url=url), speed=20)


@pytest.fixture
def _sockets_watched() -> Any:  # noqa: ANN401 — a generator fixture.
    _connected.clear()
    _watching.append(True)
    yield
    _watching.clear()


@pytest.mark.usefixtures("_sockets_watched")
@pytest.mark.timeout(60)
def test_the_wire_and_virtual_time_agree() -> None:
    """One scenario, two carriers: the same outcome, the same phones, no socket beyond loopback."""
    virtual = World(_scenario(), 7).run()
    world = _wire(_scenario())

    wire = world.run()

    verdict = judge(wire)
    by_virtual_time = judge(virtual)
    assert by_virtual_time.status == "held"
    assert wire.finished
    assert wire.totals == virtual.totals
    assert [call.number for call in wire.placed] or not virtual.placed
    assert sorted(call.number for call in wire.placed) == sorted(
        call.number for call in virtual.placed
    )
    assert [each for each in verdict.broken if each.kind in {"always", "outcome"}] == []
    hosts = {str(address[0]) for _, address in _connected if isinstance(address, tuple)}
    assert hosts == {"127.0.0.1"}
    assert world.fidelity.worst_s >= world.fidelity.usual_s >= 0


def test_a_lag_of_a_tenth_of_the_smallest_timeout_is_no_verdict() -> None:
    """What a slow machine did to the clock is not blamed on the worker."""
    world = World(_scenario(), 7)
    evidence = world._evidence(finished=True, fidelity_s=0.51)

    verdict = judge(evidence)

    assert verdict.status == "could_not_judge"
    assert verdict.exit_code == 3
    assert "lagged by 0.51 s" in verdict.reason
    world._store.close()
