"""The words of an alert."""

from typing import NamedTuple


class Text(NamedTuple):
    """An alert's one-line title and its body."""

    title: str
    body: str
