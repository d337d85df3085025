"""`callagent requeue`: its arguments."""

from typing import Annotated

import typer

from callagent_cli.cli.arguments.flags import Campaign, Config


def requeue(
    *,
    failed_by: Annotated[
        str, typer.Option(metavar="SERVICE", help="Only calls that failed by this service.")
    ] = "",
    incident: Annotated[
        str, typer.Option(metavar="ID", help="Exactly the calls that failed by this incident.")
    ] = "",
    campaign: Campaign = "",
    config: Config = None,
) -> None:
    """Take failed calls back, from their first unfinished step.

    A finished dial is never repeated, and one whose outcome is open is looked up first.

    \b
    Examples:
      callagent requeue                           all failed calls
      callagent requeue --failed-by elevenlabs    those of one service
      callagent requeue --incident INC-0003       those of one outage
    """
    from callagent_cli.cli.campaign.requeue_command import requeue_calls

    raise typer.Exit(
        requeue_calls(failed_by=failed_by, incident=incident, campaign=campaign, config=config)
    )
