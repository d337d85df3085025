"""`callagent pause`, `resume` and `drain`: their arguments."""

import typer

from callagent_cli.cli.arguments.flags import Config


def pause(*, config: Config = None) -> None:
    """Dial nobody new; calls whose phone has rung go on.

    They are followed and recorded.

    \b
    Examples:
      callagent pause
      callagent resume      dial again
    """
    from callagent_cli.cli.campaign.control_command import control_worker

    raise typer.Exit(control_worker("pause", config))


def resume(*, config: Config = None) -> None:
    """Dial again after `callagent pause`.

    \b
    Examples:
      callagent resume
    """
    from callagent_cli.cli.campaign.control_command import control_worker

    raise typer.Exit(control_worker("resume", config))


def drain(*, config: Config = None) -> None:
    """End the run once the calls in flight have finished.

    \b
    Examples:
      callagent drain
      callagent run contacts.csv    go on where it stopped
    """
    from callagent_cli.cli.campaign.control_command import control_worker

    raise typer.Exit(control_worker("drain", config))
