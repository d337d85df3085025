"""The hint for a mistyped name."""

from collections.abc import Iterable

from callagent_cli.suggestions import did_you_mean


def hint_for(word: str, known: Iterable[str], *, otherwise: str) -> str:
    """Return a hint: the nearest known name, and `otherwise`, which says where to find them all."""
    nearest = did_you_mean(word, known)
    return otherwise if nearest is None else f"did you mean `{nearest}`? {otherwise}"
