"""The README cannot drift from the program."""

from collections.abc import Iterator
from typing import Final

import msgspec
import pytest
from source_tree import ROOT

from callagent_cli import settings
from callagent_cli.cli.commands import COMMANDS
from callagent_cli.cli.text.exit import MEANINGS
from callagent_cli.cli.text.topics import ENVIRONMENT
from callagent_cli.errors import ExitCode

README: Final = (ROOT / "README.md").read_text(encoding="utf-8")

SET_UP: Final = "python3 -m venv .venv && .venv/bin/pip install -q -c constraints.txt -e"


@pytest.mark.parametrize(
    "command",
    [
        f"{SET_UP} . && .venv/bin/callagent run contacts.csv",
        f"{SET_UP} '.[test]' && .venv/bin/pytest",
    ],
)
def test_the_two_commands_stand_on_a_line_each(command: str) -> None:
    """What a person copies from the README is exactly what is promised to work."""
    assert command in README.splitlines()


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_is_in_the_readme(name: str) -> None:
    """The README's table has a row for each command."""
    assert f"| `callagent {name}" in README


def test_every_exit_code_has_its_meaning_in_the_readme() -> None:
    """The README's table and `callagent help exit-codes` say the same."""
    rows = [f"| {int(code)} | {meaning} |" for code, meaning in MEANINGS.items()]

    assert set(MEANINGS) == set(ExitCode)
    assert [row for row in rows if row not in README] == []


def test_every_environment_variable_is_in_the_readme() -> None:
    """The README's table and `callagent help environment` say the same."""
    rows = [f"| `{name}` | {meaning} |" for name, meaning in ENVIRONMENT.items()]

    assert [row for row in rows if row not in README] == []


def _credentials() -> Iterator[str]:
    """Yield the variable of each credential that the settings read by default."""
    for kind in vars(settings).values():
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            for field in msgspec.structs.fields(kind):
                if isinstance(field.default, settings.Credential):
                    yield field.default.env


def test_every_credential_of_the_settings_is_explained() -> None:
    """Each variable that a secret comes from by default is one `help environment` knows."""
    variables = set(_credentials())

    assert variables
    assert variables <= set(ENVIRONMENT)
