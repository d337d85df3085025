"""`callagent export`: its arguments."""

from pathlib import Path
from typing import Annotated

import typer

from callagent_cli.cli.arguments.flags import Campaign, Config


def export(
    *,
    campaign: Campaign = "",
    format_: Annotated[
        str,
        typer.Option(
            "--format", metavar="FORMAT", help="csv or jsonl; the output's suffix, else csv."
        ),
    ] = "",
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File to write, for its owner only; stdout if unset."),
    ] = None,
    config: Config = None,
) -> None:
    """Write every contact of a campaign once, with what became of it. Numbers are whole.

    Whoever must not be called is in it as `excluded`, with the reason. Rows of the file that are
    no contacts are not: see logs/CAMPAIGN-rejects.csv.

    CSV is for spreadsheets: a cell that one would compute begins with an apostrophe. JSON Lines are
    exact, and hold every dial.

    \b
    Examples:
      callagent export > results.csv
      callagent export --output results.jsonl
      callagent export --campaign spring --format jsonl
    """
    from callagent_cli.cli.campaign.export_command import ExportOptions, export_campaign

    options = ExportOptions(campaign=campaign, format=format_, output=output, config=config)
    raise typer.Exit(export_campaign(options))
