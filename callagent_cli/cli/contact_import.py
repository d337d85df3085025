"""Takes a contacts file into the store, and says what became of every row."""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path

from callagent_cli.calls.model import Call, CallState, Contact
from callagent_cli.cli.spreadsheet import csv_line
from callagent_cli.contacts.files.source import file_sha256
from callagent_cli.contacts.options import Forbidden, ReadOptions, Reject, nobody
from callagent_cli.contacts.reader import read_contacts
from callagent_cli.contacts.report import ImportReport
from callagent_cli.errors import ContactsError, LogError
from callagent_cli.store.port import Campaign
from callagent_cli.store.sqlite_store import SqliteStore
from callagent_cli.store.suppressions import (
    EVERYWHERE,
    Suppression,
    SuppressionList,
    campaign_scope,
)

REJECTED_MAX = 0.2
"""A run does not start when more of the rows than this cannot be used."""


def call_id(campaign: str, contact: Contact) -> str:
    """Return the id of a person's call in a campaign: the same in every run."""
    identity = f"{campaign}\0{contact.number}\0{contact.extension}"
    return f"call_{hashlib.sha256(identity.encode()).hexdigest()[:16]}"


def calls_of(
    campaign: str, contacts: Iterator[Contact], *, zones: bool, report: ImportReport
) -> Iterator[Call]:
    """Yield a call for each contact.

    With `zones`, whoever has no time zone gets those of the number; when it has none, or so many
    that they say nothing, the person is not called, and the report says so.
    """
    for contact in contacts:
        identity = call_id(campaign, contact)
        placed = _placed(contact) if zones and not contact.timezone else contact
        if placed is not None:
            yield Call(id=identity, campaign=campaign, contact=placed)
            continue
        reason = "the time zone is unknown: add a `timezone` column"
        report.accepted -= 1
        report.exclude("no_timezone", line=contact.line, value=contact.number, reason=reason)
        yield Call(
            id=identity,
            campaign=campaign,
            contact=contact,
            state=CallState.EXCLUDED,
            reason=reason,
        )


def _placed(contact: Contact) -> Contact | None:
    from callagent_cli.contacts.zones import with_zones

    return with_zones(contact)


class Importer:
    """Reads one file for one campaign; `source` is what the file is called.

    Whoever `suppressed` answers true for is not called. After `load`, `known` counts the people
    who were in the campaign already and `changed_from` names the file it was begun with, when that
    was another one; `unchanged` says that it is the same file, read in the same way.
    """

    def __init__(
        self,
        path: Path,
        options: ReadOptions,
        campaign: str,
        *,
        source: str,
        allow_rejects: bool = False,
    ) -> None:
        self.path = path
        self.source = source
        self.campaign = campaign
        self.report = ImportReport()
        self.known = 0
        self.changed_from = ""
        self.unchanged = False
        self.suppressed: Callable[[str], bool] = nobody
        self._options = options
        self._allow_rejects = allow_rejects

    def check(self, *, zones: bool) -> ImportReport:
        """Read the whole file without keeping anything; raises `ContactsError`."""
        for _ in self._calls(zones=zones):
            pass
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

        Do-not-call marks of the file are kept in `suppressions`: a clear one for ever, one that
        cannot be read for as long as this campaign's file has it. Then `store` may be dead.
        Raises `ContactsError`, or `StoreError`.
        """
        content = file_sha256(self.path)
        digest = f"{content}:{self._manner(zones=zones)}"
        existing = store.campaign(self.campaign)
        if existing is not None and existing.source_sha256 == digest:
            self.unchanged = True
            self.known = self.report.accepted = sum(store.totals(self.campaign).values())
            return self.report
        if existing is not None and existing.source_sha256.partition(":")[0] != content:
            self.changed_from = existing.source
        forbidden: list[Forbidden] = []
        self.report.forbidden = forbidden.append
        try:
            self._add(store, existing, digest, now_utc_s=now_utc_s, zones=zones)
            if suppressions is not None:
                self._keep_marks(suppressions, forbidden, now_utc_s)
        except BaseException:
            store.abandon().close()  # Neither the campaign nor any of its people.
            raise
        store.flush()
        return self.report

    def _add(
        self,
        store: SqliteStore,
        existing: Campaign | None,
        digest: str,
        *,
        now_utc_s: float,
        zones: bool,
    ) -> None:
        store.save_campaign(
            Campaign(
                name=self.campaign,
                source=self.source,
                source_sha256=digest,
                created_utc_s=existing.created_utc_s if existing else now_utc_s,
            )
        )
        added = store.add_calls(self._calls(zones=zones))
        self.known = self.report.accepted + self.report.excluded["no_timezone"] - added

    def _manner(self, *, zones: bool) -> str:
        """Return a digest of how the file is read: other options may find other people."""
        options = [
            str(getattr(self._options, field.name))
            for field in fields(self._options)
            if field.name != "suppressed"
        ]
        return hashlib.sha256("\0".join([*options, str(zones)]).encode()).hexdigest()[:16]

    def _keep_marks(
        self, suppressions: SuppressionList, forbidden: list[Forbidden], now_utc_s: float
    ) -> None:
        scope = campaign_scope(self.campaign)
        clear: list[Suppression] = []
        unclear: list[Suppression] = []
        for mark in forbidden:
            certain = mark.code == "do_not_call"
            says = "says not to call" if certain else "has a do-not-call mark that is unreadable"
            suppression = Suppression(
                number=mark.number,
                reason=f"line {mark.line} of {self.source} {says}",
                added_utc_s=now_utc_s,
                scope=EVERYWHERE if certain else scope,
            )
            (clear if certain else unclear).append(suppression)
        suppressions.add(clear)
        suppressions.replace(scope, unclear)

    def _calls(self, *, zones: bool) -> Iterator[Call]:
        return calls_of(self.campaign, self._contacts(), zones=zones, report=self.report)

    def _contacts(self) -> Iterator[Contact]:
        """Yield the people; raises `ContactsError` at the end of a file that is mostly unusable."""
        report = self.report
        if isinstance(report.rejects, RejectsFile):
            report.rejects.clear()
        options = replace(self._options, suppressed=self.suppressed)
        yield from read_contacts(self.path, options, report=report)
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
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(self.path, mode, newline="", encoding="utf-8", opener=_private) as file:
                if not self.rows:
                    file.write("line,code,reason,hint,row\r\n")
                why = (reject.line, reject.code, reject.reason, reject.hint)
                file.write(csv_line([*why, *reject.row]) + "\r\n")
        except OSError as error:
            message = f"cannot write `{self.path}`: {error.strerror or error}"
            hint = f"make `{self.path.parent}` a folder that you may write to"
            raise LogError(message, hint=hint) from error
        self.rows += 1


def _private(path: str, flags: int) -> int:
    """Open a file that nobody else may read: rows hold whole phone numbers."""
    return os.open(path, flags, 0o600)
