"""`callagent incidents`: its arguments."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def incidents(
    action: Annotated[Literal["list", "show"], typer.Argument(help="What to do.")] = "list",
    incident: Annotated[
        str, typer.Argument(metavar="[ID]", help="An incident; the last one if unset.")
    ] = "",
    *,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    config: Annotated[Path | None, typer.Option(help="Settings file.")] = None,
) -> None:
    """List the incidents, or show the report of one.

    A report has the times, the impact, what was wasted, the timeline and the evidence.

    \b
    Examples:
      callagent incidents                          all of them, the latest last
      callagent incidents show INC-0003            the report of one
      callagent incidents show INC-0003 --markdown > report.md
    """  # noqa: D301 — \b keeps the examples' lines apart.
    from callagent_cli.cli.incidents_command import IncidentOptions, list_incidents, show_incident

    options = IncidentOptions(json=json, markdown=markdown, config=config)
    if action == "show":
        raise typer.Exit(show_incident(incident, options))
    raise typer.Exit(list_incidents(options))
