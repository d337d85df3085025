"""`callagent sandbox`: its arguments."""

from typing import Annotated

import typer

from callagent_cli.cli.arguments.flags import Config


def sandbox(
    *,
    port: Annotated[
        int,
        typer.Option(
            metavar="PORT", min=0, max=65000, help="First of the ports; 0 takes any that are free."
        ),
    ] = 0,
    dial_latency: Annotated[
        str, typer.Option(metavar="DURATION", help="Hold each dial's answer back, such as 150ms.")
    ] = "",
    config: Config = None,
) -> None:
    """Run the pretended providers as a process of their own.

    `callagent run` beside it, in the same folder, finds it by itself.

    \b
    Examples:
      callagent sandbox                        until Ctrl-C
      callagent sandbox --dial-latency 150ms   answer each dial 150 ms late
    """
    from callagent_cli.cli.setup.sandbox_command import run_sandbox

    raise typer.Exit(run_sandbox(port=port, dial_latency=dial_latency, config=config))
