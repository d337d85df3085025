"""What-if: the same world under different settings, so that a policy is chosen by evidence."""

from collections.abc import Mapping
from typing import Any

import msgspec

from callagent_cli.simulation.judge.cost import Cost
from callagent_cli.simulation.judge.verdict import judge
from callagent_cli.simulation.scenario.format import Scenario
from callagent_cli.simulation.scenario.loader import LoadedScenario, settings_of
from callagent_cli.simulation.sweep import fan_out
from callagent_cli.simulation.world import World


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """How a world went under some settings.

    `unsafe` names the invariants that broke; `unmet` counts the scenario's other expectations
    that did not hold, which may well be what these settings are meant to change.
    """

    settings: str
    totals: dict[str, int]
    cost: Cost
    unsafe: list[str]
    unmet: int
    requests: int
    world_s: float


def compare(
    loaded: LoadedScenario, seed: int, policies: Mapping[str, Mapping[str, Any]]
) -> list[Compared]:
    """Run a scenario under each of the policies: settings as written, by a name for them.

    Raises `ValidationError` of msgspec for settings that contradict each other.
    """
    jobs = [
        (order, name, _under(loaded, dict(written)), seed)
        for order, (name, written) in enumerate(policies.items())
    ]
    return [compared for _, compared in sorted(fan_out(_try, jobs), key=lambda each: each[0])]


def _under(loaded: LoadedScenario, written: dict[str, Any]) -> Scenario:
    settings = settings_of(loaded, written)
    campaign = msgspec.structs.replace(loaded.scenario.campaign, lanes=settings.lanes)
    return msgspec.structs.replace(loaded.scenario, settings=settings, campaign=campaign)


def _try(job: tuple[int, str, Scenario, int]) -> tuple[int, Compared]:
    order, name, scenario, seed = job
    evidence = World(scenario, seed).run()
    verdict = judge(evidence)
    broken = verdict.broken
    return order, Compared(
        settings=name,
        totals=verdict.totals,
        cost=verdict.cost,
        unsafe=[str(each) for each in broken if each.kind == "always"],
        unmet=sum(each.kind != "always" for each in broken),
        requests=sum(evidence.ledger.values()) - evidence.ledger["placed"],
        world_s=evidence.ended_at_s,
    )
