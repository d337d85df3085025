"""`callagent status`: its arguments."""

from typing import Annotated

import typer

from callagent_cli.cli.arguments.flags import Campaign, Config, Json


def status(
    *,
    json: Json = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Show it again each second, until Ctrl-C.")
    ] = False,
    campaign: Campaign = "",
    config: Config = None,
) -> None:
    """Show how the campaign stands, from the database alone.

    \b
    Examples:
      callagent status             verdict, contacts, services, open alerts
      callagent status --watch     the same, again each second
      callagent status --json      for programs
    """
    from callagent_cli.cli.campaign.status_command import StatusOptions, show_status

    options = StatusOptions(json=json, watch=watch, campaign=campaign, config=config)
    raise typer.Exit(show_status(options))
