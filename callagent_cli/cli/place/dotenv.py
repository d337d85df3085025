"""`.env`: secrets beside the settings; a variable that is set already wins."""

import re
from collections.abc import MutableMapping
from pathlib import Path
from typing import Final

from callagent_cli.errors import SettingsError

DOTENV: Final = Path(".env")
_LINE: Final = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*")
_QUOTED: Final = re.compile(r"""(["'])(.*)\1(?:\s+#.*)?""")
_ESCAPED: Final = re.compile(r"""\\([\\"nrt])""")
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t"}
"""What a backslash makes of a letter inside double quotes; single quotes keep it."""


def read_dotenv(path: Path) -> dict[str, str]:
    """Return the variables of a `.env` file; raises `SettingsError` and never quotes a value."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        message = f"cannot read `{path}`: {getattr(error, 'strerror', '') or 'it is no UTF-8 text'}"
        raise SettingsError(message, hint="check its permissions and its encoding") from error
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise SettingsError(f"{path}:{number}: no `NAME=value`", hint="write one on each line")
        found[match[1]] = _value(match[2])
    return found


def apply_dotenv(environ: MutableMapping[str, str], path: Path = DOTENV) -> None:
    """Set the variables of `.env` that are not set; raises `SettingsError`."""
    for name, value in read_dotenv(path).items():
        if not environ.get(name):
            environ[name] = value


def _value(text: str) -> str:
    quoted = _QUOTED.fullmatch(text)
    if quoted is None:
        return text.partition(" #")[0].rstrip()
    if quoted[1] == "'":
        return quoted[2]
    return _ESCAPED.sub(lambda found: _ESCAPES.get(found[1], found[1]), quoted[2])
