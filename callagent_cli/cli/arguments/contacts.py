"""`callagent contacts`: its arguments."""

from pathlib import Path
from typing import Annotated

import typer

from callagent_cli.cli.arguments.contacts_flags import (
    ColumnMap,
    Encoding,
    International,
    National,
    PhoneColumns,
    Region,
)
from callagent_cli.cli.arguments.flags import Config, Json


def contacts(
    action: Annotated[str, typer.Argument(help="`check`, `suppress` or `suppressed`.")],
    what: Annotated[
        list[str] | None,
        typer.Argument(help="The file to check, or the numbers to suppress.", show_default=False),
    ] = None,
    *,
    config: Config = None,
    json: Json = False,
    file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="suppress: a file of numbers that are not called."),
    ] = None,
    reason: Annotated[
        str,
        typer.Option(
            metavar="TEXT", help="suppress: why they are not called, or are called again."
        ),
    ] = "",
    remove: Annotated[
        bool, typer.Option("--remove", help="suppress: take numbers off the list again.")
    ] = False,
    even_opt_outs: Annotated[
        bool,
        typer.Option("--even-opt-outs", help="--remove: also who asked for it on a call."),
    ] = False,
    phone_column: PhoneColumns = None,
    map_: ColumnMap = None,
    encoding: Encoding = "",
    region: Region = "",
    international: International = False,
    national: National = False,
) -> None:
    """Check a contacts file, or say who must never be called.

    Suppressed numbers are kept for ever, and hold in every campaign, in the sandbox and live. One
    that is on the list by mistake is taken off with --remove and a --reason, which is kept.

    \b
    Examples:
      callagent contacts check contacts.csv          what `run` would take
      callagent contacts suppress "+1 212 555 0100"  never call this number again
      callagent contacts suppress --file list.csv    nor these
      callagent contacts suppressed                  who is not called, masked
      callagent contacts suppress --remove "+1 212 555 0100" --reason "mistyped"
    """
    from callagent_cli.cli.contacts.command import ContactsOptions, run_contacts
    from callagent_cli.cli.contacts.reading import ReadingFlags

    reading = ReadingFlags(
        region=region,
        encoding=encoding,
        phone_columns=tuple(phone_column or ()),
        mapping=tuple(map_ or ()),
        international=international,
        national=national,
    )
    options = ContactsOptions(
        what=tuple(what or ()),
        config=config,
        json=json,
        file=file,
        reason=reason,
        remove=remove,
        even_opt_outs=even_opt_outs,
        reading=reading,
    )
    raise typer.Exit(run_contacts(action, options))
