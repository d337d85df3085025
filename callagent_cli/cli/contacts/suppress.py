"""Puts numbers on the suppression list: those typed, or those of a file."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from callagent_cli.cli.contacts.progress import with_progress
from callagent_cli.cli.contacts.suppressions import suppression_list
from callagent_cli.cli.place.workplace import Workplace
from callagent_cli.contacts.cells import show
from callagent_cli.contacts.options import ReadOptions
from callagent_cli.counting import counted
from callagent_cli.errors import UsageError
from callagent_cli.store.suppressions import Suppression

_SHOWN: Final = 50
"""How many values that cannot be read are listed one by one."""

_DEFAULT_REASON: Final = "suppressed by hand"


@dataclass(slots=True, kw_only=True)
class Suppressed:
    """What became of the values: `numbers` were read, `added` of them were not on the list."""

    numbers: int = 0
    added: int = 0
    unread: int = 0
    shown: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The line for a person."""
        known = self.numbers - self.added
        before = f", {known:,} of them on the list already" if known else ""
        never = "is never" if self.numbers == 1 else "are never"
        return f"{counted(self.numbers, 'number')} {never} called again{before}"

    def to_dict(self) -> dict[str, Any]:
        """Return the same for a program."""
        return {
            "numbers": self.numbers,
            "added": self.added,
            "unread": self.unread,
            "problems": list(self.shown),
        }

    def note(self, problem: str) -> None:
        """Count a value that cannot be read, and keep the first ones for the screen."""
        self.unread += 1
        if len(self.shown) < _SHOWN:
            self.shown.append(problem)


def suppress(
    place: Workplace,
    *,
    numbers: tuple[str, ...],
    file: Path | None,
    options: ReadOptions,
    reason: str,
) -> Suppressed:
    """Store every number that can be read, on disk when this returns, and note all others.

    Raises `ContactsError` when the file cannot be read at all; then nothing was stored.
    """
    done = Suppressed()
    found = numbers_of(numbers, file, options, done)
    why = reason.strip() or (f"listed in {file.name}" if file is not None else _DEFAULT_REASON)
    now_utc_s = time.time()
    unique = dict.fromkeys(found)
    done.numbers = len(unique)
    with suppression_list(place) as known:
        done.added = known.add(
            Suppression(number=number, reason=why, added_utc_s=now_utc_s)
            for number in with_progress(unique, "numbers stored")
        )
    return done


def numbers_of(
    typed: tuple[str, ...], file: Path | None, options: ReadOptions, done: Suppressed
) -> Iterator[str]:
    """Yield the numbers that were typed, or those of the file; note in `done` all others."""
    return _of_file(file, options, done) if file is not None else _typed(typed, options, done)


def _of_file(path: Path, options: ReadOptions, done: Suppressed) -> Iterator[str]:
    from callagent_cli.contacts.numbers import read_numbers

    for listed in with_progress(read_numbers(path, options), "rows read"):
        yield from listed.numbers
        if listed.problem:
            done.note(f"line {listed.line}: {listed.problem} ({show(listed.value)})")


def _typed(typed: tuple[str, ...], options: ReadOptions, done: Suppressed) -> Iterator[str]:
    from callagent_cli.contacts.numbers import listed_number
    from callagent_cli.contacts.phones.numbering import is_region
    from callagent_cli.contacts.phones.reading import NumberRules

    region = options.region.strip().upper()
    if region and not is_region(region):
        raise UsageError(f"unknown region `{region}`", hint="two letters, such as DE, GB or US")
    rules = NumberRules(
        region=region,
        international=options.numbers_are_international,
        national=options.numbers_are_national and bool(region),
        allow_fiction=True,
    )
    for place, text in enumerate(typed, start=1):
        listed = listed_number(place, text, rules)
        yield from listed.numbers
        if listed.problem:
            done.note(f"number {place}: {listed.problem} ({show(text)})")
