"""Many worlds at once: one scenario under many seeds, shared out over all cores.

Each world runs in virtual time within one process; the processes share nothing, so the results
are those of running the seeds one after the other.
"""

from collections.abc import Iterable, Iterator

import msgspec

from callagent_cli.simulation.judge.cost import Cost
from callagent_cli.simulation.judge.verdict import Status, judge
from callagent_cli.simulation.scenario.format import Scenario
from callagent_cli.simulation.sweep.processes import Idle, fan_out
from callagent_cli.simulation.worlds.world import World


class SeedResult(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on a scenario under one seed; `broken` says what did not hold.

    `reason` says why nothing could be concluded.
    """

    seed: int
    status: Status
    reason: str = ""
    broken: list[str]
    totals: dict[str, int]
    cost: Cost
    log_sha256: str


def judge_seed(job: tuple[Scenario, int]) -> SeedResult:
    """Run a scenario under a seed."""
    scenario, seed = job
    verdict = judge(World(scenario, seed).run())
    return SeedResult(
        seed=seed,
        status=verdict.status,
        reason=verdict.reason,
        broken=[str(each) for each in verdict.broken],
        totals=verdict.totals,
        cost=verdict.cost,
        log_sha256=verdict.log_sha256,
    )


def sweep(
    scenario: Scenario, seeds: Iterable[int], *, cores: int = 0, idle: Idle | None = None
) -> Iterator[SeedResult]:
    """Yield the result of each seed, in the order in which they are ready."""
    return fan_out(judge_seed, ((scenario, seed) for seed in seeds), cores=cores, idle=idle)
