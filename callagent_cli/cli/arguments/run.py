"""`callagent run`: its arguments."""

from pathlib import Path
from typing import Annotated

import typer

from callagent_cli.cli.arguments.contacts_flags import (
    ColumnMap,
    Encoding,
    International,
    National,
    PhoneColumns,
    Region,
)
from callagent_cli.cli.arguments.flags import Ascii, Config, Lanes, MetricsPort


def run(
    contacts: Annotated[Path, typer.Argument(help="The contacts file; `-` reads from stdin.")],
    *,
    config: Config = None,
    campaign: Annotated[
        str, typer.Option(metavar="NAME", help="Campaign name; the file's name if unset.")
    ] = "",
    lanes: Lanes = None,
    max_wait: Annotated[
        str,
        typer.Option(metavar="DURATION", help="End with 3 after waiting this long, such as 30m."),
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check; call nobody.")] = False,
    headless: Annotated[bool, typer.Option("--headless", help="Lines, no screen.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print events as JSON Lines.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before real calls.")] = False,
    allow_rejects: Annotated[
        bool, typer.Option("--allow-rejects", help="Start with many unusable rows too.")
    ] = False,
    phone_column: PhoneColumns = None,
    map_: ColumnMap = None,
    encoding: Encoding = "",
    region: Region = "",
    international: International = False,
    national: National = False,
    metrics_port: MetricsPort = None,
    show_numbers: Annotated[
        bool, typer.Option("--show-numbers", help="Show whole phone numbers on a terminal.")
    ] = False,
    ascii_: Ascii = False,
) -> None:
    """Call everybody in a contacts file.

    \b
    Examples:
      callagent run contacts.csv              in the sandbox: no phone rings
      callagent run contacts.csv --dry-run    check everything, call nobody
      callagent run contacts.csv --lanes 8    eight calls at a time
      cat contacts.csv | callagent run -      contacts from standard input
    """
    from callagent_cli.cli.contacts.reading import ReadingFlags
    from callagent_cli.cli.run.command import RunOptions, run_campaign
    from callagent_cli.cli.screen.terminal import ScreenLook

    reading = ReadingFlags(
        region=region,
        encoding=encoding,
        phone_columns=tuple(phone_column or ()),
        mapping=tuple(map_ or ()),
        international=international,
        national=national,
    )
    options = RunOptions(
        contacts=contacts,
        config=config,
        campaign=campaign,
        lanes=lanes,
        max_wait=max_wait,
        dry_run=dry_run,
        headless=headless,
        json=json,
        yes=yes,
        allow_rejects=allow_rejects,
        reading=reading,
        metrics_port=metrics_port,
        show_numbers=show_numbers,
        look=None if headless or json else ScreenLook(ascii_only=ascii_),
    )
    raise typer.Exit(run_campaign(options))
