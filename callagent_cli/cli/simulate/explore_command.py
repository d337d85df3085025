"""What `callagent explore` does: try random worlds, make small what fails, tell how to replay."""

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf
from typing import Any, Final

from callagent_cli.cli.simulate.kills import written
from callagent_cli.cli.simulate.labels import LABEL, announce, labeled, one_world, print_labeled
from callagent_cli.cli.simulate.report import interrupted_lines, is_undecided
from callagent_cli.cli.simulate.show import Show, interrupting
from callagent_cli.cli.text import diagnostics
from callagent_cli.cli.text.output import standard_output
from callagent_cli.errors import ExitCode, UsageError
from callagent_cli.simulation.explore.explore import Explored, explore, world_text
from callagent_cli.simulation.explore.random_world import RandomWorld, random_world
from callagent_cli.simulation.explore.shrink import TRIES_MAX, shrunken
from callagent_cli.simulation.judge.verdict import judge
from callagent_cli.simulation.scenario.format import SEED_MAX
from callagent_cli.simulation.scenario.loader import check_seed
from callagent_cli.simulation.worlds.world import World

SCHEMA: Final = "callagent.exploration/v1"
SEEDS: Final = 300
_FILE: Final = f"# {LABEL}"
_NAME: Final = "explored.yaml"
"""What a saved world is called: its name stands inside."""

_TELL_EVERY_S: Final = 2.0
_FAILURES_MAX: Final = 3
"""After so many failing worlds there is enough to mend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExploreOptions:
    """The command line of `explore`, as typed."""

    seeds: int | None
    minutes: float | None
    seed: int | None
    json: bool


@dataclass(slots=True)
class Tally:
    """What was tried so far."""

    worlds: int = 0
    calls: int = 0
    kills: int = 0
    failed: list[Explored] = field(default_factory=list)
    interrupted: bool = False

    def take(self, explored: Explored) -> None:
        """Count one world."""
        self.worlds += 1
        self.calls += explored.calls
        self.kills += explored.kills
        if explored.broken:
            self.failed.append(explored)

    def line(self, took_s: float) -> str:
        """Return the count as one line."""
        rate = self.worlds / took_s if took_s else 0.0
        return (
            f"{self.worlds} worlds, {self.calls} phones rang, {self.kills} kills, "
            f"{len(self.failed)} broken; {rate:.0f} worlds/s"
        )


def run_exploration(options: ExploreOptions) -> int:
    """Try what was asked for and return the exit code; raises `UsageError`."""
    if options.minutes is not None and not 0 < options.minutes < inf:
        message = "`--minutes` must be a number, and more than 0"
        raise UsageError(message, hint="such as `--minutes 5`")
    first = check_seed(options.seed or 0)
    if options.seeds is not None:
        check_seed(first + options.seeds - 1)
    if options.seed is not None and options.seeds is None and options.minutes is None:
        return _replay(first, json=options.json)
    if not options.json:
        standard_output().line(labeled(f"random worlds from seed {first} on, all cores"))
        standard_output().flush()
    began_s = time.monotonic()
    tally = _tried(options, first, began_s)
    tally.failed.sort(key=lambda explored: explored.seed)
    if options.json:
        standard_output().document({**_document(tally), **_first_failed(tally)})
    else:
        for line in _summary(tally, time.monotonic() - began_s):
            # A file is copied as it stands; it says by itself that nothing of it is real.
            standard_output().line(line if line.startswith(_FILE) else labeled(line))
            # To make a world small takes its time, and the whole one is there to be read.
            standard_output().flush()
    if tally.interrupted:
        return int(ExitCode.INTERRUPTED)
    return int(ExitCode.FAILED if tally.failed else ExitCode.DONE)


def _tried(options: ExploreOptions, first: int, began_s: float) -> Tally:
    """Try worlds until there are enough, time is up, or Ctrl-C is pressed."""
    tally = Tally()
    told_s = began_s
    try:
        for explored in explore(_seeds(options, first, began_s)):
            tally.take(explored)
            if len(tally.failed) >= _FAILURES_MAX:
                break
            if time.monotonic() - told_s >= _TELL_EVERY_S:
                told_s = time.monotonic()
                diagnostics.note(labeled(tally.line(told_s - began_s)))
    except KeyboardInterrupt:
        tally.interrupted = True
    return tally


def _seeds(options: ExploreOptions, first: int, began_s: float) -> Iterator[int]:
    """Yield seeds until there are enough or time is up, whichever comes first."""
    minutes = options.minutes
    enough = options.seeds or (SEEDS if minutes is None else None)
    last = SEED_MAX if enough is None else first + enough - 1
    for seed in range(first, last + 1):
        if minutes is not None and time.monotonic() >= began_s + 60 * minutes:
            return
        yield seed


def _summary(tally: Tally, took_s: float) -> Iterator[str]:
    if tally.failed:
        yield from _failure(tally.failed[0])
    yield tally.line(took_s)
    if not tally.failed:
        held = "every invariant in every world"
        yield f"interrupted; {held} held so far" if tally.interrupted else f"HELD: {held}"
        return
    if tally.interrupted:
        yield "interrupted"
    seeds = ", ".join(str(explored.seed) for explored in tally.failed)
    yield f"BROKEN: seeds {seeds}"
    yield f"replay the first: {_replayed_by(tally.failed[0])}"


def _failure(explored: Explored) -> Iterator[str]:
    world = random_world(explored.seed)
    yield f"seed {explored.seed}:"
    yield from explored.broken.values()
    yield ""
    yield "the whole world:"
    yield from (f"    {line}" for line in world_text(world).splitlines())
    yield ""
    yield "the smallest world found that fails alike:"
    small = _smallest(explored)
    if small is None:
        yield "    interrupted before there was one"
        yield ""
        return
    yield f"{_FILE}: random world {explored.seed}, made small\n{world_text(small)}"
    yield f"save it as {_NAME} and replay it: {_played_by(small)}"


def _smallest(explored: Explored) -> RandomWorld | None:
    """Return the smallest world found that fails alike; nothing when Ctrl-C comes before."""
    found: list[RandomWorld] = []
    told_s = time.monotonic()

    def tried(tries: int, smallest: RandomWorld) -> None:
        nonlocal told_s
        found[:] = [smallest]
        if time.monotonic() - told_s >= _TELL_EVERY_S:
            told_s = time.monotonic()
            note = f"seed {explored.seed}: being made small, {tries} of at most {TRIES_MAX} tries"
            diagnostics.note(labeled(note))

    world = random_world(explored.seed)
    with suppress(KeyboardInterrupt):
        found = [shrunken(world, next(iter(explored.broken)), tried=tried)]
    return found[0] if found else None


def _played_by(small: RandomWorld) -> str:
    """Return the command that plays a world whose text was saved."""
    return " ".join(
        ["callagent simulate", _NAME, *(f"--kill {written(each)}" for each in small.kills)]
    )


def _replayed_by(explored: Explored) -> str:
    return f"callagent explore --seed {explored.seed}"


def _first_failed(tally: Tally) -> dict[str, Any]:
    """Return what a program needs to show the first failure: its worlds, and how to replay it."""
    if not tally.failed:
        return {}
    first = tally.failed[0]
    small = _smallest(first)
    told = {
        "seed": first.seed,
        "world": world_text(random_world(first.seed)),
        "replay": _replayed_by(first),
        "smallest": "" if small is None else world_text(small),
        "replay_smallest": "" if small is None else _played_by(small),
    }
    return {"first_failed": told}


def _document(tally: Tally) -> dict[str, Any]:
    verdict = "interrupted" if tally.interrupted else "broken" if tally.failed else "held"
    return {
        "schema": SCHEMA,
        "label": "SIMULATION",
        "verdict": verdict,
        "worlds": tally.worlds,
        "calls": tally.calls,
        "kills": tally.kills,
        "failed": tally.failed,
    }


def _replay(seed: int, *, json: bool) -> int:
    """Show one world: what happened in it, and what did not hold."""
    random = random_world(seed)
    scenario = random.scenario()
    show = Show(scenario, quiet=json)
    world = World(scenario, seed, follow=show.take)
    output = standard_output()
    if not json:
        announce(scenario, one_world(scenario, seed))
        for line in world_text(random).splitlines():
            output.line(labeled(f"    {line}"))
    with interrupting(world):
        evidence = world.run(*random.kills)
    verdict = judge(evidence)
    if json:
        calls, kills = verdict.totals["dialed"], len(random.kills)
        tally = Tally(worlds=1, calls=calls, kills=kills, interrupted=world.interrupted)
        so_far = [each for each in verdict.broken if not (tally.interrupted and is_undecided(each))]
        if so_far:
            broken = {each.title: str(each) for each in so_far}
            tally.failed.append(
                Explored(
                    seed=seed,
                    broken=broken,
                    calls=calls,
                    kills=kills,
                    log_sha256=verdict.log_sha256,
                )
            )
        output.document(_document(tally))
        return int(ExitCode.INTERRUPTED) if world.interrupted else verdict.exit_code
    show.end(evidence.ended_at_s)
    if world.interrupted:
        for line in interrupted_lines(evidence, verdict):
            print_labeled(line)
        return int(ExitCode.INTERRUPTED)
    for finding in verdict.findings:
        print_labeled(str(finding))
    print_labeled("BROKEN" if verdict.broken else "HELD: every invariant")
    return verdict.exit_code
