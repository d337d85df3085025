"""`callagent simulate`: its arguments."""

from pathlib import Path
from typing import Annotated

import typer

from callagent_cli.cli.arguments.flags import Json


def simulate(
    scenario: Annotated[
        str, typer.Argument(help="A scenario of the library by name, or a scenario file.")
    ],
    *,
    seed: Annotated[
        int | None,
        typer.Option(metavar="SEED", help="Seed of every random choice; the file's if unset."),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Run under this many seeds, on all cores."),
    ] = None,
    compare: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="A settings file to compare; give several."),
    ] = None,
    wire: Annotated[
        bool, typer.Option("--wire", help="Over real sockets on loopback, on a fast clock.")
    ] = False,
    tui: Annotated[bool, typer.Option("--tui", help="Watch it on the live screen.")] = False,
    ascii_: Annotated[bool, typer.Option("--ascii", help="With --tui: paint in ASCII.")] = False,
    speed: Annotated[
        float | None,
        typer.Option(
            metavar="N",
            min=0.1,
            max=10_000,
            help="Times real time: --tui 10 if unset, --wire up to 20.",
        ),
    ] = None,
    journal: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write scenario, events, ledger and verdict to this file."
        ),
    ] = None,
    kill: Annotated[
        list[str] | None,
        typer.Option(metavar="MOMENT", help="Kill the worker, as `explore` says; give several."),
    ] = None,
    json: Json = False,
) -> None:
    """Rehearse an outage, and judge how callagent takes it.

    Nothing real is ever called. Exit codes: 0 every expectation held, 1 one did not, 2 the
    scenario cannot be used, 3 nothing could be concluded (with --wire).

    \b
    Examples:
      callagent simulate elevenlabs-503           three minutes of 503
      callagent simulate answer-lost --seeds 100  a hundred times, each different
      callagent simulate llm-timeout --compare a.yaml --compare b.yaml
      callagent simulate elevenlabs-503 --wire    over sockets, 20 times as fast
      callagent simulate elevenlabs-503 --tui     watch it: space holds, . steps
    """
    from callagent_cli.cli.simulate.command import SimulateOptions, run_simulation

    options = SimulateOptions(
        scenario=scenario,
        seed=seed,
        seeds=seeds,
        compare=tuple(compare or ()),
        wire=wire,
        tui=tui,
        ascii_only=ascii_,
        speed=speed,
        journal=journal,
        kills=tuple(kill or ()),
        json=json,
    )
    raise typer.Exit(run_simulation(options))
