"""`callagent incidents`: its arguments."""

from typing import Annotated, Literal

import typer

from callagent_cli.cli.arguments.flags import Config, Json


def incidents(
    action: Annotated[Literal["list", "show"], typer.Argument(help="What to do.")] = "list",
    incident: Annotated[
        str, typer.Argument(metavar="[ID]", help="An incident; the last one if unset.")
    ] = "",
    *,
    json: Json = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    config: Config = None,
) -> None:
    """List the incidents, or show the report of one.

    A report has the times, the impact, what was wasted, the timeline and the evidence.

    \b
    Examples:
      callagent incidents                          all of them, the latest last
      callagent incidents show INC-0003            the report of one
      callagent incidents show INC-0003 --markdown > report.md
    """
    from callagent_cli.cli.alerts.incidents_command import (
        IncidentOptions,
        list_incidents,
        show_incident,
    )

    options = IncidentOptions(json=json, markdown=markdown, config=config)
    if action == "show":
        raise typer.Exit(show_incident(incident, options))
    raise typer.Exit(list_incidents(options))
