"""`callagent doctor`: its arguments."""

from pathlib import Path
from typing import Annotated

import typer


def doctor(
    *,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    config: Annotated[Path | None, typer.Option(help="Settings file.")] = None,
) -> None:
    """Check what a run needs, and name a fix for what is wrong.

    Python, settings, credentials, services, clock, channels and disk. Nothing is dialed and no
    alert is sent.

    \b
    Examples:
      callagent doctor          one line a check
      callagent doctor --json   for programs
    """  # noqa: D301 — \b keeps the examples' lines apart.
    from callagent_cli.cli.doctor_command import examine

    raise typer.Exit(examine(config, json=json))
