"""Text and JSON that SQLite can hold, whatever a provider or a contacts file sent."""

from collections.abc import Iterable
from typing import Any

import msgspec


def clean_text(text: str) -> str:
    """Return the text with surrogate pairs joined and lone surrogates as U+FFFD.

    Lone surrogates are no characters and cannot be written as UTF-8; JSON escapes smuggle them in.
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def cleaned_row(values: Iterable[object]) -> tuple[object, ...]:
    """Return the values with their texts cleaned."""
    return tuple(clean_text(value) if isinstance(value, str) else value for value in values)


def json_text(value: dict[str, Any]) -> str:
    """Return an object as JSON, its texts cleaned where they must be."""
    if not value:
        return "{}"
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        return msgspec.json.encode(_cleaned(value)).decode()


def _cleaned(value: Any) -> Any:  # noqa: ANN401 — any JSON value.
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(item) for item in value]
    return value
