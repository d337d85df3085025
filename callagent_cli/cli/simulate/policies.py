"""The settings files that `simulate --compare` is given."""

from pathlib import Path
from typing import Any, Final

import msgspec

from callagent_cli.errors import SettingsError, UsageError
from callagent_cli.settings_file import read_settings
from callagent_cli.simulation.scenario.check import unworkable
from callagent_cli.simulation.scenario.loader import LoadedScenario, settings_of
from callagent_cli.yaml_file import problems_error
from callagent_cli.yaml_reader import Problem

AS_WRITTEN: Final = "the scenario's own"

Policies = dict[str, dict[str, Any]]
"""Settings as they are written, by a name for them."""


def policies_of(loaded: LoadedScenario, files: tuple[Path, ...]) -> Policies:
    """Return the scenario's own settings and those of the files; raises `SettingsError`.

    Raises `UsageError` for a file that is given twice.
    """
    policies: Policies = {AS_WRITTEN: {}}
    for file in files:
        if str(file) in policies:
            raise UsageError(f"`{file}` is given twice", hint="name each settings file once")
        policies[str(file)] = _policy(loaded, file)
    return policies


def _policy(loaded: LoadedScenario, file: Path) -> dict[str, Any]:
    """Return settings as they are written, if they can work together with the scenario's."""
    read = read_settings(file)
    written: dict[str, Any] = read.plain
    try:
        found = list(unworkable(settings_of(loaded, written)))
    except msgspec.ValidationError as error:
        raise SettingsError(f"these settings cannot be used together: {error}") from error
    if found:
        problems = [Problem(read.line(key), f"`{key}` {what}") for key, what in found]
        raise problems_error(file, problems, error=SettingsError)
    return written
