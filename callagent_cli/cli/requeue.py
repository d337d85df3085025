"""`callagent requeue`: its arguments."""

from pathlib import Path
from typing import Annotated

import typer


def requeue(
    *,
    failed_by: Annotated[
        str, typer.Option(metavar="SERVICE", help="Only calls that failed by this service.")
    ] = "",
    incident: Annotated[
        str, typer.Option(metavar="ID", help="Exactly the calls that failed by this incident.")
    ] = "",
    campaign: Annotated[str, typer.Option(help="Campaign; the one that ran last if unset.")] = "",
    config: Annotated[Path | None, typer.Option(help="Settings file.")] = None,
) -> None:
    """Take failed calls back, from their first unfinished step.

    A finished dial is never repeated, and one whose outcome is open is looked up first.

    \b
    Examples:
      callagent requeue                           all failed calls
      callagent requeue --failed-by elevenlabs    those of one service
      callagent requeue --incident INC-0003       those of one outage
    """  # noqa: D301 — \b keeps the examples' lines apart.
    from callagent_cli.cli.requeue_command import requeue_calls

    raise typer.Exit(
        requeue_calls(failed_by=failed_by, incident=incident, campaign=campaign, config=config)
    )
