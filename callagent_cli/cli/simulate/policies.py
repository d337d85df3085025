"""The settings files that `simulate --compare` is given."""

from pathlib import Path
from typing import Any, Final

from callagent_cli.errors import UsageError
from callagent_cli.settings_file import read_settings

AS_WRITTEN: Final = "the scenario's own"

Policies = dict[str, dict[str, Any]]
"""Settings as they are written, by a name for them."""


def policies_of(files: tuple[Path, ...]) -> Policies:
    """Return the scenario's own settings and those of the files; raises `SettingsError`.

    Raises `UsageError` for a file that is given twice.
    """
    policies: Policies = {AS_WRITTEN: {}}
    for file in files:
        if str(file) in policies:
            raise UsageError(f"`{file}` is given twice", hint="name each settings file once")
        policies[str(file)] = read_settings(file).plain
    return policies
