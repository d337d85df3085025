"""`callagent sandbox`: its arguments."""

from pathlib import Path
from typing import Annotated

import typer


def sandbox(
    *,
    port: Annotated[
        int, typer.Option(min=0, max=65000, help="First of the ports; 0 takes any that are free.")
    ] = 0,
    dial_latency: Annotated[
        str, typer.Option(metavar="D", help="Hold each dial's answer back, such as 150ms.")
    ] = "",
    config: Annotated[Path | None, typer.Option(help="Settings file.")] = None,
) -> None:
    """Run the pretended providers as a process of their own.

    `callagent run` beside it, in the same folder, finds it by itself.

    \b
    Examples:
      callagent sandbox                        until Ctrl-C
      callagent sandbox --dial-latency 150ms   answer each dial 150 ms late
    """  # noqa: D301 — \b keeps the examples' lines apart.
    from callagent_cli.cli.sandbox_command import run_sandbox

    raise typer.Exit(run_sandbox(port=port, dial_latency=dial_latency, config=config))
