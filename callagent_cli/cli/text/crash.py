"""The report of a crash: where it happened and in what surroundings, without any secret."""

import os
import platform
import traceback
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from callagent_cli import __version__
from callagent_cli.cli.text.known_secrets import known_secrets
from callagent_cli.masking import HIDDEN, hide_secrets, mask_numbers


def redacted(text: str, environ: Mapping[str, str]) -> str:
    """Return the text without secrets, and with phone numbers cut to their last three digits.

    Secrets are known from the settings, by the names of their variables and by their shapes: the
    settings may be what crashed.
    """
    for secret in known_secrets(environ):
        text = text.replace(secret, HIDDEN)
    return mask_numbers(hide_secrets(text))


def crash_report(error: BaseException, arguments: Sequence[str], at: datetime) -> str:
    """Return the text of a report: the traceback without local variables, redacted."""
    head = [
        f"callagent {__version__} crashed at {at:%Y-%m-%dT%H:%M:%SZ}",
        f"Python {platform.python_version()} on {platform.platform()}",
    ]
    trace = "".join(traceback.format_exception(error))
    said = [f"command: callagent {' '.join(arguments)}", "", *trace.splitlines()]
    return "\n".join([*head, redacted("\n".join(said), os.environ)]) + "\n"


def write_crash_report(error: BaseException, arguments: Sequence[str], folder: Path) -> Path:
    """Write a report to `folder/crash-….txt`, readable by this user only, and return its path.

    Raises `OSError` when the folder cannot be written.
    """
    at = datetime.now(UTC)
    path = folder / f"crash-{at:%Y%m%dT%H%M%S.%fZ}.txt"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(crash_report(error, arguments, at))
    return path
