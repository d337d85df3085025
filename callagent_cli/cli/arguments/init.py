"""`callagent init`: its arguments."""

from pathlib import Path
from typing import Annotated

import typer


def init(
    folder: Annotated[Path, typer.Argument(help="Where to write.")] = Path(),
    *,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
) -> None:
    """Write commented settings, sample contacts and two scenarios.

    `.env.example` names the variables of the secrets.

    \b
    Examples:
      callagent init            into this folder
      callagent init campaign   into another one
    """
    from callagent_cli.cli.setup.init_command import write_files

    raise typer.Exit(write_files(folder, force=force))
