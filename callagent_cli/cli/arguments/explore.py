"""`callagent explore`: its arguments."""

from typing import Annotated

import typer

from callagent_cli.cli.arguments.flags import Json


def explore(
    *,
    seeds: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Try this many random worlds; 300 if unset."),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(metavar="N", help="Go on for this long, or until --seeds are done."),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(metavar="SEED", help="The first world; alone: replay this one and show it."),
    ] = None,
    json: Json = False,
) -> None:
    """Look for bugs of callagent itself in random outages and kills.

    Each seed is a world of its own, judged by every invariant. A world that breaks one is printed
    whole and made small, with the command that replays it; the exit code is 1 then.

    \b
    Examples:
      callagent explore                    300 worlds, always the same
      callagent explore --minutes 5 --seed 1000000
      callagent explore --seed 106         replay one world
    """
    from callagent_cli.cli.simulate.explore_command import ExploreOptions, run_exploration

    options = ExploreOptions(seeds=seeds, minutes=minutes, seed=seed, json=json)
    raise typer.Exit(run_exploration(options))
