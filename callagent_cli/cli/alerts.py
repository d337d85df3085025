"""`callagent alerts`: its arguments."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def alerts(
    action: Annotated[Literal["list", "ack"], typer.Argument(help="What to do.")] = "list",
    incident: Annotated[
        str, typer.Argument(metavar="[ID]", help="An incident or alert; all if unset.")
    ] = "",
    *,
    config: Annotated[Path | None, typer.Option(help="Settings file.")] = None,
) -> None:
    """List the open alerts, or note that you have seen them: reminders become rare.

    \b
    Examples:
      callagent alerts               the open alerts with their ids
      callagent alerts ack           all of them are seen
      callagent alerts ack INC-0003  this one is seen
    """  # noqa: D301 — \b keeps the examples' lines apart.
    from callagent_cli.cli.alerts_command import act_on_alerts

    raise typer.Exit(act_on_alerts(action, incident, config))
