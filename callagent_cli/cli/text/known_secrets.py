"""Which secrets a crash report must hide: those of the environment and of the settings in use."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from callagent_cli.cli.text.topics import SECRETS
from callagent_cli.settings import Settings

SECRET_NAMES: Final = re.compile(
    r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL|SERVICE_ACCOUNT", re.IGNORECASE
)
"""Environment variables whose values are secrets besides those that callagent reads."""

SHORTEST_SECRET: Final = 4

_in_use: list[Settings] = []


def settings_in_use(settings: Settings) -> None:
    """Remember what the settings name as secrets: files, and variables of any name."""
    _in_use[:] = [settings]


def known_secrets(environ: Mapping[str, str]) -> list[str]:
    """Return every secret that is known, each in all its forms, the longest first."""
    # A crash is rare, and `status` starts without that room.
    from callagent_cli.reporting.redaction import forms_of

    found = {secret for secret in _values(environ) if len(secret) >= SHORTEST_SECRET}
    found |= {form for secret in found for form in forms_of(secret)}
    return sorted(found, key=lambda secret: (-len(secret), secret))


def _values(environ: Mapping[str, str]) -> Iterator[str]:
    from callagent_cli.reporting.redaction import readable_secrets_of

    for name, value in environ.items():
        if name in SECRETS or SECRET_NAMES.search(name):
            yield value
    for settings in _in_use:
        yield from readable_secrets_of(settings, environ)
