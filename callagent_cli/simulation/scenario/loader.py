"""Finds scenario files, one's own and those of the library, and reads them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from callagent_cli.errors import ScenarioError
from callagent_cli.settings import Settings
from callagent_cli.simulation.scenario.check import scenario_problems
from callagent_cli.simulation.scenario.format import SEED_MAX, Scenario
from callagent_cli.yaml_file import YamlFile, load_yaml, parse_yaml
from callagent_cli.yaml_reader import nearest

_PACKAGED: Final = Path(__file__).parents[2] / "scenarios"
_CHECKED_OUT: Final = Path(__file__).parents[3] / "scenarios"
OWN_FOLDER: Final = Path("scenarios")
"""Where a person keeps scenarios, in the folder that a command is run in."""

_SUFFIXES: Final = (".yaml", ".yml")
_HINT: Final = "`callagent scenarios check FILE` checks a file without running it"


@dataclass(frozen=True, slots=True)
class LoadedScenario:
    """A checked scenario, and the settings it overrides exactly as they were written."""

    path: Path
    scenario: Scenario
    settings_written: dict[str, Any]


def library_folder() -> Path:
    """Return the folder of the scenarios that come with callagent."""
    return _PACKAGED if _PACKAGED.is_dir() else _CHECKED_OUT


def library() -> list[Path]:
    """Return the scenarios that come with callagent, by name."""
    return sorted(library_folder().glob("*.yaml"))


def own() -> list[Path]:
    """Return the scenarios of whoever runs the command, by name: those in `./scenarios`.

    Raises `ScenarioError` when the folder cannot be read: what it has goes before the library.
    """
    try:
        if not OWN_FOLDER.is_dir() or OWN_FOLDER.samefile(library_folder()):
            return []
        return sorted(path for path in OWN_FOLDER.iterdir() if path.suffix in _SUFFIXES)
    except OSError as error:
        message = f"cannot read the folder `{OWN_FOLDER}`: {error.strerror or error}"
        hint = f"check its permissions: `chmod u+rx {OWN_FOLDER}`, or work in another folder"
        raise ScenarioError(message, hint=hint) from error


def find_scenario(name: str) -> Path:
    """Return the file of a scenario given by path or by its name: one's own, else the library's.

    Raises `ScenarioError`, with the nearest name, when there is none, and as `own` does.
    """
    if name.endswith(_SUFFIXES) or "/" in name or "\\" in name:
        return Path(name)
    names = {path.stem: path for path in [*library(), *own()]}
    if name in names:
        return names[name]
    message = f"there is no scenario `{name}`{nearest(name, names)}"
    raise ScenarioError(message, hint="`callagent scenarios` lists them all")


def load_scenario(path: Path) -> LoadedScenario:
    """Read and check a scenario file; raises `ScenarioError` with everything that is wrong."""
    file = load_yaml(path, Scenario, error=ScenarioError, hint=_HINT, check=scenario_problems)
    return _loaded(file)


def parse_scenario(text: str, path: Path) -> LoadedScenario:
    """Read and check a scenario from text; `path` is its name in messages."""
    check = scenario_problems
    return _loaded(
        parse_yaml(text, Scenario, path=path, error=ScenarioError, hint=_HINT, check=check)
    )


def _loaded(file: YamlFile[Scenario]) -> LoadedScenario:
    return LoadedScenario(file.path, file.value, file.plain.get("settings", {}))


def check_seed(seed: int) -> int:
    """Return a seed that may be used; raises `ScenarioError` for one out of range."""
    if not 0 <= seed <= SEED_MAX:
        message = f"seed {seed} is out of range"
        raise ScenarioError(message, hint=f"use a whole number from 0 to {SEED_MAX}")
    return seed


def settings_of(loaded: LoadedScenario, *policies: dict[str, Any]) -> Settings:
    """Return the settings a scenario runs under; later `policies` (as written) override it.

    Lanes come from the campaign unless a policy names them, and the mode is always the sandbox.
    """
    merged: dict[str, Any] = {"lanes": loaded.scenario.campaign.lanes}
    for written in (loaded.settings_written, *policies):
        merged = _merge(merged, written)
    return msgspec.convert({**merged, "mode": "sandbox"}, Settings)


def _merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        both = isinstance(under, dict) and isinstance(value, dict)
        merged[key] = _merge(under, value) if both else value  # type: ignore[arg-type]
    return merged
