"""Amounts on the command line."""

from callagent_cli.durations import parse_duration
from callagent_cli.errors import UsageError


def seconds(option: str, text: str) -> float:
    """Return a duration's seconds; raises `UsageError` for what is none or is negative."""
    value = parse_duration(text)
    if value is None or value < 0:
        raise UsageError(
            f"`{option}` must be a duration, not `{text}`", hint="write it like 30s, 10m or 1h30m"
        )
    return value
