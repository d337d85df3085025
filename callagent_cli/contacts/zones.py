"""The time zones a number may be in, for people whose file names none."""

from dataclasses import replace
from typing import Final

from callagent_cli.calls.model import Contact

ZONES_MAX: Final = 6
"""More zones than this say nothing: toll-free and island codes answer with dozens."""

_UNKNOWN: Final = "Etc/Unknown"


def with_zones(contact: Contact) -> Contact | None:
    """Return the contact with its number's zones, separated by commas; None when unknown."""
    import phonenumbers  # noqa: PLC0415 — its metadata takes long to load.
    from phonenumbers import timezone  # noqa: PLC0415 — as above.

    parsed = phonenumbers.parse(contact.number)
    zones = [zone for zone in timezone.time_zones_for_number(parsed) if zone != _UNKNOWN]
    if not 0 < len(zones) <= ZONES_MAX:
        return None
    return replace(contact, timezone=",".join(zones))
