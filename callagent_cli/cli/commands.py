"""The commands in the order of the help: signatures whose bodies are imported when they run."""

from collections.abc import Callable
from typing import Any, Final

from callagent_cli.cli.arguments.alerts import alerts
from callagent_cli.cli.arguments.breaker import breaker
from callagent_cli.cli.arguments.config import config
from callagent_cli.cli.arguments.contacts import contacts
from callagent_cli.cli.arguments.control import drain, pause, resume
from callagent_cli.cli.arguments.doctor import doctor
from callagent_cli.cli.arguments.explore import explore
from callagent_cli.cli.arguments.export import export
from callagent_cli.cli.arguments.help import help_
from callagent_cli.cli.arguments.incidents import incidents
from callagent_cli.cli.arguments.init import init
from callagent_cli.cli.arguments.requeue import requeue
from callagent_cli.cli.arguments.review import review
from callagent_cli.cli.arguments.run import run
from callagent_cli.cli.arguments.sandbox import sandbox
from callagent_cli.cli.arguments.scenarios import scenarios
from callagent_cli.cli.arguments.simulate import simulate
from callagent_cli.cli.arguments.status import status
from callagent_cli.cli.arguments.tui import tui

COMMANDS: Final[dict[str, Callable[..., Any]]] = {
    "run": run,
    "simulate": simulate,
    "scenarios": scenarios,
    "explore": explore,
    "contacts": contacts,
    "tui": tui,
    "status": status,
    "export": export,
    "pause": pause,
    "resume": resume,
    "drain": drain,
    "requeue": requeue,
    "review": review,
    "breaker": breaker,
    "alerts": alerts,
    "incidents": incidents,
    "init": init,
    "config": config,
    "doctor": doctor,
    "sandbox": sandbox,
    "help": help_,
}
"""Name → function; Typer reads options, arguments and help from its signature and docstring."""
