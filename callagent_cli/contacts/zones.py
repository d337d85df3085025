"""The time zones a number may be in, for people whose file names none.

Importing this loads phonenumbers and its table of zones, which takes longer than most commands run.
"""

from functools import cache
from typing import Final

import msgspec
from phonenumbers import is_number_type_geographical
from phonenumbers.tzdata import TIMEZONE_DATA, TIMEZONE_LONGEST_PREFIX

from callagent_cli.calls.model import Contact
from callagent_cli.contacts.phones import numbering
from callagent_cli.contacts.phones.fiction import is_fiction

ZONES_MAX: Final = 6
"""More zones than this say nothing: toll-free and island codes answer with dozens."""

_is_placed: Final = cache(is_number_type_geographical)


def with_zones(contact: Contact) -> Contact | None:
    """Return the contact with its number's zones, separated by commas; None when unknown."""
    zones = zones_of_number(contact.number)
    if not 0 < len(zones) <= ZONES_MAX:
        return None
    return msgspec.structs.replace(contact, timezone=",".join(zones))


def zones_of_number(number: str) -> tuple[str, ...]:
    """Return the zones of a number in E.164 as `phonenumbers.timezone` does, in its own table.

    Asking the table directly spares parsing and formatting the number once more. A number that is
    reserved for fiction without being valid is where such digits are.
    """
    parsed = numbering.parse(number)
    if parsed is None or not (parsed.valid or is_fiction(number, valid=False)):
        return ()
    placed = _is_placed(parsed.kind, parsed.calling_code)
    digits = number[1:] if placed or not parsed.valid else str(parsed.calling_code)
    for length in range(min(TIMEZONE_LONGEST_PREFIX, len(digits)), 0, -1):
        found = TIMEZONE_DATA.get(digits[:length])
        if found is not None:
            return found
    return ()
