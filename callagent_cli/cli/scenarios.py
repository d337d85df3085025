"""`callagent scenarios`: its arguments."""

from pathlib import Path
from typing import Annotated

import typer


def scenarios(
    action: Annotated[
        str,
        typer.Argument(help="`check`, `schema`, or nothing: list the library.", show_default=False),
    ] = "",
    files: Annotated[
        list[Path] | None, typer.Argument(help="Scenario files to check.", show_default=False)
    ] = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print one object.")] = False,
) -> None:
    """List the scenarios that can be simulated, or check files.

    `schema` prints the JSON Schema by which an editor completes and checks scenarios.

    \b
    Examples:
      callagent scenarios
      callagent scenarios check my-outage.yaml
      callagent scenarios schema > scenario.schema.json
    """  # noqa: D301 — \b keeps the examples' lines apart.
    from callagent_cli.cli.scenarios_command import run_scenarios

    raise typer.Exit(run_scenarios(action, files or [], json=json))
