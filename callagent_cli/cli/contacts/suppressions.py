"""The suppression list of a workplace: opened, found whole, and turned into a test of a number."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from callagent_cli.cli.place.workplace import Workplace
from callagent_cli.contacts.identities import Identities
from callagent_cli.contacts.options import nobody
from callagent_cli.errors import StoreError
from callagent_cli.store.failures import is_there
from callagent_cli.store.sqlite_store import SqliteStore
from callagent_cli.store.suppressions import (
    EVERYWHERE,
    SANDBOX,
    SUPPRESSIONS_FILE,
    SuppressionList,
    campaign_scope,
)

_KIND: Final = "suppressions"
_KEY: Final = "count"


def suppressions_file(place: Workplace) -> Path:
    """Return where the list of a workplace is; its sandbox and its live runs share it."""
    return place.state_dir / SUPPRESSIONS_FILE


@contextmanager
def suppression_list(place: Workplace, campaign: str = "") -> Iterator[SuppressionList]:
    """Yield the list with what holds in this mode, and in this campaign when one is named.

    Raises `StoreError` when it cannot be read.
    """
    known = SuppressionList.open(suppressions_file(place))
    scopes = [EVERYWHERE]
    if place.sandbox:
        scopes.append(SANDBOX)
    if campaign:
        scopes.append(campaign_scope(campaign))
    known.scopes = tuple(scopes)
    try:
        yield known
    finally:
        known.close()


def require_whole(known: SuppressionList, store: SqliteStore, path: Path) -> None:
    """Raise `StoreError` when the list is shorter than an earlier run found it: it was replaced."""
    count = known.count()
    before = store.get(_KIND, _KEY)
    if before is not None and before.isdigit() and count < int(before):
        raise StoreError(
            f"the suppression list {path} has {count} numbers and had {int(before)}",
            hint="put the list back: people who must not be called are missing, so nobody is",
        )
    store.put(_KIND, _KEY, str(count).encode())
    store.flush()  # Or nobody else could write while a file is read.


def suppressed_test(known: SuppressionList) -> Callable[[str], bool]:
    """Return a quick test whether a number is on the list as it is at this moment."""
    numbers = Identities()
    for number in known.numbers():
        numbers.add(number, "", 1)
    return (lambda number: numbers.line_of(number) != 0) if len(numbers) else nobody


@contextmanager
def known_test(place: Workplace) -> Iterator[Callable[[str], bool]]:
    """Yield that test for a command that only looks: a list that does not exist is not made."""
    if not is_there(suppressions_file(place)):
        yield nobody
        return
    with suppression_list(place) as known:
        yield suppressed_test(known)
