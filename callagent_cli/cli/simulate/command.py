"""What `callagent simulate` does: say what is rehearsed, then run worlds, show and judge them."""

import os
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import Final

from callagent_cli.cli.simulate.labels import announce, one_world
from callagent_cli.cli.simulate.policies import policies_of
from callagent_cli.errors import UsageError
from callagent_cli.simulation.scenario.format import Scenario
from callagent_cli.simulation.scenario.loader import (
    OWN_FOLDER,
    LoadedScenario,
    check_seed,
    find_scenario,
    load_scenario,
)

WIRE_SPEED_MAX: Final = 20.0
_ONE_WORLD: Final = {
    "--seeds": "play one seed: `--seed N` in place of `--seeds N`",
    "--compare": "leave out `--compare`, and play one world",
    "--wire": "leave out `--wire`: no step of a loop on sockets can be named",
}
"""What to do for what one world in virtual time has only."""


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
    kills: tuple[str, ...] = ()

    @property
    def wire_speed(self) -> float:
        """Times real time on the wire; with a screen, `--speed` is that of the screen."""
        return WIRE_SPEED_MAX if self.tui else self.speed or WIRE_SPEED_MAX


def run_simulation(options: SimulateOptions) -> int:
    """Run what was asked for and return the exit code; raises `ScenarioError`, `UsageError`.

    What worlds are made of is read from the disk once a person knows what is going on.
    """
    _require_one_kind(options)
    loaded = load_scenario(find_scenario(options.scenario))
    _require_another_file(options.journal, loaded.path)
    scenario = loaded.scenario
    seed = check_seed(scenario.seed if options.seed is None else options.seed)
    policies = policies_of(loaded, options.compare)
    first, count = _first_seed(options), options.seeds
    if count is not None:
        check_seed(first + count - 1)
    if not options.json:
        announce(scenario, _how(scenario, seed, options), file=_own_file(options, loaded))
    if options.compare:
        from callagent_cli.cli.simulate.compare import run_comparison

        return run_comparison(loaded, seed, policies, json=options.json)
    if count is not None:
        from callagent_cli.cli.simulate.sweep import run_sweep

        return run_sweep(scenario, options.scenario, first=first, count=count, json=options.json)
    from callagent_cli.cli.simulate.rehearsal import on_the_wire, virtually

    return (on_the_wire if options.wire else virtually)(scenario, seed, options)


def _own_file(options: SimulateOptions, loaded: LoadedScenario) -> Path | None:
    """Return the file that was found by its name although it is not the library's."""
    found = loaded.path.parent == OWN_FOLDER and options.scenario == loaded.path.stem
    return loaded.path if found else None


def _how(scenario: Scenario, seed: int, options: SimulateOptions) -> str:
    """Return the line that says which worlds will be run."""
    if options.compare:
        return f"seed {seed}, virtual time, under {len(options.compare) + 1} settings"
    if options.seeds is not None:
        first = _first_seed(options)
        return f"seeds {first} to {first + options.seeds - 1}, virtual time, all cores"
    if options.wire:
        how = f"on loopback sockets, {options.wire_speed:g} times real time"
        return one_world(scenario, seed, how)
    return one_world(scenario, seed)


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
    if options.speed is not None and isnan(options.speed):
        raise UsageError("`--speed nan` is no speed", hint="such as `--speed 10`")
    if options.tui:
        _require_screen(options)
    elif options.speed is not None and not 1 <= options.speed <= WIRE_SPEED_MAX:
        hint = f"a worker on sockets keeps up with 1 to {WIRE_SPEED_MAX:g} times real time"
        raise UsageError(f"`--speed {options.speed:g}` is too fast or too slow", hint=hint)
    if options.kills and named:
        message = f"`--kill` strikes one world in virtual time; it does not go with `{named[0]}`"
        raise UsageError(message, hint=_ONE_WORLD[named[0]])
    if options.journal is not None and named and not options.wire:
        message = f"`--journal` holds one world; it does not go with `{named[0]}`"
        raise UsageError(message, hint=_ONE_WORLD[named[0]])


def _require_another_file(journal: Path | None, scenario: Path) -> None:
    if journal is not None and journal.exists() and journal.samefile(scenario):
        message = f"`{journal}` is the scenario: the journal would take its place"
        raise UsageError(message, hint="choose another file for `--journal`")


def _require_screen(options: SimulateOptions) -> None:
    for name, given in {
        "--seeds": options.seeds is not None,
        "--compare": bool(options.compare),
        "--json": options.json,
    }.items():
        if given:
            hint = "the screen shows one world at a time"
            raise UsageError(f"`--tui` and `{name}` do not go together", hint=hint)
    from callagent_cli.cli.screen.terminal import require_terminal

    require_terminal(os.environ, hint="leave out --tui: the same is printed as lines")
