"""`callagent run`: its arguments."""

from pathlib import Path
from typing import Annotated

import typer

from callagent_cli.cli.contacts_flags import (
    ColumnMap,
    Encoding,
    International,
    National,
    PhoneColumns,
    Region,
)


def run(
    contacts: Annotated[Path, typer.Argument(help="The contacts file; `-` reads from stdin.")],
    *,
    config: Annotated[Path | None, typer.Option(help="Settings file.")] = None,
    campaign: Annotated[str, typer.Option(help="Campaign name; the file's name if unset.")] = "",
    lanes: Annotated[
        int | None, typer.Option(min=1, max=1000, help="Calls worked at the same time.")
    ] = None,
    max_wait: Annotated[
        str, typer.Option(help="End with 3 after waiting this long, such as 30m.")
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
    metrics_port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Serve Prometheus metrics on loopback.")
    ] = None,
    show_numbers: Annotated[
        bool, typer.Option("--show-numbers", help="Show whole phone numbers on a terminal.")
    ] = False,
    ascii_: Annotated[bool, typer.Option("--ascii", help="Paint the screen in ASCII.")] = False,
) -> None:
    """Call everybody in a contacts file.

    \b
    Examples:
      callagent run contacts.csv              in the sandbox: no phone rings
      callagent run contacts.csv --dry-run    check everything, call nobody
      callagent run contacts.csv --lanes 8    eight calls at a time
      cat contacts.csv | callagent run -      contacts from standard input
    """  # noqa: D301 — \b keeps the examples' lines apart.
    from callagent_cli.cli.run_command import RunOptions, run_campaign
    from callagent_cli.cli.tui_terminal import ScreenLook

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
        phone_columns=tuple(phone_column or ()),
        mapping=tuple(map_ or ()),
        encoding=encoding,
        region=region,
        international=international,
        national=national,
        metrics_port=metrics_port,
        show_numbers=show_numbers,
        look=None if headless or json else ScreenLook(ascii_only=ascii_),
    )
    raise typer.Exit(run_campaign(options))
