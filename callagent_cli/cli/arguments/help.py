"""`callagent help`: its arguments."""

from typing import Annotated

import typer


def help_(
    context: typer.Context,
    topic: Annotated[
        str, typer.Argument(help="A command, `exit-codes` or `environment`.", show_default=False)
    ] = "",
) -> None:
    """Explain a command or a topic.

    \b
    Examples:
      callagent help run
      callagent help exit-codes
      callagent help environment
    """
    from callagent_cli.cli.setup.help_command import show_help

    show_help(context, topic)
