"""Takes numbers off the suppression list that are there by mistake, and keeps by whom and why."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from callagent_cli.cli.contacts.suppressions import suppression_list
from callagent_cli.cli.place.operator import operator_name
from callagent_cli.cli.place.workplace import Workplace
from callagent_cli.counting import counted
from callagent_cli.errors import UsageError
from callagent_cli.masking import mask
from callagent_cli.store.suppressions import EVERYWHERE, SANDBOX, Removal, Suppression


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsuppressed:
    """What became of the numbers, masked; `of_files` are those that a contacts file forbids."""

    removed: tuple[str, ...]
    unknown: tuple[str, ...]
    of_files: tuple[str, ...]

    @property
    def text(self) -> str:
        """The line for a person."""
        done = f"{counted(len(self.removed), 'number')} taken off the list"
        return f"{done}: the next run of a file with them calls them" if self.removed else done

    @property
    def problems(self) -> list[str]:
        """What could not be done, a line each."""
        absent = [f"{each} is not on the list" for each in self.unknown]
        forbidden = "stands in a campaign's file with a do-not-call mark: correct the file"
        return [*absent, *(f"{each} {forbidden}" for each in self.of_files)]

    def to_dict(self) -> dict[str, Any]:
        """Return the same for a program."""
        return {
            "removed": len(self.removed),
            "not_listed": list(self.unknown),
            "forbidden_by_a_file": list(self.of_files),
        }


def unsuppress(
    place: Workplace, numbers: Iterable[str], *, why: str, opt_outs: bool
) -> Unsuppressed:
    """Take numbers in E.164 off the list, all or none.

    Raises `UsageError` without a reason, and for people who opted out on a call unless `opt_outs`
    says that they are meant.
    """
    if not why.strip():
        raise UsageError(
            "taking a number off the list needs a reason",
            hint='add `--reason "mistyped"`: it is kept with your name',
        )
    unique = list(dict.fromkeys(numbers))
    with suppression_list(place) as known:
        found = {number: known.entries_of(number) for number in unique}
        wanted = {number: list(filter(_removable, entries)) for number, entries in found.items()}
        heard = [number for number, each in wanted.items() if any(one.heard for one in each)]
        if heard and not opt_outs:
            raise UsageError(
                f"{', '.join(map(mask, heard))} asked on a call not to be called again",
                hint="nothing was changed; if that is wrong, say so with `--even-opt-outs`",
            )
        now_utc_s, by = time.time(), operator_name()
        known.remove(
            Removal(suppression=each, removed_utc_s=now_utc_s, removed_by=by, why=why.strip())
            for entries in wanted.values()
            for each in entries
        )
    return Unsuppressed(
        removed=tuple(mask(number) for number in unique if wanted[number]),
        unknown=tuple(mask(number) for number in unique if not found[number]),
        of_files=tuple(
            mask(number) for number in unique if len(found[number]) > len(wanted[number])
        ),
    )


def _removable(entry: Suppression) -> bool:
    """Say whether a person can lift it: what a campaign's file says, only the file can."""
    return entry.scope in {EVERYWHERE, SANDBOX}
