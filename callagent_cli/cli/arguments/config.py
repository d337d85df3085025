"""`callagent config`: its arguments."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from callagent_cli.cli.arguments.flags import Json


def config(
    action: Annotated[Literal["show"], typer.Argument(help="What to do.")] = "show",
    *,
    json: Json = False,
    every: Annotated[bool, typer.Option("--all", help="Show the defaults too.")] = False,
    file: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="Settings file.")
    ] = None,
) -> None:
    """Show the settings in force, and where each value comes from.

    Secrets stay hidden.

    \b
    Examples:
      callagent config show         what was set, and by what
      callagent config show --all   the defaults too
    """
    from callagent_cli.cli.setup.config_command import show_config

    _ = action
    raise typer.Exit(show_config(file, json=json, every=every))
