"""`callagent config`: its arguments."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def config(
    action: Annotated[Literal["show"], typer.Argument(help="What to do.")] = "show",
    *,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Show the defaults too.")] = False,
    file: Annotated[Path | None, typer.Option("--config", help="Settings file.")] = None,
) -> None:
    """Show the settings in force, and where each value comes from.

    Secrets stay hidden.

    \b
    Examples:
      callagent config show         what was set, and by what
      callagent config show --all   the defaults too
    """  # noqa: D301 — \b keeps the examples' lines apart.
    from callagent_cli.cli.config_command import show_config

    _ = action
    raise typer.Exit(show_config(file, json=json, every=every))
