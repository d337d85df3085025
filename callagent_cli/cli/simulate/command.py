"""What `callagent simulate` does: run a world, show what happened, judge it."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from callagent_cli.cli.screen.terminal import require_terminal
from callagent_cli.cli.simulate.compare import run_comparison
from callagent_cli.cli.simulate.journal import journal_of
from callagent_cli.cli.simulate.report import document, interrupted_lines, report_lines
from callagent_cli.cli.simulate.show import Progress, Show, interrupting, print_labeled
from callagent_cli.cli.simulate.sweep import run_sweep
from callagent_cli.cli.text.output import standard_output
from callagent_cli.errors import ExitCode, ScenarioError, UsageError
from callagent_cli.events import Stamped
from callagent_cli.simulation.judge.evidence import Evidence
from callagent_cli.simulation.judge.verdict import (
    UNENDING_HINT,
    Verdict,
    judge,
    smallest_timeout_s,
)
from callagent_cli.simulation.scenario.format import Scenario
from callagent_cli.simulation.scenario.loader import check_seed, find_scenario, load_scenario
from callagent_cli.simulation.wire.sockets import require_loopback
from callagent_cli.simulation.worlds.stage import Stage
from callagent_cli.simulation.worlds.world import World

WIRE_SPEED_MAX: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulateOptions:
    """The command line of `simulate`, as typed."""

    scenario: str
    seed: int | None
    seeds: int | None
    compare: tuple[Path, ...]
    wire: bool
    speed: float | None
    journal: Path | None
    json: bool
    tui: bool = False
    ascii_only: bool = False


def run_simulation(options: SimulateOptions) -> int:
    """Run what was asked for and return the exit code; raises `ScenarioError`, `UsageError`."""
    _require_one_kind(options)
    loaded = load_scenario(find_scenario(options.scenario))
    scenario = loaded.scenario
    seed = check_seed(scenario.seed if options.seed is None else options.seed)
    if options.compare:
        return run_comparison(loaded, seed, options.compare, json=options.json)
    if options.wire:
        return _on_the_wire(scenario, seed, options)
    if options.seeds is not None:
        count = options.seeds
        check_seed(seed + count - 1)
        first = _first_seed(options)
        return run_sweep(scenario, options.scenario, first=first, count=count, json=options.json)
    return _one(scenario, seed, options)


def _first_seed(options: SimulateOptions) -> int:
    """Return where a sweep begins: at 0, or at the seed that was given."""
    return 0 if options.seed is None else options.seed


def _require_one_kind(options: SimulateOptions) -> None:
    asked = {
        "--seeds": options.seeds is not None,
        "--compare": bool(options.compare),
        "--wire": options.wire,
    }
    named = [name for name, is_asked in asked.items() if is_asked]
    if len(named) > 1:
        message = f"`{named[0]}` and `{named[1]}` do not go together"
        raise UsageError(message, hint="run one after the other")
    if options.speed is not None and not (options.wire or options.tui):
        hint = "virtual time is as fast as it can be"
        raise UsageError("`--speed` goes with `--wire` or `--tui` only", hint=hint)
    if options.tui:
        _require_screen(options)
    elif options.speed is not None and not 1 <= options.speed <= WIRE_SPEED_MAX:
        hint = f"a worker on sockets keeps up with 1 to {WIRE_SPEED_MAX} times real time"
        raise UsageError(f"`--speed {options.speed:g}` is too fast or too slow", hint=hint)
    if options.journal is not None and named and not options.wire:
        message = f"`--journal` holds one world; it does not go with `{named[0]}`"
        raise UsageError(message, hint="add `--seed N` to write the journal of one seed")


def _require_screen(options: SimulateOptions) -> None:
    for name, given in {
        "--seeds": options.seeds is not None,
        "--compare": bool(options.compare),
        "--json": options.json,
    }.items():
        if given:
            hint = "the screen shows one world at a time"
            raise UsageError(f"`--tui` and `{name}` do not go together", hint=hint)
    require_terminal(os.environ, hint="leave out --tui: the same is printed as lines")


def _watched(
    evidence: Evidence, verdict: Verdict, seed: int, *, options: SimulateOptions, interrupted: bool
) -> int:
    """Play the world on the screen if that was asked for; not 0 when a signal ended it."""
    recording = evidence.recording
    if recording is None:
        return 0
    from callagent_cli.cli.simulate.screen import watch

    with closing(recording):
        if interrupted:
            return 0
        speed, ascii_only = options.speed, options.ascii_only
        left = watch(evidence, verdict, seed=seed, speed=speed, ascii_only=ascii_only)
    return int(left) if left in {ExitCode.INTERRUPTED, ExitCode.TERMINATED} else 0


def _one(scenario: Scenario, seed: int, options: SimulateOptions) -> int:
    """Run one world in virtual time, show it and judge it."""
    show, progress = Show(scenario, quiet=options.json), Progress(scenario)

    def follow(at_s: float, stamped: Stamped) -> None:
        show.take(at_s, stamped)
        progress.take(at_s, stamped)

    world = World(scenario, seed, follow=follow, record=options.tui)

    def run() -> Evidence:
        with interrupting(world):
            return world.run()

    return _rehearsed(world, show, options, run=run, how="virtual time")


def _on_the_wire(scenario: Scenario, seed: int, options: SimulateOptions) -> int:
    """Run one world over loopback sockets, show it and judge it."""
    from callagent_cli.services.httpx_client import HttpxClient
    from callagent_cli.simulation.wire.loop import SPEED_MAX
    from callagent_cli.simulation.worlds.wire_world import WireWorld

    speed = SPEED_MAX if options.tui else options.speed or SPEED_MAX
    show = Show(scenario, quiet=options.json, live=True)

    def client(base_url: str) -> HttpxClient:
        require_loopback(urlsplit(base_url).hostname)
        return HttpxClient(base_url=base_url)

    world = WireWorld(
        scenario, seed, client=client, speed=speed, follow=show.take, record=options.tui
    )

    def notes(evidence: Evidence) -> Iterator[str]:
        yield from world.notes
        timeout_s = smallest_timeout_s(evidence.settings)
        fidelity = world.fidelity
        yield (
            f"clock fidelity: p99 lag {fidelity.usual_s:.3f} s, worst {fidelity.worst_s:.3f} s, "
            f"of {timeout_s:g} s, the smallest timeout"
        )

    how = f"on loopback sockets, {speed:g} times real time"
    return _rehearsed(world, show, options, run=world.run, how=how, notes=notes)


def _rehearsed(
    world: Stage,
    show: Show,
    options: SimulateOptions,
    *,
    run: Callable[[], Evidence],
    how: str,
    notes: Callable[[Evidence], Iterable[str]] = lambda _: (),
) -> int:
    """Run a world, write its journal, judge it and show it; `notes` stand above the verdict."""
    with journal_of(world, options.journal) as journal:
        show.begin(world.seed, how)
        evidence = run()
        verdict = judge(evidence)
        if journal is not None:
            journal.write(evidence, verdict)
    seed, interrupted = world.seed, world.interrupted
    if ended_by := _watched(evidence, verdict, seed, options=options, interrupted=interrupted):
        return ended_by
    if not options.json:
        for line in notes(evidence):
            print_labeled(line)
    return conclude(evidence, verdict, show, seed=seed, interrupted=interrupted)


def conclude(
    evidence: Evidence, verdict: Verdict, show: Show, *, seed: int, interrupted: bool = False
) -> int:
    """Print the verdict in the form that was asked for, and return the exit code.

    Raises `ScenarioError` when the scenario itself let nothing finish.
    """
    output = standard_output()
    if show.quiet:
        output.document(document(evidence, verdict, seed=seed, interrupted=interrupted))
    else:
        show.end(evidence.ended_at_s)
        lines = report_lines(evidence, verdict, seed=seed)
        for line in interrupted_lines(evidence, verdict) if interrupted else lines:
            print_labeled(line)
    if interrupted:
        return int(ExitCode.INTERRUPTED)
    if verdict.status == "invalid":
        raise ScenarioError(verdict.reason, hint=UNENDING_HINT)
    return verdict.exit_code
