"""What-if: the same world under different settings, so that a policy is chosen by evidence."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from callagent_cli.simulation.judge.cost import Cost
from callagent_cli.simulation.judge.verdict import judge
from callagent_cli.simulation.scenario.format import Scenario
from callagent_cli.simulation.scenario.loader import LoadedScenario, settings_of
from callagent_cli.simulation.sweep.processes import Idle, fan_out
from callagent_cli.simulation.worlds.world import World


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """How a world went under some settings.

    `unsafe` names the invariants that broke, those that the scenario breaks on purpose among them:
    it is these settings that are judged. `unmet` counts the scenario's other expectations that did
    not hold, which may well be what these settings are meant to change. `invalid` says why nothing
    could finish, if the scenario itself is the reason.
    """

    settings: str
    invalid: str = ""
    totals: dict[str, int]
    cost: Cost
    unsafe: list[str]
    unmet: int
    requests: int
    world_s: float


def compare(
    loaded: LoadedScenario,
    seed: int,
    policies: Mapping[str, Mapping[str, Any]],
    *,
    idle: Idle | None = None,
) -> Iterator[Compared]:
    """Run a scenario under each of the policies: settings as written, by a name for them.

    The results come in the order in which they are ready.

    Raises `ValidationError` of msgspec for settings that contradict each other.
    """
    jobs = [(name, _under(loaded, dict(written)), seed) for name, written in policies.items()]
    return fan_out(_try, jobs, idle=idle)


def _under(loaded: LoadedScenario, written: dict[str, Any]) -> Scenario:
    settings = settings_of(loaded, written)
    replace, scenario = msgspec.structs.replace, loaded.scenario
    campaign = replace(scenario.campaign, lanes=settings.lanes)
    expect = scenario.expect
    expect = replace(expect, always=[*expect.always, *expect.breaks], breaks=[])
    return replace(scenario, settings=settings, campaign=campaign, expect=expect)


def _try(job: tuple[str, Scenario, int]) -> Compared:
    name, scenario, seed = job
    evidence = World(scenario, seed).run()
    verdict = judge(evidence)
    broken = verdict.broken
    return Compared(
        settings=name,
        invalid=verdict.reason if verdict.status == "invalid" else "",
        totals=verdict.totals,
        cost=verdict.cost,
        unsafe=[str(each) for each in broken if each.kind == "always"],
        unmet=sum(each.kind != "always" for each in broken),
        requests=sum(evidence.ledger.values()) - evidence.ledger["placed"],
        world_s=evidence.ended_at_s,
    )
