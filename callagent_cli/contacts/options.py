"""What an import is told, and the one value that leaves it besides contacts: a refused row."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from callagent_cli.calls.model import Contact

FIELDS: Final = ("phone", "name", "timezone", "crm_id", "extension", "do_not_call")
"""The fields that `column_map` may point at a column; everything else becomes a variable."""


def nobody(number: str) -> bool:  # noqa: ARG001 — the signature of a suppression list.
    """Suppress no number."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """How a contacts file is to be read.

    `region` is the two-letter country in which national numbers are read, `encoding` forces one,
    `phone_columns` are the columns to try for a number, in order; `column_map` maps a field (see
    `FIELDS`) to a column. `numbers_are_international` says that numbers without a plus sign only
    lost it, `numbers_are_national` that they are those of `region`; without either, a number that
    can be read both ways is refused. `allow_fiction` accepts numbers that are reserved for fiction
    (the sandbox). Whoever `suppressed` answers true for (E.164) is never called.
    """

    region: str = ""
    encoding: str = ""
    phone_columns: tuple[str, ...] = ()
    column_map: dict[str, str] = field(default_factory=dict)
    numbers_are_international: bool = False
    numbers_are_national: bool = False
    allow_fiction: bool = False
    suppressed: Callable[[str], bool] = nobody


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """A row that cannot be used: `row` is its cells as they stood, `line` where it began."""

    line: int
    code: str
    reason: str
    hint: str
    row: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Forbidden:
    """A number that a row's do-not-call column forbids to call, in E.164.

    `code` says whether the mark is a clear one (`do_not_call`) or cannot be read.
    """

    line: int
    number: str
    code: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A person who must not be called, and why; each one comes once, however many rows say so."""

    contact: Contact
    reason: str


Person = Contact | LeftOut
