"""Which panels fit a terminal, decided from its size alone."""

from dataclasses import dataclass
from typing import Final

MINIMUM: Final = (60, 16)
WIDE: Final = 100
DETAILS: Final = 120
HUGE: Final = (160, 45)
SHORT: Final = 20
PANELS: Final = ("services", "retries", "flights", "alerts", "waiting", "events")
"""The panels in the order of their numbers."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """What is shown: nothing but a message when too small, else these panels."""

    too_small: bool
    panels: frozenset[str]
    zoomed: str = ""
    services_height: int = 0


def arrange(
    size: tuple[int, int], *, services: int, zoomed: str = "", details: bool | None = None
) -> Arrangement:
    """Return what fits a terminal of `size` columns and rows.

    `details` is whether a person opened or closed the details; none leaves it to the width.
    """
    columns, rows = size
    if columns < MINIMUM[0] or rows < MINIMUM[1]:
        return Arrangement(too_small=True, panels=frozenset())
    if zoomed:
        return Arrangement(too_small=False, panels=frozenset({zoomed}), zoomed=zoomed)
    panels = {"services", "alerts"}
    if rows >= SHORT:
        panels |= {"retries", "flights"}
    if columns >= HUGE[0] and rows >= HUGE[1]:
        panels |= {"waiting", "events"}
    if details or (details is None and columns >= DETAILS):
        panels.add("details")
        if columns < WIDE:
            panels.remove("alerts")
    height = min(max(1, services) + 3, max(6, rows * 2 // 5))
    return Arrangement(too_small=False, panels=frozenset(panels), services_height=height)


def needs(size: tuple[int, int]) -> str:
    """Return what to say on a terminal that is too small."""
    needed, given = (f"{columns}×{rows}" for columns, rows in (MINIMUM, size))
    return f"callagent needs {needed}, this terminal is {given}"
