"""Takes a contacts file into the store, and says what became of every row."""

import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path

from callagent_cli.calls.model import Call, CallState, Contact
from callagent_cli.contacts.files.source import file_sha256
from callagent_cli.contacts.options import ReadOptions, Reject
from callagent_cli.contacts.reader import read_contacts
from callagent_cli.contacts.report import ImportReport
from callagent_cli.store.port import Campaign
from callagent_cli.store.sqlite_store import SqliteStore

REJECTED_MAX = 0.2
"""A run does not start when more of the rows than this cannot be used."""


def call_id(campaign: str, contact: Contact) -> str:
    """Return the id of a person's call in a campaign: the same in every run."""
    identity = f"{campaign}\0{contact.number}\0{contact.extension}"
    return f"call_{hashlib.sha256(identity.encode()).hexdigest()[:16]}"


def calls_of(campaign: str, contacts: Iterator[Contact], *, zones: bool) -> Iterator[Call]:
    """Yield a call for each contact.

    With `zones`, whoever has no time zone gets those of the number; when it has none, or so many
    that they say nothing, the person is not called.
    """
    for contact in contacts:
        call = Call(id=call_id(campaign, contact), campaign=campaign, contact=contact)
        if zones and not contact.timezone:
            from callagent_cli.contacts.zones import with_zones

            known = with_zones(contact)
            if known is None:
                reason = "the time zone is unknown: add a `timezone` column"
                call = call.evolve(state=CallState.EXCLUDED, reason=reason)
            else:
                call = call.evolve(contact=known)
        yield call


class Importer:
    """Reads one file for one campaign."""

    def __init__(self, path: Path, options: ReadOptions, campaign: str) -> None:
        self.path = path
        self.campaign = campaign
        self.report = ImportReport()
        self.known = 0
        self._options = options

    def check(self) -> ImportReport:
        """Read the whole file without keeping anything; raises `ContactsError`."""
        for _ in read_contacts(self.path, self._options, report=self.report):
            pass
        return self.report

    def load(self, store: SqliteStore, *, now_utc_s: float, zones: bool) -> ImportReport:
        """Add the people who are not known yet; a file that cannot be read adds nobody.

        Raises `ContactsError`, or `StoreError`.
        """
        digest = file_sha256(self.path)
        existing = store.campaign(self.campaign)
        store.save_campaign(
            Campaign(
                name=self.campaign,
                source=str(self.path),
                source_sha256=digest,
                created_utc_s=existing.created_utc_s if existing else now_utc_s,
            )
        )
        contacts = read_contacts(self.path, self._options, report=self.report)
        added = store.add_calls(calls_of(self.campaign, contacts, zones=zones))
        self.known = self.report.accepted - added
        store.flush()
        return self.report


class RejectsFile:
    """Writes every refused row with its line, code and hint; the file appears with the first."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = 0

    def __call__(self, reject: Reject) -> None:
        """Append one row."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        mode = "a" if self.rows else "w"
        with self.path.open(mode, newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            if not self.rows:
                writer.writerow(["line", "code", "reason", "hint", "row"])
            writer.writerow([reject.line, reject.code, reject.reason, reject.hint, *reject.row])
        self.rows += 1
