"""`callagent explore`: its arguments."""

from typing import Annotated

import typer


def explore(
    *,
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Try this many random worlds; 300 if unset.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(help="Go on for this long instead of counting worlds.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="The first world; alone: replay this one and show it.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as one object.")] = False,
) -> None:
    """Look for bugs of callagent itself in random outages and kills.

    Each seed is a world of its own, judged by every invariant. A world that breaks one is printed
    whole and made small, with the command that replays it; the exit code is 1 then.

    \b
    Examples:
      callagent explore                    300 worlds, always the same
      callagent explore --minutes 5 --seed 1000000
      callagent explore --seed 106         replay one world
    """  # noqa: D301 — \b keeps the examples' lines apart.
    from callagent_cli.cli.explore_command import ExploreOptions, run_exploration

    options = ExploreOptions(seeds=seeds, minutes=minutes, seed=seed, json=json)
    raise typer.Exit(run_exploration(options))
