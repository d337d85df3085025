"""`callagent status`: its arguments."""

from pathlib import Path
from typing import Annotated

import typer


def status(
    *,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Show it again each second, until Ctrl-C.")
    ] = False,
    campaign: Annotated[str, typer.Option(help="Campaign; the one that ran last if unset.")] = "",
    config: Annotated[Path | None, typer.Option(help="Settings file.")] = None,
) -> None:
    """Show how the campaign stands, from the database alone.

    \b
    Examples:
      callagent status             verdict, contacts, services, open alerts
      callagent status --watch     the same, again each second
      callagent status --json      for programs
    """  # noqa: D301 — \b keeps the examples' lines apart.
    from callagent_cli.cli.status_command import StatusOptions, show_status

    options = StatusOptions(json=json, watch=watch, campaign=campaign, config=config)
    raise typer.Exit(show_status(options))
