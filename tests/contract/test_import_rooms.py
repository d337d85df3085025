"""The floors of DESIGN.md: imports go down only, in the text and in a running interpreter."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from source_tree import PACKAGE, ROOT

TERMINAL: Final = ("typer", "rich", "textual")
NETWORK: Final = ("httpx2", "gspread")

LOWER_ROOMS: Final[dict[str, tuple[str, ...]]] = {
    "resilience": (),
    "calls": (),
    "contacts": ("calls",),
    "services": ("calls", "resilience"),
    "store": ("calls", "contacts", "services", "resilience"),
    "reporting": ("calls", "contacts", "services", "resilience"),
    "worker": ("calls", "contacts", "services", "store", "reporting", "resilience"),
    "simulation": (
        "calls",
        "contacts",
        "services",
        "store",
        "reporting",
        "resilience",
        "worker",
    ),
}
"""Room → the rooms it may load; `resilience.outcome` and `.policy` belong to the vocabulary."""

OUTSIDE: Final[dict[str, tuple[str, ...]]] = {
    "resilience": (*TERMINAL, *NETWORK, "sqlite3", "yaml"),
    "calls": (*TERMINAL, *NETWORK, "h11", "sqlite3"),
    "contacts": (*TERMINAL, *NETWORK, "sqlite3"),
    "services": (*TERMINAL, "sqlite3"),
    "store": (*TERMINAL, *NETWORK),
    "reporting": TERMINAL,
    "worker": TERMINAL,
    "simulation": (*TERMINAL, *NETWORK, "smtplib"),
}
"""Room → what must not be loaded after importing all of it."""

PROBE: Final = """
import importlib, json, pkgutil, sys
room = importlib.import_module(sys.argv[1])
for module in pkgutil.walk_packages(room.__path__, room.__name__ + "."):
    importlib.import_module(module.name)
print(json.dumps(sorted(sys.modules)))
"""


def _loaded_by(room: str) -> list[str]:
    command = [sys.executable, "-c", PROBE, f"callagent_cli.{room}"]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    loaded: list[str] = json.loads(run.stdout)
    return loaded


def _room_of(module: str) -> str:
    parts = module.split(".")
    if parts[0] != "callagent_cli" or module in {
        "callagent_cli.resilience",
        "callagent_cli.resilience.outcome",
        "callagent_cli.resilience.policy",
    }:
        return ""
    return parts[1] if len(parts) > 1 and (PACKAGE / parts[1]).is_dir() else ""


@pytest.mark.parametrize("room", list(OUTSIDE))
def test_a_room_loads_only_what_stands_below_it(room: str) -> None:
    """Importing every file of a room loads no room beside or above it and no banned library."""
    loaded = _loaded_by(room)
    allowed = {"", room, *LOWER_ROOMS[room]}

    strangers = [module for module in loaded if _room_of(module) not in allowed]
    libraries = [name for name in OUTSIDE[room] if name in loaded]

    assert strangers == []
    assert libraries == []


def test_every_room_below_the_screen_is_watched() -> None:
    """Each folder of the package but `cli` and `monitor` has a line in the tables above."""
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}

    assert rooms - {"cli", "monitor"} == set(OUTSIDE) == set(LOWER_ROOMS)


def test_the_import_contracts_hold() -> None:
    """The contracts in pyproject.toml hold for every import statement, reached or not."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)

    assert run.returncode == 0, run.stdout[-3000:] + run.stderr
