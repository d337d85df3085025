"""The commands in the order of the help: signatures whose bodies are imported when they run."""

from collections.abc import Callable
from typing import Any, Final

from callagent_cli.cli.help import help_
from callagent_cli.cli.run import run

COMMANDS: Final[dict[str, Callable[..., Any]]] = {
    "run": run,
    "help": help_,
}
"""Name → function; Typer reads options, arguments and help from its signature and docstring."""
