"""`callagent tui`: its arguments."""

from pathlib import Path
from typing import Annotated

import typer

from callagent_cli.cli.arguments.flags import Ascii, Campaign, Config


def tui(
    contacts: Annotated[
        Path | None, typer.Argument(help="The contacts to call when no worker runs.")
    ] = None,
    *,
    config: Config = None,
    campaign: Campaign = "",
    light: Annotated[bool, typer.Option("--light", help="Dark on light.")] = False,
    ascii_: Ascii = False,
    screenshot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a picture (.svg or .png) and end.")
    ] = None,
    size: Annotated[
        str, typer.Option(metavar="SIZE", help="Columns and rows of the picture.")
    ] = "120x40",
) -> None:
    """Watch and steer a campaign on a live screen.

    With a worker running it attaches to it: keys act on that worker, and leaving lets it go on.
    Without one it calls the contacts that you name, like `callagent run`.

    \b
    Examples:
      callagent tui                        watch the worker that runs
      callagent tui contacts.csv           run it here, keep the screen at the end
      callagent tui --screenshot now.svg   a picture; needs no terminal
    """
    from callagent_cli.cli.campaign.tui_command import TuiOptions, show_tui

    options = TuiOptions(
        contacts=contacts,
        config=config,
        campaign=campaign,
        light=light,
        ascii_only=ascii_,
        screenshot=screenshot,
        size=size,
    )
    raise typer.Exit(show_tui(options))
