"""Durations as people write them: `200ms`, `30s`, `1m`, `1h30m`; a bare number is seconds."""

import re
from typing import Annotated, Any, Final

from msgspec import Meta

_UNITS_S: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_WHOLE: Final = re.compile(r"[+-]?(?:(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+|\d+(?:\.\d+)?)")

DURATION_MARK: Final = "duration"
"""The key in `Meta.extra` and the JSON Schema format by which a duration is recognized."""

_MARK: Final[dict[str, Any]] = {
    "extra": {DURATION_MARK: True},
    "extra_json_schema": {"format": DURATION_MARK},
}

Duration = Annotated[float, Meta(ge=0, **_MARK)]
"""Seconds, written as a duration; never negative."""

PositiveDuration = Annotated[float, Meta(gt=0, **_MARK)]
"""Seconds, written as a duration; more than nothing."""

_SHIFT_MAX_S: Final = 10 * 365 * 86_400

Shift = Annotated[float, Meta(ge=-_SHIFT_MAX_S, le=_SHIFT_MAX_S, **_MARK)]
"""Seconds to go forward, or back when negative, written as a duration with a sign.

Ten years at most: no clock is wrong by more, and no calendar ends within them.
"""


def parse_duration(text: str) -> float | None:
    """Return the seconds that `1h30m`, `200ms` or `90` means; None if it is no duration."""
    text = text.strip()
    if _WHOLE.fullmatch(text) is None:
        return None
    parts = _PART.findall(text)
    if not parts:
        return float(text)
    sign = -1.0 if text.startswith("-") else 1.0
    return sign * sum(float(amount) * _UNITS_S[unit] for amount, unit in parts)


def duration_text(seconds: float) -> str:
    """Return seconds as people write them: `200ms`, `5s`, `1m30s`, `2h`."""
    if seconds < 0:
        return f"-{duration_text(-seconds)}"
    if 0 < seconds < 1:
        return f"{round(seconds * 1000, 3):g}ms"
    whole, fraction = divmod(round(seconds, 3), 1)
    hours, rest = divmod(int(whole), 3600)
    minutes, last = divmod(rest, 60)
    tail = f"{round(last + fraction, 3):g}s" if last or fraction or not (hours or minutes) else ""
    return f"{f'{hours}h' if hours else ''}{f'{minutes}m' if minutes else ''}{tail}"
