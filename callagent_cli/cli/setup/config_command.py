"""What `callagent config show` does: every setting, its value, and where that comes from."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import msgspec

from callagent_cli.cli.place.dotenv import DOTENV, apply_dotenv, read_dotenv
from callagent_cli.cli.text.known_secrets import settings_in_use
from callagent_cli.cli.text.output import standard_output
from callagent_cli.errors import ExitCode
from callagent_cli.masking import HIDDEN
from callagent_cli.settings import Credential, Settings
from callagent_cli.settings_file import (
    SETTINGS_FILE,
    load_settings,
    read_settings,
    setting_variables,
)
from callagent_cli.yaml_file import YamlFile

_ADDRESSES: Final = frozenset({"alerts.webhook.url", "alerts.heartbeat_url"})
_DEFAULT: Final = "default"


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One setting; a secret's value says only whether it is there."""

    name: str
    value: str
    source: str


class ConfigDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The document of `config show --json`."""

    schema: Literal[1] = 1
    settings: list[Shown]


def show_config(path: Path | None, *, json: bool, every: bool) -> int:
    """Print the settings; raises `SettingsError`."""
    before = dict(os.environ)
    apply_dotenv(os.environ)
    found = list(settings_shown(path, os.environ, before))
    if not every:
        found = [shown for shown in found if shown.source != _DEFAULT]
    output = standard_output()
    if json:
        output.document(ConfigDocument(settings=found))
        return int(ExitCode.DONE)
    width = max((len(shown.name) for shown in found), default=0)
    for shown in found:
        output.line(f"{shown.name.ljust(width)}  {shown.value}  ({shown.source})")
    if not found:
        output.line("nothing is set: the defaults hold, and the sandbox; `--all` shows them")
    return int(ExitCode.DONE)


def settings_shown(
    path: Path | None, environ: Mapping[str, str], before: Mapping[str, str]
) -> Iterator[Shown]:
    """Yield each setting; `before` is the environment as it was before `.env` was read."""
    settings = load_settings(path, environ)
    settings_in_use(settings)
    file = None
    if path is not None or SETTINGS_FILE.exists():
        file = read_settings(path or SETTINGS_FILE)
    variables = {name: variable for variable, name in setting_variables().items()}
    for name, value in _leaves(settings, ""):
        if isinstance(value, Credential):
            yield _credential(name, value, environ, before)
            continue
        source = _source(name, file, variables.get(name, ""), environ)
        yield Shown(name=name, value=_text(name, value), source=source)


def _leaves(value: Any, name: str) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 — any setting.
    if isinstance(value, msgspec.Struct) and not isinstance(value, Credential):
        for field in value.__struct_fields__:
            below = f"{name}.{field}" if name else field
            yield from _leaves(getattr(value, field), below)
    else:
        yield name, value


def _source(
    name: str, file: YamlFile[Settings] | None, variable: str, environ: Mapping[str, str]
) -> str:
    if variable and environ.get(variable, "").strip():
        return variable
    if file is not None and name in file.lines:
        return f"{file.path}:{file.lines[name]}"
    return _DEFAULT


def _text(name: str, value: Any) -> str:  # noqa: ANN401 — any setting.
    if value is None:
        return "not set"
    if name in _ADDRESSES and value:
        # The path of a hosted webhook opens a door to whoever knows it.
        address = urlsplit(value)
        return f"{address.scheme}://{address.hostname or ''}/{HIDDEN}"
    if isinstance(value, str) and "://" in value:
        return _without_secrets(value)
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    return str(value) if value != "" else '""'


def _without_secrets(url: str) -> str:
    """Return an address without user, password, query and fragment: each may hold a secret."""
    scheme, _, rest = url.partition("://")
    rest, number_sign, fragment = rest.partition("#")
    rest, question_mark, query = rest.partition("?")
    netloc, slash, path = rest.partition("/")
    user, at, host = netloc.rpartition("@")
    place = f"{HIDDEN}{at}{host}" if user else netloc
    hidden = f"{question_mark}{HIDDEN}" if query else ""
    hidden += f"{number_sign}{HIDDEN}" if fragment else ""
    return f"{scheme}://{place}{slash}{path}{hidden}"


def _credential(
    name: str, credential: Credential, environ: Mapping[str, str], before: Mapping[str, str]
) -> Shown:
    if credential.file:
        there = Path(credential.file).is_file()
        value = "***" if there else "missing: no such file"
        return Shown(name=name, value=value, source=f"file {credential.file}")
    if not environ.get(credential.env):
        return Shown(name=name, value="not set", source=_DEFAULT)
    from_file = not before.get(credential.env) and credential.env in read_dotenv(DOTENV)
    where = f"{DOTENV} {credential.env}" if from_file else f"environment {credential.env}"
    return Shown(name=name, value="***", source=where)
