"""Reads `callagent.yaml`, and the few settings that an environment variable may override."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import yaml
from msgspec import inspect

from callagent_cli.errors import SettingsError
from callagent_cli.settings import Settings
from callagent_cli.yaml_file import YamlFile, load_yaml
from callagent_cli.yaml_reader import nearest
from callagent_cli.yaml_scalar import BAD, choices, describe, read_scalar

SETTINGS_FILE: Final = Path("callagent.yaml")
VARIABLE_PREFIX: Final = "CALLAGENT_"
_MAPPINGS: Final = (inspect.StructType, inspect.DictType)


def setting_variables() -> dict[str, str]:
    """Return the environment variables that override a setting: `CALLAGENT_LANES` → `lanes`."""
    fields = [field for field in _settings_fields() if not isinstance(field.type, _MAPPINGS)]
    scalars = [field.encode_name for field in fields]
    return {f"{VARIABLE_PREFIX}{name.upper()}": name for name in scalars}


def load_settings(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Return the settings: the defaults, then the file, then the environment.

    Without a `path`, `./callagent.yaml` is read where it exists, and the defaults (the sandbox)
    hold where it does not. An empty variable counts as unset. Raises `SettingsError`.
    """
    settings = Settings()
    if path is not None or SETTINGS_FILE.exists():
        settings = read_settings(path or SETTINGS_FILE).value
    return msgspec.structs.replace(settings, **_overrides(environ))


def read_settings(path: Path) -> YamlFile[Settings]:
    """Return a settings file with its lines; raises `SettingsError`."""
    return load_yaml(path, Settings, error=SettingsError, check=_problems)


def _problems(file: YamlFile[Settings]) -> Iterator[tuple[str, str]]:
    return ((key, f"`{key}` {what}") for key, what in unusable(file.value))


def unusable(section: msgspec.Struct, above: str = "") -> Iterator[tuple[str, str]]:
    """Yield the keys of texts that no path and no address can be, and what is wrong with them."""
    for name in section.__struct_fields__:
        value, key = getattr(section, name), f"{above}{name}"
        if isinstance(value, msgspec.Struct):
            yield from unusable(value, f"{key}.")
        elif isinstance(value, str) and "\0" in value:
            yield key, "holds a NUL character"
        elif isinstance(value, str) and name.endswith("url") and not _is_address(value):
            yield key, "is no web address"


def _is_address(text: str) -> bool:
    try:
        return urlsplit(text).port != 0
    except ValueError:  # Half an IPv6 address, or a port that is none.
        return False


def _overrides(environ: Mapping[str, str]) -> dict[str, Any]:
    types = {field.encode_name: field.type for field in _settings_fields()}
    values: dict[str, Any] = {}
    problems: list[str] = []
    for variable, name in setting_variables().items():
        text = environ.get(variable, "").strip()
        if not text:
            continue
        value = read_scalar(_scalar(text), types[name])
        values[name] = value
        if value is BAD:
            close = nearest(text, choices(types[name]))
            problems.append(f'`{variable}` must be {describe(types[name])}, not "{text}"{close}')
    if problems:
        raise SettingsError("\n".join(problems), hint="correct or unset the variable")
    return values


def _settings_fields() -> tuple[inspect.Field, ...]:
    info = inspect.type_info(Settings)
    return info.fields if isinstance(info, inspect.StructType) else ()


def _scalar(text: str) -> yaml.ScalarNode:
    """Return a variable's text as the value it would be in the file."""
    resolver = yaml.resolver.Resolver()
    tag = resolver.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    return yaml.ScalarNode(tag, text)
