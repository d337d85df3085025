"""Takes secrets and phone numbers out of every text before it reaches a log or a person."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Final
from urllib.parse import quote, urlsplit

import msgspec

from callagent_cli.errors import SettingsError
from callagent_cli.masking import HIDDEN, mask_numbers
from callagent_cli.settings import Credential, Settings

SHORTEST_SECRET: Final = 6
"""Shorter credentials are not looked for: they would hide parts of ordinary words."""

_SECRET_PATH: Final = 20
"""A webhook's path of this length or more is taken for a capability, as hosted hooks have them."""

_SECRET_TOKEN: Final = 8
"""A piece of an address of this length or more with a digit in it is taken for a token."""

_PIECE: Final = re.compile(r"[^/?&=:@#]+")


class Redactor:
    """Hides the given secrets, and masks phone numbers as `mask_numbers` does."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {form for secret in secrets for form in _forms(secret)}
        self._secrets = sorted(known, key=lambda secret: (-len(secret), secret))
        self._in_json = [msgspec.json.encode(secret)[1:-1] for secret in self._secrets]
        self._in_address = _anyhow_quoted(self._secrets)
        # The keys of one world begin alike, and almost no line has any of them.
        self._beginnings = {secret[:SHORTEST_SECRET] for secret in self._in_json}
        # A failing service says the same sentence thousands of times.
        self.text = lru_cache(maxsize=4096)(self._redact)

    def _redact(self, text: str) -> str:
        """Return a text without secrets and without whole phone numbers."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        if "%" in text:
            text = self._in_address.sub(HIDDEN, text)
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


def _anyhow_quoted(secrets: Iterable[str]) -> re.Pattern[str]:
    """Return what finds secrets in an address: who writes one quotes what it deems necessary."""
    found = ("".join(map(_maybe_quoted, secret)) for secret in secrets)
    return re.compile("|".join(found) or r"(?!)")


def _maybe_quoted(character: str) -> str:
    literal = re.escape(character)
    if character.isascii() and character.isalnum():
        return literal
    codes = "".join(f"%{code:02X}" for code in character.encode())
    return f"(?:{literal}|(?i:{codes}))"


def forms_of(secret: str) -> list[str]:
    """Return a secret and its parts that are secrets too, as they may stand in a text."""
    return [form for part in _parts(secret) for form in _forms(part)]


def secrets_of(settings: Settings, environ: Mapping[str, str]) -> list[str]:
    """Return every secret that the settings name, so that a `Redactor` can hide them.

    Raises `SettingsError` when a secret's file cannot be read.
    """
    found = [credential.read(environ) for credential in _credentials(settings)]
    return _with_parts([*found, *_open_addresses(settings)])


def readable_secrets_of(settings: Settings, environ: Mapping[str, str]) -> list[str]:
    """Return the same without those whose file cannot be read: nobody else read it either."""
    found = []
    for credential in _credentials(settings):
        with suppress(SettingsError):
            found.append(credential.read(environ))
    return _with_parts([*found, *_open_addresses(settings)])


def _open_addresses(settings: Settings) -> list[str]:
    """Return the secret parts of addresses that stand in the settings themselves."""
    webhook = settings.alerts.webhook
    urls = (settings.alerts.heartbeat_url, webhook.url if webhook else "")
    return [part for url in urls for part in _capabilities(url)]


def _with_parts(secrets: list[str]) -> list[str]:
    return [part for secret in secrets for part in _parts(secret) if part]


def _capabilities(url: str) -> list[str]:
    """Return the parts of an address that open a door to whoever knows them."""
    try:
        address = urlsplit(url)
        hostname, password = address.hostname or "", address.password or ""
    except ValueError:  # It leads nowhere; whoever opens it says so.
        return [url]
    parts = (address.path, address.query, address.fragment)
    long = [part for part in parts if len(part) >= _SECRET_PATH]
    # The name of a machine is no secret; a token that stands in its place is.
    netloc = address.netloc.replace(hostname, "") if "." in hostname else address.netloc
    pieces = _PIECE.findall(f"{netloc}/{address.path}?{address.query}#{address.fragment}")
    return [*long, password, *(piece for piece in pieces if _is_token(piece))]


def _is_token(piece: str) -> bool:
    """Tell whether a piece of an address is too odd to be a word."""
    odd = any(character.isdigit() for character in piece)
    return len(piece) >= _SECRET_PATH or (odd and len(piece) >= _SECRET_TOKEN)


def _credentials(value: object) -> Iterator[Credential]:
    if isinstance(value, Credential):
        yield value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _credentials(getattr(value, name))


def json_fields(secret: str) -> dict[str, object] | None:
    """Return what a credential in JSON holds; none when it is no such.

    A line of its key may end in a true line feed: `.env` makes one of its escape in double quotes.
    """
    try:
        found = json.loads(secret, strict=False)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _parts(secret: str) -> list[str]:
    """Return a secret, what stands between its spaces, and what is secret by itself inside."""
    fields = json_fields(secret)
    if fields is None:
        words = secret.split()
        addresses = [word for word in words if "://" in word]
        return [secret, *words, *(part for url in addresses for part in _capabilities(url))]
    keys = [fields.get(name) for name in ("private_key", "private_key_id", "client_secret")]
    found = [key for key in keys if isinstance(key, str)]
    lines = [line for key in found for line in key.splitlines() if not line.startswith("-----")]
    return [secret, *found, *lines]
