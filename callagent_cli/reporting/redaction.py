"""Takes secrets and phone numbers out of every text before it reaches a log or a person."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final
from urllib.parse import quote, urlsplit

import msgspec

from callagent_cli.masking import HIDDEN, mask_numbers
from callagent_cli.settings import Credential, Settings

SHORTEST_SECRET: Final = 6
"""Shorter credentials are not looked for: they would hide parts of ordinary words."""

_SECRET_PATH: Final = 20
"""A webhook's path of this length or more is taken for a capability, as hosted hooks have them."""


class Redactor:
    """Hides the given secrets, and masks phone numbers as `mask_numbers` does."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {form for secret in secrets for form in _forms(secret)}
        self._secrets = sorted(known, key=lambda secret: (-len(secret), secret))
        self._in_json = [msgspec.json.encode(secret)[1:-1] for secret in self._secrets]
        # The keys of one world begin alike, and almost no line has any of them.
        self._beginnings = {secret[:SHORTEST_SECRET] for secret in self._in_json}
        # A failing service says the same sentence thousands of times.
        self.text = lru_cache(maxsize=4096)(self._redact)

    def _redact(self, text: str) -> str:
        """Return a text without secrets and without whole phone numbers."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return mask_numbers(text)

    def line(self, line: bytes) -> bytes:
        """Return a line of JSON without secrets, wherever in it they stand."""
        for beginning in self._beginnings:
            if beginning in line:
                return self._without_secrets(line)
        return line

    def _without_secrets(self, line: bytes) -> bytes:
        for secret in self._in_json:
            line = line.replace(secret, HIDDEN.encode())
        return line


def _forms(secret: str) -> Iterator[str]:
    secret = secret.strip()
    for form in (secret, quote(secret, safe=""), secret.removeprefix("whsec_")):
        if len(form) >= SHORTEST_SECRET:
            yield form


def secrets_of(settings: Settings, environ: Mapping[str, str]) -> list[str]:
    """Return every secret that the settings name, so that a `Redactor` can hide them.

    Raises `SettingsError` when a secret's file cannot be read.
    """
    found = [credential.read(environ) for credential in _credentials(settings)]
    alerts = settings.alerts
    found += _capabilities(alerts.heartbeat_url)
    if alerts.webhook is not None:
        found += _capabilities(alerts.webhook.url)
    if alerts.slack is not None:
        found += _capabilities(alerts.slack.url.read(environ))
    parts = [part for secret in found for part in _parts(secret)]
    return [secret for secret in parts if secret]


def _capabilities(url: str) -> list[str]:
    """Return the parts of an address that open a door to whoever knows them."""
    try:
        address = urlsplit(url)
    except ValueError:  # It leads nowhere; whoever opens it says so.
        return [url]
    return [part for part in (address.path, address.query) if len(part) >= _SECRET_PATH]


def _credentials(value: object) -> Iterator[Credential]:
    if isinstance(value, Credential):
        yield value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _credentials(getattr(value, name))


def _parts(secret: str) -> list[str]:
    """Return a secret, what stands between its spaces, and the keys inside a JSON credential."""
    try:
        fields = msgspec.json.decode(secret, type=dict[str, object])
    except msgspec.DecodeError:
        return [secret, *secret.split()]
    keys = [fields.get(name) for name in ("private_key", "private_key_id", "client_secret")]
    return [secret, *(key for key in keys if isinstance(key, str))]
