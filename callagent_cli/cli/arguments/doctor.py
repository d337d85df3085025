"""`callagent doctor`: its arguments."""

import typer

from callagent_cli.cli.arguments.flags import Config, Json


def doctor(
    *,
    json: Json = False,
    config: Config = None,
) -> None:
    """Check what a run needs, and name a fix for what is wrong.

    Python, settings, credentials, services, clock, channels and disk. Nothing is dialed and no
    alert is sent.

    \b
    Examples:
      callagent doctor          one line a check
      callagent doctor --json   for programs
    """
    from callagent_cli.cli.setup.doctor_command import examine

    raise typer.Exit(examine(config, json=json))
