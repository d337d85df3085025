"""Start-up is kept light by modules, not by the clock: each command loads only what it needs."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from callagent_cli.cli.commands import COMMANDS

HEAVY: Final = (
    "asyncio",
    "google",
    "gspread",
    "httpx2",
    "pydantic",
    "tenacity",
    "textual",
)
ROOMS: Final = (
    "calls",
    "contacts",
    "monitor",
    "reporting",
    "resilience",
    "services",
    "simulation",
    "store",
    "worker",
)
VOCABULARY: Final = frozenset({"resilience", "resilience.outcome", "resilience.policy"})
"""Modules of `resilience/` that the errors and settings are made of."""


class Case(NamedTuple):
    """A command line, the libraries it must not load, and the rooms or modules it may."""

    arguments: tuple[str, ...]
    heavy: tuple[str, ...] = HEAVY
    rooms: frozenset[str] = VOCABULARY


STATUS: Final = VOCABULARY | {"store", "calls", "monitor"}
"""`status` reads the store, which speaks of calls, and folds it into the monitor's view state."""

CASES: Final = (
    Case(()),
    Case(("--help",), (*HEAVY, "rich", "yaml", "msgspec")),
    Case(("--version",), (*HEAVY, "rich", "yaml", "msgspec")),
    Case(("help", "exit-codes")),
    Case(("help", "environment")),
    Case(("status",), rooms=STATUS),
    Case(("status", "--json"), rooms=STATUS),
    *(Case((name, "--help")) for name in COMMANDS),
)
"""One line a command; a command that is not built yet is left out until it is."""

PROBE: Final = """
import json, sys
from callagent_cli.__main__ import main
try:
    main(sys.argv[1:])
except SystemExit as ended:
    code = ended.code
print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)
"""


def _loaded_by(arguments: tuple[str, ...], folder: Path) -> list[str]:
    command = [sys.executable, "-c", PROBE, *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)
    _code, loaded = json.loads(run.stderr.splitlines()[-1])
    return list(loaded)


def _built(case: Case) -> bool:
    first = next(iter(case.arguments), "-")
    return first.startswith("-") or first in COMMANDS


@pytest.mark.parametrize(
    "case", [case for case in CASES if _built(case)], ids=lambda case: " ".join(case.arguments)
)
def test_a_command_loads_only_what_it_needs(case: Case, tmp_path: Path) -> None:
    """A command loads no library of the heavy list and no room but its own."""
    loaded = _loaded_by(case.arguments, tmp_path)
    ours = [name.removeprefix("callagent_cli.") for name in loaded if "callagent_cli." in name]

    libraries = [name for name in case.heavy if name in loaded]
    rooms = [
        name
        for name in ours
        if name.partition(".")[0] in ROOMS
        and name not in case.rooms
        and (name.partition(".")[0] not in case.rooms or name.startswith("resilience."))
    ]

    assert libraries == []
    assert rooms == []


FIRST_LINE: Final = """
import json, sys
from callagent_cli.__main__ import main
write = sys.stdout.write
def first(text):
    print(json.dumps([0, sorted(sys.modules)]), file=sys.stderr)
    sys.stdout.write = write
    return write(text)
sys.stdout.write = first
main(sys.argv[1:])
"""


@pytest.mark.parametrize("more", [(), ("--seeds", "1"), ("--compare", "lanes.yaml")])
def test_a_rehearsal_says_what_it_is_before_it_loads_a_world(
    more: tuple[str, ...], tmp_path: Path
) -> None:
    """The first line needs the scenario and nothing of what a world is made of."""
    (tmp_path / "lanes.yaml").write_text("lanes: 2\n", encoding="utf-8")
    command = [sys.executable, "-c", FIRST_LINE, "simulate", "late-listing", *more]

    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)

    loaded = json.loads(run.stderr.splitlines()[0])[1]
    assert run.stdout.startswith("SIMULATION late-listing: ")
    assert [name for name in ("asyncio", "sqlite3", "tenacity") if name in loaded] == []
