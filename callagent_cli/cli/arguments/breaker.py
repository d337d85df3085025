"""`callagent breaker`: its arguments."""

from typing import Annotated, Literal

import typer

from callagent_cli.cli.arguments.flags import Config


def breaker(
    action: Annotated[Literal["trip", "reset"], typer.Argument(help="What to do.")],
    service: Annotated[str, typer.Argument(help="A service, such as `elevenlabs`.")],
    *,
    config: Config = None,
) -> None:
    """Stop using a service until a person resets it, or use it again.

    \b
    Examples:
      callagent breaker trip elevenlabs     calls wait for it; no contact is lost
      callagent breaker reset elevenlabs    close its breaker, whatever opened it
    """
    from callagent_cli.cli.campaign.breaker_command import move_breaker

    raise typer.Exit(move_breaker(action, service, config))
