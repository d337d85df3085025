"""Lines that say that nothing of it was real, and what is said before a rehearsal begins.

Worlds take half a second to be read from the disk: what stands here is light, so that a person sees
at once what is going on.
"""

import shutil
from pathlib import Path
from textwrap import wrap
from typing import Final

from callagent_cli.cli.text.output import standard_output
from callagent_cli.counting import counted
from callagent_cli.simulation.scenario.format import Scenario

LABEL: Final = "SIMULATION"
_NARROWEST: Final = 20
"""Narrower lines would cut words: there the terminal itself may go on in its next line."""


def labeled(text: str) -> str:
    """Return a line that says that nothing of it was real."""
    return f"{LABEL} {text}".rstrip()


def print_labeled(text: str, *, indent: int = 2) -> None:
    """Print a line that says that nothing of it was real.

    A terminal gets it in whole words, what does not fit under it and `indent` further in.
    """
    output = standard_output()
    lines = [text]
    if output.terminal:
        width = max(_NARROWEST, shutil.get_terminal_size().columns - len(LABEL) - 1)
        further = " " * min(indent, width // 2)
        lines = wrap(
            text, width, subsequent_indent=further, break_on_hyphens=False, drop_whitespace=True
        ) or [""]
    for line in lines:
        output.line(labeled(line))


def announce(scenario: Scenario, how: str, *, file: Path | None = None) -> None:
    """Say what is rehearsed, and how, for a person to read at once.

    `file` is named where a person may take another one to be played.
    """
    print_labeled(f"{scenario.name}: {scenario.title}")
    if file is not None:
        print_labeled(f"as it stands in {file}")
    print_labeled(how)
    standard_output().flush()


def one_world(scenario: Scenario, seed: int, how: str = "virtual time") -> str:
    """Return what is said of a single world before it begins."""
    campaign = scenario.campaign
    people = f"{counted(campaign.contacts, 'contact')}, {counted(campaign.lanes, 'lane')}"
    return f"{people}, seed {seed}, {how}; nobody real is called"
