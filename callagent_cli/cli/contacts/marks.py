"""The do-not-call marks of a contacts file, on their way to the suppression list."""

from array import array
from collections.abc import Iterator
from typing import Final

from callagent_cli.contacts.options import Forbidden
from callagent_cli.store.suppressions import (
    EVERYWHERE,
    Suppression,
    SuppressionList,
    campaign_scope,
)

_CLEAR: Final = "do_not_call"


class Marks:
    """Remembers the numbers that a file's marks forbid, 12 bytes each: all of them may be."""

    def __init__(self) -> None:
        self._numbers = {True: array("Q"), False: array("Q")}
        self._lines = {True: array("I"), False: array("I")}

    def add(self, mark: Forbidden) -> None:
        """Take a mark as the import report tells it."""
        clear = mark.code == _CLEAR
        self._numbers[clear].append(int(mark.number))
        self._lines[clear].append(mark.line)

    def keep(
        self, suppressions: SuppressionList, campaign: str, source: str, *, now_utc_s: float
    ) -> None:
        """Put clear marks on the list for ever, and unclear ones in place of the file's earlier.

        Those hold in this campaign, for as long as its file has them. Raises `StoreError`.
        """
        scope = campaign_scope(campaign)
        suppressions.add(self._listed(source, EVERYWHERE, now_utc_s=now_utc_s))
        suppressions.replace(scope, self._listed(source, scope, now_utc_s=now_utc_s))

    def _listed(self, source: str, scope: str, *, now_utc_s: float) -> Iterator[Suppression]:
        clear = scope == EVERYWHERE
        says = "says not to call" if clear else "has a do-not-call mark that is unreadable"
        for number, line in zip(self._numbers[clear], self._lines[clear], strict=True):
            yield Suppression(
                number=f"+{number}",
                reason=f"line {line} of {source} {says}",
                added_utc_s=now_utc_s,
                scope=scope,
            )
