"""`callagent alerts`: its arguments."""

from typing import Annotated, Literal

import typer

from callagent_cli.cli.arguments.flags import Config


def alerts(
    action: Annotated[
        Literal["list", "ack", "test", "mute", "unmute"], typer.Argument(help="What to do.")
    ] = "list",
    incident: Annotated[
        str,
        typer.Argument(
            metavar="[ID]", help="An incident or alert; a channel to test; a service to mute."
        ),
    ] = "",
    *,
    lasts: Annotated[
        str, typer.Option("--for", metavar="DURATION", help="How long to mute, such as 1h.")
    ] = "",
    config: Config = None,
) -> None:
    """List, acknowledge or mute the open alerts, or test a channel.

    \b
    Examples:
      callagent alerts               the open alerts with their ids
      callagent alerts ack           all of them are seen
      callagent alerts ack INC-0003  this one is seen: reminders become rare
      callagent alerts test email    send one, and say what came back
      callagent alerts mute elevenlabs --for 1h
    """
    if action == "list" or action == "ack":  # noqa: PLR1714 — mypy narrows by these.
        from callagent_cli.cli.alerts.command import act_on_alerts

        raise typer.Exit(act_on_alerts(action, incident, config))
    from callagent_cli.cli.alerts import send_test as alerts_test

    if action == "mute":
        raise typer.Exit(alerts_test.mute(incident, lasts, config))
    act = alerts_test.send_test if action == "test" else alerts_test.unmute
    raise typer.Exit(act(incident, config))
