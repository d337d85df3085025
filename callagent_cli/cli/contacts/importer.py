"""Takes a contacts file into the store, and says what became of every row."""

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import fields, replace
from pathlib import Path
from shlex import quote
from typing import Final

from callagent_cli.calls.model import CallState, Contact
from callagent_cli.cli.contacts.columns import LOADING, half_loaded, known_columns, remember_columns
from callagent_cli.cli.contacts.marks import Marks
from callagent_cli.cli.contacts.spool import CallSpool
from callagent_cli.cli.place.private import make_private_folder, private
from callagent_cli.cli.text.spreadsheet import csv_line
from callagent_cli.contacts.files.source import file_sha256
from callagent_cli.contacts.options import (
    LeftOut,
    Person,
    ReadOptions,
    Reject,
    nobody,
)
from callagent_cli.contacts.reader import read_people
from callagent_cli.contacts.report import ImportReport
from callagent_cli.errors import ContactsError, LogError
from callagent_cli.store.port import Campaign
from callagent_cli.store.sqlite_store import SqliteStore
from callagent_cli.store.suppressions import SuppressionList

REJECTED_MAX = 0.2
"""A run does not start when more of the rows than this cannot be used."""

_BATCH: Final = 4_000
_BREATH_S: Final = 0.02
"""Between two batches the store is left alone for so long, or others would wait for the last one.

A batch takes about 0.1 s, and whoever waits for SQLite looks again at least every 0.1 s.
"""


def left_out_of(person: Person) -> tuple[Contact, str]:
    """Return who a person is, and why they must not be called; empty when they may be."""
    return (person.contact, person.reason) if isinstance(person, LeftOut) else (person, "")


def placed(
    people: Iterator[Person], *, zones: bool, report: ImportReport
) -> Iterator[tuple[Contact, str]]:
    """Yield each person, and why they must not be called; empty when they may be.

    With `zones`, whoever has no time zone gets those of the number; when it has none, or so many
    that they say nothing, the person is not called, and the report says so.
    """
    if not zones:
        yield from map(left_out_of, people)
        return
    from callagent_cli.contacts.zones import with_zones

    for contact, reason in map(left_out_of, people):
        known = contact if reason or contact.timezone else with_zones(contact)
        if known is not None:
            yield known, reason
        else:
            unknown = "the time zone is unknown: add a `timezone` column"
            report.accepted -= 1
            report.left_out += 1
            report.exclude("no_timezone", line=contact.line, value=contact.number, reason=unknown)
            yield contact, unknown


def _nothing(_: Iterable[str]) -> None:
    """Require no variables."""


def _zones_of(number: str) -> str:
    from callagent_cli.contacts.zones import with_zones

    known = with_zones(Contact(line=0, number=number))
    return "" if known is None else known.timezone


def _has(campaign: Campaign, content: str) -> bool:
    return campaign.source_sha256.partition(":")[0] == content


def _refuse_elsewhere(store: SqliteStore, content: str, campaign: str, *, source: str) -> None:
    """Raise `ContactsError` when another campaign has this very file: a copy calls nobody twice."""
    for other in store.campaigns():
        if other.name != campaign and _has(other, content):
            there, here = (quote(f"--campaign={name}") for name in (other.name, campaign))
            raise ContactsError(
                f"{source} is the file of campaign {other.name}, under another name",
                hint=f"go on with that campaign: `{there}`; call everybody again: `{here}`",
            )


class Importer:
    """Reads one file for one campaign; `source` is what the file is called.

    Unless the campaign was `named` by a person, a file that another one has is refused.
    Whoever `suppressed` answers true for is not called; `require` raises for a file without the
    variables that are needed. After `load`, `known` counts the people who were in the campaign
    already and `changed_from` names the file it was begun with, when that was another one;
    `interrupted` names the file whose load was killed, when one was; `unchanged` says that it is
    the same file, read in the same way.
    """

    def __init__(
        self,
        path: Path,
        options: ReadOptions,
        campaign: str,
        *,
        source: str,
        allow_rejects: bool = False,
        named: bool = True,
    ) -> None:
        self.path = path
        self.source = source
        self.campaign = campaign
        self.report = ImportReport()
        self.known = 0
        self.changed_from = ""
        self.interrupted = ""
        self.unchanged = False
        self.suppressed: Callable[[str], bool] = nobody
        self.require: Callable[[Iterable[str]], None] = _nothing
        self._options = options
        self._allow_rejects = allow_rejects
        self._named = named

    def check(self, *, zones: bool) -> ImportReport:
        """Read the whole file without keeping anything; raises `ContactsError`."""
        for _ in placed(self._people(), zones=zones, report=self.report):
            pass
        self.require(self.report.variables)
        return self.report

    def load(
        self,
        store: SqliteStore,
        *,
        now_utc_s: float,
        zones: bool,
        suppressions: SuppressionList | None = None,
    ) -> ImportReport:
        """Add the people who are not known yet; a file that cannot be used changes nothing.

        Those who are known and were not dialed yet become what this file says of them; with
        `zones`, whoever was added without a time zone gets those of the number.

        The whole file is read before the store is touched, which then takes the people in batches,
        so that others may write to it meanwhile. Killed between two of them, the campaign is known
        to be half loaded, and the next `load` of any file goes on from there.

        Do-not-call marks of the file are kept in `suppressions`: a clear one for ever, one that
        cannot be read for as long as this campaign's file has it. Raises `ContactsError`, or
        `StoreError`.
        """
        content = file_sha256(self.path)
        taken_off = 0 if suppressions is None else len(suppressions.removals())
        digest = f"{content}:{self._manner(zones=zones, taken_off=taken_off)}"
        existing = store.campaign(self.campaign)
        if existing is not None and existing.source_sha256 == digest:
            self.require(known_columns(store, self.campaign) or ())
            self.unchanged = True
            self.known = self.report.accepted = sum(store.totals(self.campaign).values())
            return self.report
        if existing is None or not _has(existing, content):
            if not self._named:
                _refuse_elsewhere(store, content, self.campaign, source=self.source)
            self.changed_from = existing.source if existing else ""
        if half_loaded(store, self.campaign) and existing is not None:
            self.interrupted = existing.source
        marks = Marks()
        self.report.forbidden = marks.add
        with closing(CallSpool(self.campaign, store.folder)) as spool:
            for contact, left_out in placed(self._people(), zones=zones, report=self.report):
                spool.add(contact, left_out)
            self.require(self.report.variables)
            if suppressions is not None:
                marks.keep(suppressions, self.campaign, self.source, now_utc_s=now_utc_s)
            campaign = Campaign(
                name=self.campaign,
                source=self.source,
                source_sha256=f"{content}:{LOADING}",
                created_utc_s=existing.created_utc_s if existing else now_utc_s,
            )
            store.save_campaign(campaign)
            self._store(store, spool)
        if zones and existing is not None:  # It may have been begun without a window to keep.
            store.fill_zones(self.campaign, _zones_of)
        remember_columns(store, self.campaign, self.report.variables)
        store.save_campaign(replace(campaign, source_sha256=digest))
        store.flush()
        return self.report

    def _store(self, store: SqliteStore, spool: CallSpool) -> None:
        stored = 0
        for batch in spool.batches(_BATCH):
            if stored:
                time.sleep(_BREATH_S)
            admitted = [call for call in batch if call.state is not CallState.EXCLUDED]
            left_out = [call for call in batch if call.state is CallState.EXCLUDED]
            known = len(admitted) - store.add_calls(admitted)
            if known:
                store.renew_contacts(admitted)
            self.known += known
            store.add_calls(left_out)
            store.flush()
            stored += len(batch)
            if self.report.stored is not None:
                self.report.stored(stored, len(spool))

    def _manner(self, *, zones: bool, taken_off: int) -> str:
        """Return a digest of how the file is read: other options may find other people.

        So may a suppression list that numbers were taken off.
        """
        options = [
            str(getattr(self._options, field.name))
            for field in fields(self._options)
            if field.name != "suppressed"
        ]
        if taken_off:
            options.append(str(taken_off))
        told = "\0".join([*options, str(zones)])
        return hashlib.sha256(told.encode(errors="replace")).hexdigest()[:16]

    def _people(self) -> Iterator[Person]:
        """Yield the people; raises `ContactsError` at the end of a file that is mostly unusable."""
        report = self.report
        if isinstance(report.rejects, RejectsFile):
            report.rejects.clear()
        options = replace(self._options, suppressed=self.suppressed)
        yield from read_people(self.path, options, report=report)
        if report.rejected_ratio > REJECTED_MAX and not self._allow_rejects:
            message = f"{report.rejected_rows} of {report.rows} rows cannot be used"
            raise ContactsError(message, hint="mend the file, or add `--allow-rejects`")


class RejectsFile:
    """Writes every refused row with its line, code and hint; the file appears with the first."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = 0

    def clear(self) -> None:
        """Remove what an earlier reading has left."""
        with suppress(OSError):  # Writing says what is wrong, if there is anything to write.
            self.path.unlink(missing_ok=True)

    def __call__(self, reject: Reject) -> None:
        """Append one row; raises `LogError` when the file cannot be written."""
        mode = "a" if self.rows else "w"
        try:
            make_private_folder(self.path.parent)
            # Rows hold whole phone numbers.
            with open(self.path, mode, newline="", encoding="utf-8", opener=private) as file:
                if not self.rows:
                    # Spreadsheets take a file without the mark for one in the local encoding.
                    file.write("\ufeffline,code,reason,hint,row\r\n")
                why = (reject.line, reject.code, reject.reason, reject.hint)
                file.write(csv_line([*why, *reject.row]) + "\r\n")
        except OSError as error:
            message = f"cannot write `{self.path}`: {error.strerror or error}"
            hint = f"make `{self.path.parent}` a folder that you may write to"
            raise LogError(message, hint=hint) from error
        self.rows += 1
