"""The nearest known name to a mistyped one."""

from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """Return the known name closest to `word`, or none when nothing is close.

    Case and the difference between `-` and `_` do not count.
    """
    from difflib import get_close_matches  # noqa: PLC0415 — only a mistyped name needs it.

    names = {_plain(name): name for name in known}
    matches = get_close_matches(_plain(word), names, n=1)
    return names[matches[0]] if matches else None


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")
