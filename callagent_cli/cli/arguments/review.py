"""`callagent review`: its arguments."""

from typing import Annotated

import typer

from callagent_cli.cli.arguments.flags import Campaign, Config


def review(
    call: Annotated[
        str, typer.Argument(metavar="[ID]", help="A call; without one they are listed.")
    ] = "",
    *,
    called: Annotated[bool, typer.Option("--called", help="The phone rang.")] = False,
    not_called: Annotated[bool, typer.Option("--not-called", help="It did not ring.")] = False,
    redial: Annotated[bool, typer.Option("--redial", help="Dial again, whatever it was.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    campaign: Campaign = "",
    config: Config = None,
) -> None:
    """List the calls that only a person can decide, or decide one.

    \b
    Examples:
      callagent review                                 who waits, and why
      callagent review call_0123456789abcdef --called  the phone rang
    """
    from callagent_cli.cli.campaign.review_command import ReviewOptions, review_calls

    options = ReviewOptions(
        call=call,
        called=called,
        not_called=not_called,
        redial=redial,
        yes=yes,
        campaign=campaign,
        config=config,
    )
    raise typer.Exit(review_calls(options))
