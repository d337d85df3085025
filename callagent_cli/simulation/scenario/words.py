"""The names that a scenario may use: services, their operations, and events with their fields."""

from functools import lru_cache
from typing import Final

import msgspec
from msgspec import inspect

from callagent_cli.events import Event, ServiceEvent

OPERATIONS: Final[dict[str, tuple[str, ...]]] = {
    "elevenlabs": ("dial", "look_up", "follow", "health"),
    "llm": ("compose", "health"),
    "llm_fallback": ("compose", "health"),
    "crm": ("look_up", "record", "health"),
}
"""The services of a scenario and their operations."""

EVERYTHING: Final = "*"
HEALTH: Final = "health"


def targets() -> list[str]:
    """Return everything that a fault may be aimed at."""
    operations = [f"{service}.{each}" for service, names in OPERATIONS.items() for each in names]
    return [EVERYTHING, *OPERATIONS, *operations]


def matches(target: str, request_target: str) -> bool:
    """Whether a fault's target covers a request's (`elevenlabs` covers `elevenlabs.health`)."""
    return target in {EVERYTHING, request_target} or target == request_target.partition(".")[0]


def is_health(request_target: str) -> bool:
    """Whether a request is a health check, which is never traffic."""
    return request_target.endswith(f".{HEALTH}")


def _concrete(base: type[Event]) -> list[type[Event]]:
    found = [] if base in {Event, ServiceEvent} else [base]
    for derived in base.__subclasses__():
        found += _concrete(derived)
    return found


def event_fields() -> dict[str, frozenset[str]]:
    """Return the fields of every event by the event's name in the log."""
    return {
        str(kind.__struct_config__.tag): frozenset(
            field.encode_name for field in msgspec.structs.fields(kind)
        )
        for kind in _concrete(Event)
    }


@lru_cache
def event_types(event: str) -> dict[str, inspect.Type]:
    """Return the types of an event's fields by their names."""
    kind = next(each for each in _concrete(Event) if each.__struct_config__.tag == event)
    info = inspect.type_info(kind)
    fields = info.fields if isinstance(info, inspect.StructType) else ()
    return {field.encode_name: field.type for field in fields}
