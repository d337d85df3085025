"""`callagent scenarios`: its arguments."""

from pathlib import Path
from typing import Annotated

import typer

from callagent_cli.cli.arguments.flags import Json


def scenarios(
    action: Annotated[
        str,
        typer.Argument(help="`check`, `schema`, or nothing: list the library.", show_default=False),
    ] = "",
    files: Annotated[
        list[Path] | None, typer.Argument(help="Scenario files to check.", show_default=False)
    ] = None,
    *,
    json: Json = False,
) -> None:
    """List the scenarios that can be simulated, or check files.

    `schema` prints the JSON Schema by which an editor completes and checks scenarios.

    \b
    Examples:
      callagent scenarios
      callagent scenarios check my-outage.yaml
      callagent scenarios schema > scenario.schema.json
    """
    from callagent_cli.cli.simulate.scenarios_command import run_scenarios

    raise typer.Exit(run_scenarios(action, files or [], json=json))
