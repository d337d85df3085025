"""How a contacts file is to be read, from the flags of `run` and of `contacts check`."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass

from callagent_cli.cli.text.suggestions import hint_for
from callagent_cli.contacts.options import FIELDS, ReadOptions, nobody
from callagent_cli.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingFlags:
    """The flags as typed; `phone_columns` may hold several names in one, divided by commas."""

    region: str = ""
    encoding: str = ""
    phone_columns: tuple[str, ...] = ()
    mapping: tuple[str, ...] = ()
    international: bool = False
    national: bool = False


def read_options(flags: ReadingFlags, *, region: str, sandbox: bool) -> ReadOptions:
    """Return the options; `region` is the settings'. Raises `UsageError` for a bad `--map`."""
    return ReadOptions(
        region=flags.region or region,
        encoding=flags.encoding,
        phone_columns=_columns(flags.phone_columns),
        column_map=_column_map(flags.mapping),
        numbers_are_international=flags.international,
        numbers_are_national=flags.national,
        allow_fiction=sandbox,
        suppressed=nobody,
    )


def _columns(typed: Sequence[str]) -> tuple[str, ...]:
    """Split at commas; a name that has one itself stands in quotes, as in a CSV file."""
    lines = [" ".join(names.split()) for names in typed]
    found = (name.strip() for names in csv.reader(lines, skipinitialspace=True) for name in names)
    return tuple(name for name in found if name)


def _column_map(typed: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in typed:
        field, equals, column = (part.strip() for part in each.partition("="))
        if not (equals and field and column):
            raise UsageError(
                f"`--map` takes field=column, not `{each}`", hint='such as --map "phone=Mobile 2"'
            )
        if field not in FIELDS:
            hint = hint_for(field, FIELDS, otherwise=f"the fields are {', '.join(FIELDS)}")
            raise UsageError(f"`--map` knows no field `{field}`", hint=hint)
        if field in found:
            raise UsageError(f"`--map` names `{field}` twice", hint="name each field once")
        found[field] = column
    return found
