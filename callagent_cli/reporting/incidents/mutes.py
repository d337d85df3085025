"""Mutes: what a person wants to hear nothing of, until a set time."""

from typing import Final

import msgspec

from callagent_cli.reporting.incidents.incident import Documents, named_by

KIND: Final = "mute"
"""The kind under which mutes are kept as documents."""

EVERYTHING: Final = "all"


class Mute(msgspec.Struct, frozen=True, kw_only=True):
    """A mute of an incident, of a service, or of `all`; it always has an end."""

    target: str
    until_utc_s: float
    by: str = ""

    def covers(self, incident: str, service: str) -> bool:
        """Tell whether an incident's alerts are muted."""
        return self.target in {EVERYTHING, service} or named_by(incident, self.target)


def mute_argument(target: str, until_utc_s: float) -> str:
    """Return a mute as the argument of the command `mute`."""
    return f"{target} {until_utc_s:.0f}"


def mute_of(argument: str) -> Mute | None:
    """Return the mute that a command's argument describes; None when it describes none."""
    target, _, until = argument.partition(" ")
    return Mute(target=target, until_utc_s=float(until)) if target and until.isdecimal() else None


class Mutes:
    """The mutes in force, kept in the store."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._mutes = {mute.target: mute for mute in mutes_of(documents)}

    def set(self, mute: Mute) -> None:
        """Take up a mute; a later one of the same target replaces it."""
        self._mutes[mute.target] = mute
        self._documents.put(KIND, mute.target, msgspec.json.encode(mute))

    def lift(self, target: str) -> None:
        """End a mute."""
        mute = self._mutes.pop(target, None)
        if mute is not None:
            self._documents.put(KIND, target, msgspec.json.encode(mute), open_=False)

    def covering(self, incident: str, service: str, now_utc_s: float) -> Mute | None:
        """Return the mute that covers an incident at this moment."""
        for mute in self._mutes.values():
            if now_utc_s < mute.until_utc_s and mute.covers(incident, service):
                return mute
        return None

    def end_utc_s(self, incident: str, service: str) -> float:
        """Return when the last mute ends, or ended, that covers an incident; 0 without one."""
        ends = (each.until_utc_s for each in self._mutes.values() if each.covers(incident, service))
        return max(ends, default=0.0)


def mutes_of(documents: Documents) -> list[Mute]:
    """Return the mutes that were not lifted, those that are over included."""
    rows = documents.documents(KIND, open_only=True)
    return [msgspec.json.decode(body, type=Mute) for _, body in rows]
