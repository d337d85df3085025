"""The commands in the order of the help: signatures whose bodies are imported when they run."""

from collections.abc import Callable
from typing import Any, Final

from callagent_cli.cli.alerts import alerts
from callagent_cli.cli.breaker import breaker
from callagent_cli.cli.config import config
from callagent_cli.cli.contacts import contacts
from callagent_cli.cli.control import drain, pause, resume
from callagent_cli.cli.doctor import doctor
from callagent_cli.cli.explore import explore
from callagent_cli.cli.export import export
from callagent_cli.cli.help import help_
from callagent_cli.cli.incidents import incidents
from callagent_cli.cli.init import init
from callagent_cli.cli.requeue import requeue
from callagent_cli.cli.review import review
from callagent_cli.cli.run import run
from callagent_cli.cli.sandbox import sandbox
from callagent_cli.cli.scenarios import scenarios
from callagent_cli.cli.simulate import simulate
from callagent_cli.cli.status import status
from callagent_cli.cli.tui import tui

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
