"""Instants, and what is due for an incident when."""

from dataclasses import dataclass
from typing import Final

from msgspec import Struct

NEVER: Final = float("inf")


class Now(Struct, frozen=True, gc=False):
    """One instant on both clocks; one is made for each event, so it must cost little."""

    utc_s: float
    monotonic_s: float


@dataclass(slots=True)
class Timers:
    """When something is due for one incident, and when it was last told of; monotonic seconds."""

    update_s: float = NEVER
    resolve_s: float = NEVER
    remind_s: float = NEVER
    updated_s: float = -NEVER
    opened_s: float = -NEVER
    unmute_s: float = NEVER

    @property
    def due_s(self) -> float:
        """The earliest of what is due."""
        return min(self.update_s, self.resolve_s, self.remind_s, self.unmute_s)
