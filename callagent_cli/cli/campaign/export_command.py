"""What `callagent export` does: every contact once, all as they were at one moment."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from callagent_cli.cli.campaign.export_rows import (
    CSV_HEADER,
    ContactRow,
    contact_row,
    csv_cells,
    json_line,
)
from callagent_cli.cli.contacts.columns import half_loaded
from callagent_cli.cli.contacts.progress import with_progress
from callagent_cli.cli.place.campaigns import campaign_of
from callagent_cli.cli.place.workplace import Workplace, workplace
from callagent_cli.cli.text import diagnostics
from callagent_cli.cli.text.output import standard_output
from callagent_cli.cli.text.spreadsheet import csv_line
from callagent_cli.cli.text.suggestions import hint_for
from callagent_cli.counting import counted
from callagent_cli.errors import ExitCode, UsageError
from callagent_cli.store.sqlite_store import SqliteStore

_FORMATS: Final = ("csv", "jsonl")
_SUFFIXES: Final = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_WRITTEN: Final = "contacts written"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
"""By this, spreadsheets know that a file is UTF-8."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """The command line of `export`, as typed."""

    campaign: str
    format: str
    output: Path | None
    config: Path | None


def export_campaign(options: ExportOptions) -> int:
    """Write the export; raises `CallAgentError`s."""
    kind = _format(options)
    place = workplace(options.config, os.environ)
    store = place.read_store()
    try:
        with store.snapshot():
            campaign = campaign_of(store, options.campaign)
            if half_loaded(store, campaign):
                diagnostics.warning(f"campaign {campaign} is not loaded to its end: run it again")
            rows = _rows(place, store, campaign)
            if options.output is None:
                _print(rows, kind)
                return int(ExitCode.DONE)
            count = _write(rows, kind, options.output)
    finally:
        store.close()
    diagnostics.note(
        place.title(f"{counted(count, 'contact')} of campaign {campaign} in {options.output}")
    )
    return int(ExitCode.DONE)


def _format(options: ExportOptions) -> str:
    named = options.format.lower()
    if named and named not in _FORMATS:
        hint = hint_for(named, _FORMATS, otherwise="it is csv or jsonl")
        raise UsageError(f"`--format` knows no `{options.format}`", hint=hint)
    suffix = options.output.suffix.lower() if options.output else ""
    return named or _SUFFIXES.get(suffix, "csv")


def _rows(place: Workplace, store: SqliteStore, campaign: str) -> Iterator[ContactRow]:
    url = "" if place.sandbox else place.settings.services.elevenlabs.conversation_url
    for call in store.calls(campaign):
        yield contact_row(call, store.dials(call.id), conversation_url=url)


def _print(rows: Iterator[ContactRow], kind: str) -> None:
    output = standard_output()
    if kind == "csv":
        output.exact(csv_line(CSV_HEADER))
    # On a terminal the rows themselves show how far it is.
    for row in rows if output.terminal else with_progress(rows, _WRITTEN):
        if output.reader_gone:
            return
        if kind == "csv":
            output.exact(csv_line(csv_cells(row)))
        else:
            output.raw(json_line(row))


def _write(rows: Iterator[ContactRow], kind: str, path: Path) -> int:
    count = 0
    with _replaced(path) as file:
        if kind == "csv":
            file.write(_BYTE_ORDER_MARK + csv_line(CSV_HEADER).encode() + b"\r\n")
        for row in with_progress(rows, _WRITTEN):
            count += 1
            if kind == "csv":
                file.write(csv_line(csv_cells(row)).encode() + b"\r\n")
            else:
                file.write(json_line(row))
    return count


@contextmanager
def _replaced(path: Path) -> Iterator[IO[bytes]]:
    """Yield a private file that takes the path's place once it is whole; raises `UsageError`."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
            draft.replace(path)
        finally:
            with suppress(FileNotFoundError):
                draft.unlink()
    except OSError as error:
        raise UsageError(
            f"cannot write `{path}`: {error.strerror or error}",
            hint="check that the folder exists, that you may write in it, and that there is room",
        ) from error
