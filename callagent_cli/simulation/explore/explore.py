"""Exploration: random worlds, judged by every invariant; what fails is made small and told."""

from collections.abc import Iterable, Iterator
from typing import Self

import msgspec
import yaml

from callagent_cli.simulation.explore.random_world import RandomWorld, random_world
from callagent_cli.simulation.judge.verdict import Verdict, judge
from callagent_cli.simulation.sweep.processes import fan_out
from callagent_cli.simulation.worlds.world import World
from callagent_cli.store.sqlite_store import SqliteStore

SEEDS_PER_JOB = 10


class Explored(msgspec.Struct, frozen=True, kw_only=True):
    """A world that was tried; `broken` names the invariants that did not hold, and says how."""

    seed: int
    broken: dict[str, str]
    calls: int
    kills: int
    log_sha256: str


class Workbench:
    """Tries one world after the other in one database: to open one takes a tenth of a world."""

    def __init__(self) -> None:
        self._store = SqliteStore.open(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._store.close()

    def try_world(self, world: RandomWorld) -> Explored:
        """Run a world and judge it by every invariant."""
        verdict = self._judged(world)
        return Explored(
            seed=world.seed,
            broken={each.title: str(each) for each in verdict.broken},
            calls=verdict.totals["dialed"],
            kills=len(world.kills),
            log_sha256=verdict.log_sha256,
        )

    def _judged(self, world: RandomWorld) -> Verdict:
        tried = World(world.scenario(), world.seed, store=self._store)
        try:
            return judge(tried.run(*world.kills))
        finally:
            self._store = tried.store.emptied()


def try_world(world: RandomWorld) -> Explored:
    """Run one world and judge it by every invariant."""
    with Workbench() as bench:
        return bench.try_world(world)


def try_seeds(seeds: list[int]) -> list[Explored]:
    """Try the worlds of some seeds."""
    with Workbench() as bench:
        return [bench.try_world(random_world(seed)) for seed in seeds]


def explore(seeds: Iterable[int], *, cores: int = 0) -> Iterator[Explored]:
    """Try the worlds of the seeds on all cores; yield the results as they are ready."""
    for results in fan_out(try_seeds, _batches(seeds), cores=cores):
        yield from results


def _batches(seeds: Iterable[int]) -> Iterator[list[int]]:
    batch: list[int] = []
    for seed in seeds:
        batch.append(seed)
        if len(batch) == SEEDS_PER_JOB:
            yield batch
            batch = []
    if batch:
        yield batch


class _Plainly(yaml.SafeDumper):
    """Writes what is there twice twice: nobody reads `*id001` gladly."""

    def ignore_aliases(self, _data: object) -> bool:
        """Write no alias."""
        return True


def world_text(world: RandomWorld) -> str:
    """Return a world as the text of a scenario file; what a file cannot say stands as comments."""
    text = yaml.dump(world.plain, Dumper=_Plainly, sort_keys=False, allow_unicode=True, width=100)
    kills = [
        f"# life {life} is killed at its {kill.where.replace('_', ' ')} {kill.number}, "
        f"and the next begins {kill.restart_after_s:g} s later"
        for life, kill in enumerate(world.kills, 1)
    ]
    return "\n".join([*kills, text])
