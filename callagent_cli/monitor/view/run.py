"""What holds a run back, and how it ended."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hold:
    """Why and since when the run is held back, and when it is due to move again if known."""

    why: str
    since_utc_s: float
    due_utc_s: float | None = None


@dataclass(frozen=True, slots=True)
class End:
    """How a run ended."""

    reason: str
    exit_code: int
    at_utc_s: float
