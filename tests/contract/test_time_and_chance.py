"""Time, chance and threads come in through the doors of DESIGN.md's "Time and chance" only.

Floors 5 and 6 (`monitor/`, `cli/`) may read the clock of the machine; below them a name on the
list needs an entry in `ALLOWED` with its reason.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from source_tree import dotted, in_package, names_brought_in, package_files, parsed, where

FREE_ROOMS: Final = ("cli/", "monitor/")

BANNED: Final = (
    "_thread",
    "asyncio.to_thread",
    "concurrent",
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "multiprocessing",
    "os.urandom",
    "random",
    "secrets",
    "threading",
    "time",
    "uuid",
)
"""A name stands for itself and everything below it."""

HARMLESS: Final = frozenset({"random.Random"})
"""A generator that is handed a seed; `Random()` without one is caught as a call."""

ALLOWED: Final[dict[str, tuple[str, ...]]] = {
    "clock.py": ("os.urandom", "random", "time"),
    # gspread knows no event loop; it waits on a thread of its own.
    "reporting/google_sheet.py": ("threading",),
    # That thread lets time pass between the writes that make a worksheet.
    "reporting/gspread_writer.py": ("time.sleep",),
    # Each sink writes its file on a thread of its own, so that no call waits for a disk.
    "reporting/sinks.py": ("threading",),
    # The process pool: each process computes whole worlds, which know nothing of it, nor of the
    # thread that waits for the end of the first process.
    "simulation/sweep/processes.py": ("concurrent.futures", "multiprocessing", "threading.Thread"),
    # Only that a callback came from another thread is asked, to refuse it.
    "simulation/virtual/loop.py": ("threading.get_ident",),
    # Taking over the lock happens once, before there is a loop.
    "store/lock.py": ("time.sleep",),
}
"""File → what it may use, with the reason above it; a key ending in `/` stands for a folder."""


def _is_below(name: str, banned: str) -> bool:
    return name == banned or name.startswith(banned + ".")


def _uses(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """Yield each use of a banned name with its dotted origin."""
    names = names_brought_in(tree)
    parts = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if id(node) in parts:
            continue  # The whole of `a.b.c` is looked at, not `a.b` again.
        if isinstance(node, ast.Attribute) and node.attr == "run_in_executor":
            yield node, "run_in_executor"
        elif isinstance(node, ast.Call) and not (node.args or node.keywords):
            if dotted(node.func, names) == "random.Random":
                yield node, "random.Random()"
        elif isinstance(node, ast.Name | ast.Attribute):
            name = dotted(node, names)
            if name not in HARMLESS and any(_is_below(name, banned) for banned in BANNED):
                yield node, name


def _allowed(path: str, name: str) -> bool:
    entries = (
        names
        for place, names in ALLOWED.items()
        if path == place or (place.endswith("/") and path.startswith(place))
    )
    return any(_is_below(name, allowed) for names in entries for allowed in names)


def _offenders(path: Path) -> Iterator[str]:
    below = in_package(path)
    if below.startswith(FREE_ROOMS):
        return
    for node, name in _uses(parsed(path)):
        if not _allowed(below, name):
            yield f"{where(path, node)} {name}"


def test_engine_code_has_no_clock_chance_or_thread_of_its_own() -> None:
    """No file below floor 5 uses a banned name without an entry in `ALLOWED`."""
    offenders = [offender for path in package_files() for offender in _offenders(path)]

    assert not offenders, "\n".join(offenders)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import time\ntime.monotonic()", "time.monotonic"),
        ("from time import sleep as nap\nnap(1)", "time.sleep"),
        ("from datetime import datetime\ndatetime.now()", "datetime.datetime.now"),
        ("import datetime as d\nd.datetime.utcnow()", "datetime.datetime.utcnow"),
        ("import random\nrandom.choice([1])", "random.choice"),
        ("from random import Random\nRandom()", "random.Random()"),
        ("def f(loop):\n    loop.run_in_executor(None, print)", "run_in_executor"),
        ("import concurrent.futures\nconcurrent.futures.wait([])", "concurrent.futures.wait"),
        ("import asyncio\nasyncio.to_thread(print)", "asyncio.to_thread"),
    ],
)
def test_the_check_sees_each_way_in(source: str, expected: str) -> None:
    """Each way to reach a banned name is found, aliases included."""
    assert expected in [name for _, name in _uses(ast.parse(source))]


@pytest.mark.parametrize(
    "source",
    [
        "from random import Random\nRandom(7)",
        "from datetime import datetime, UTC\ndatetime.fromtimestamp(0, UTC)",
        "import asyncio\nasyncio.get_running_loop().time()",
        "time = 3\ntime.bit_length()",
    ],
)
def test_the_check_leaves_harmless_names_alone(source: str) -> None:
    """Seeded generators, conversions and the loop's time are no offense."""
    assert [name for _, name in _uses(ast.parse(source))] == []


def test_every_exception_is_still_needed() -> None:
    """Each file or folder named in `ALLOWED` exists."""
    package = {in_package(path) for path in package_files()}

    missing = [place for place in ALLOWED if not any(path.startswith(place) for path in package)]

    assert missing == []
