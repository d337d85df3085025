"""What `callagent pause`, `resume` and `drain` do."""

import os
from pathlib import Path
from typing import Final, Literal

from callagent_cli.cli.place.living_worker import ask, not_yet
from callagent_cli.cli.place.workplace import workplace
from callagent_cli.cli.text.output import standard_output
from callagent_cli.errors import ExitCode

Action = Literal["pause", "resume", "drain"]

_DONE: Final[dict[Action, str]] = {
    "pause": "paused: calls whose phone has rung finish, nobody else is dialed. "
    "Next: `callagent resume`",
    "resume": "dialing again",
    "drain": "draining: the run ends when the calls in flight have finished. "
    "Next: the same `callagent run` goes on where it stopped",
}
_LATER: Final[dict[Action, str]] = {
    "pause": "it pauses",
    "resume": "it dials again",
    "drain": "it drains",
}


def control_worker(command: Action, config: Path | None) -> int:
    """Pass the command on and say what happened; raises `UsageError` when nothing was ever run."""
    place = workplace(config, os.environ)
    store = place.write_store()
    try:
        answer = ask(place, store, command)
    finally:
        store.close()
    if answer is None:
        text = f"nothing runs, so there is nothing to {command}. Next: `callagent status`"
    elif answer.obeyed:
        text = _DONE[command]
    else:
        text = not_yet(answer, _LATER[command])
    standard_output().line(place.title(text))
    return int(ExitCode.DONE)
