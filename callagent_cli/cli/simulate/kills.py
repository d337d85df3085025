"""Kills on the command line: `step:120`, or `after_commit:8+2.5` with the seconds of rest after it.

A kill strikes between two callbacks of the worker's loop, or at one side of a commit of its store;
a scenario file knows instants of the world only.
"""

import re
from typing import Final

from callagent_cli.errors import UsageError
from callagent_cli.simulation.worlds.world import Kill

_WRITTEN: Final = re.compile(
    r"(step|before_commit|after_commit):([1-9]\d{0,8})(?:\+(\d{1,9}(?:\.\d+)?))?"
)


def read_kills(texts: tuple[str, ...]) -> list[Kill]:
    """Return the kills in the order of the lives that they end; raises `UsageError`."""
    return [_read(text) for text in texts]


def written(kill: Kill) -> str:
    """Return a kill as the command line has it."""
    rest = f"+{kill.restart_after_s:g}" if kill.restart_after_s else ""
    return f"{kill.where}:{kill.number}{rest}"


def _read(text: str) -> Kill:
    parts = _WRITTEN.fullmatch(text)
    if parts is None:
        hint = "such as `step:120` or `after_commit:8+2.5`, with the seconds until the next life"
        raise UsageError(f"`--kill {text}` names no moment", hint=hint)
    where, number, rest_s = parts.groups()
    # The expression lets nothing else through.
    return Kill(where=where, number=int(number), restart_after_s=float(rest_s or 0))  # type: ignore[arg-type]
