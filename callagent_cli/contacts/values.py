"""Cells with few meanings: a do-not-call mark and a time zone."""

import zoneinfo
from functools import lru_cache
from typing import Final


def _answers(text: str) -> frozenset[str]:
    return frozenset(answer.strip() for answer in text.split(","))


_YES: Final = _answers(
    "1, 1.0, y, yes, true, t, x, on, ja, j, wahr, oui, o, vrai, si, sí, sì, s, verdadero, vero,"
    " sim, verdadeiro, ✓, ✔, ☑, dnc, do not call, do not contact, stop, blocked, opted out,"
    " opt out, opt-out, unsubscribed, do not allow"
)
_NO: Final = _answers(
    "0, 0.0, n, no, false, f, off, nein, falsch, non, faux, falso, não, nao, nee, -, –, ☐, allow"
)


def says_no_calls(cell: str) -> bool | None:
    """Read a do-not-call cell, empty meaning no; None when it is unreadable: not called."""
    text = cell.strip().casefold()
    if not text or text in _NO:
        return False
    return True if text in _YES else None


_NO_PLACES: Final = frozenset({"localtime", "Factory", "posixrules"})
"""Names that zoneinfo knows and that say nothing of where a person is."""

_WINTER_ONLY: Final = frozenset({"EST", "MST", "GMT", "GMT0", "GMT+0", "GMT-0"})
"""Names that zoneinfo takes for an offset, and people for a place, in summer too.

It has no CST, PST or BST at all; by EST somebody in New York would be called until 22:00 in July.
"""


@lru_cache(maxsize=1)
def _zones() -> dict[str, str]:
    names = zoneinfo.available_timezones() - _NO_PLACES - _WINTER_ONLY
    return {name.casefold(): name for name in names}


@lru_cache(maxsize=1024)
def zone_of(cell: str) -> str | None:
    """Return the IANA name that a cell means, empty for an empty cell, None for no certain zone.

    HubSpot writes `us_slash_eastern` for US/Eastern.
    """
    text = cell.strip()
    return _zones().get(text.casefold().replace("_slash_", "/")) if text else ""
