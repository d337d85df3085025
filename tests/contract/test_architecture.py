"""ARCHITECTURE.md says what is there: rooms, floors, files and dependencies."""

import re
from functools import cache
from typing import Final

from source_tree import PACKAGE, ROOT, pyproject

ROOM: Final = re.compile(r"^\| (\d) \| `(\w+)/` \|", re.MULTILINE)
FILE: Final = re.compile(r"`((?:[\w.]+/)*[\w.]+\.(?:py|toml|md)|(?:tests|scripts|\.ci)/[\w/]+)`")
DEPENDENCY: Final = re.compile(r"^\| ([^|]+) \|[^|]+\|[^|]+\|$", re.MULTILINE)


@cache
def _text() -> str:
    return (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")


def _name(requirement: str) -> str:
    return re.split(r"[<>=!~ ;\[]", requirement)[0].lower()


def test_every_room_stands_on_its_floor() -> None:
    """Each folder of the package has a row, in the order of the layers of pyproject.toml."""
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    listed = [name for _, name in ROOM.findall(_text())]
    floors = [int(floor) for floor, _ in ROOM.findall(_text())]
    contract = pyproject()["tool"]["importlinter"]["contracts"][0]
    layers = [re.split(r" [|:] ", layer) for layer in contract["layers"]]
    depth = {name: number for number, layer in enumerate(layers) for name in layer}

    assert set(listed) == rooms
    assert len(listed) == len(rooms)
    assert floors == sorted(floors, reverse=True)
    assert [depth[name] for name in listed] == sorted(depth[name] for name in listed)


def test_every_file_it_names_exists() -> None:
    """What stands in backquotes like a path is a file or folder, below the package or the root."""
    named = set(FILE.findall(_text()))
    lost = [
        name
        for name in sorted(named)
        if not any((base / name).exists() for base in (ROOT, PACKAGE, PACKAGE / "cli"))
    ]

    assert named
    assert lost == []


def test_every_dependency_has_its_reason() -> None:
    """Each dependency, of the runtime, an extra, tests or build, has a row that says why."""
    project = pyproject()["project"]
    extras = project["optional-dependencies"].values()
    build = pyproject()["build-system"]["requires"]
    groups = [project["dependencies"], build, *extras]
    wanted = {_name(line) for group in groups for line in group}
    rows = " ".join(DEPENDENCY.findall(_text())).lower()
    explained = set(re.findall(r"[a-z0-9][a-z0-9-]*", rows))

    assert sorted(wanted - explained) == []
