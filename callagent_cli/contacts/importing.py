"""One import: the file identified, its columns understood, every row decided and counted."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from callagent_cli.calls.model import Contact
from callagent_cli.contacts.cells import show, visible
from callagent_cli.contacts.codes import hint_of
from callagent_cli.contacts.columns import Columns, has_phone, resolve
from callagent_cli.contacts.files.rows import ONE_COLUMN, Dialect, Row, candidates, split_rows
from callagent_cli.contacts.files.source import Source, identify
from callagent_cli.contacts.files.workbook import Book
from callagent_cli.contacts.identities import Identities
from callagent_cli.contacts.judge import Accepted, Excluded, Judge, Rejected
from callagent_cli.contacts.options import Forbidden, LeftOut, Person, ReadOptions, Reject
from callagent_cli.contacts.phones.numbering import is_region
from callagent_cli.contacts.phones.reading import NumberRules
from callagent_cli.contacts.phones.remarks import forbids
from callagent_cli.contacts.report import ImportReport
from callagent_cli.errors import ContactsError

_TELL_EVERY: Final = 1 << 13
"""Rows between two words about progress."""

_REGION_HINT: Final = "two letters, such as DE, GB or US"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A file that was understood; its people begin on `first_line`. A workbook is to be closed."""

    source: Source
    dialect: Dialect
    columns: Columns
    rules: NumberRules
    first_line: int
    book: Book | None

    def body(self) -> Iterator[Row]:
        """Yield the rows below the header, from the first each time."""
        for row in _rows(self.source, self.dialect, self.book):
            if row.line >= self.first_line:
                yield row

    def close(self) -> None:
        """Release the file."""
        if self.book is not None:
            self.book.close()


class Import:
    """Reads one file once; `people` may be called a single time."""

    def __init__(self, path: Path, options: ReadOptions, report: ImportReport) -> None:
        self._path = path
        self._options = options
        self._report = report
        self._seen = Identities()
        self._forbidden = Identities()
        self._left_out = Identities()

    def open(self) -> Opened:
        """Identify the file and understand its columns; raises `ContactsError`."""
        rules = self._rules()
        source = identify(self._path, self._options.encoding)
        dialect = self._dialect(source)
        tell = self._report.texts
        book = Book(source, tell, remarks=forbids) if source.workbook else None
        try:
            header = _header(source, dialect, book)
            columns = resolve(header.cells, self._options, label=source.label)
        except ContactsError:
            if book is not None:
                book.close()
            raise
        return Opened(
            source=source,
            dialect=dialect,
            columns=columns,
            rules=rules,
            first_line=header.line + 1 if columns.has_header else header.line,
            book=book,
        )

    def people(self) -> Iterator[Person]:
        """Yield the people to call, and those to leave out; raises `ContactsError`."""
        opened = self.open()
        try:
            yield from self._people(opened)
        finally:
            opened.close()

    def _people(self, opened: Opened) -> Iterator[Person]:
        source, columns = opened.source, opened.columns
        self._describe(opened)
        judge = Judge(columns, opened.rules)
        if _may_forbid(opened):
            self._survey(judge, opened.body())
            self._refuse_nothing(source)
        surveyed = self._report.expected_rows
        for count, row in enumerate(opened.body()):
            if count % _TELL_EVERY == 0:
                self._tell(count + (surveyed or 0), None if surveyed is None else 2 * surveyed)
            person = self._decide(judge, row)
            if person is not None:
                yield person
        if self._report.rows == self._report.blank:
            raise _only_header(source)

    def _rules(self) -> NumberRules:
        region = self._options.region.strip().upper()
        if region and not is_region(region):
            message = f"unknown region `{show(self._options.region)}`"
            raise ContactsError(message, hint=_REGION_HINT)
        international = self._options.numbers_are_international
        national = self._options.numbers_are_national
        if international and national:
            message = "numbers cannot be both international and national"
            raise ContactsError(message, hint="say one of the two")
        if national and not region:
            message = "national numbers need a region"
            raise ContactsError(message, hint=f"--region: {_REGION_HINT}")
        return NumberRules(
            region=region,
            international=international,
            national=national,
            allow_fiction=self._options.allow_fiction,
        )

    def _dialect(self, source: Source) -> Dialect:
        """Take the likeliest dialect under which the header names a phone column."""
        if source.workbook:
            return Dialect(ONE_COLUMN)
        found = candidates(source)
        for dialect, header in found:
            if has_phone([visible(cell).strip() for cell in header], self._options):
                if dialect.skip_lines and dialect is not found[0][0]:
                    raise _wrong_separator(source, found[0][0], dialect)
                return dialect
        return found[0][0]

    def _describe(self, opened: Opened) -> None:
        report, source, columns = self._report, opened.source, opened.columns
        dialect, book = opened.dialect, opened.book
        report.file = source.label
        report.encoding = source.encoding
        report.delimiter = "" if dialect.delimiter == ONE_COLUMN else dialect.delimiter
        report.columns = columns.header
        report.phone_columns = tuple(columns.header[index] for index in columns.phone)
        report.variables = tuple(name for name, _ in columns.variables)
        report.notes += [source.note] if source.note else []
        report.notes += [] if book is None else book.notes
        report.notes.extend(map(_unread_mark, columns.unread_marks))
        report.notes.extend(map(_unread_zone, columns.unread_zones))

    def _survey(self, judge: Judge, rows: Iterator[Row]) -> None:
        """Read the file through: count the rows, learn who must not be called."""
        count = 0
        for row in rows:
            if count % _TELL_EVERY == 0:
                self._tell(count, None)
            count += 1
            excluded = judge.forbidden(row)
            if excluded is not None:
                self._forbid(row.line, excluded)
        self._report.expected_rows = count

    def _forbid(self, line: int, excluded: Excluded) -> None:
        for number in excluded.numbers:
            self._forbidden.add(number, "", line)
            if self._report.forbidden is not None:
                self._report.forbidden(Forbidden(line, number, excluded.code))

    def _tell(self, read: int, of: int | None) -> None:
        """Say how many rows were read of how many; a text file is read twice."""
        if self._report.progress is not None:
            self._report.progress(read, of)

    def _refuse_nothing(self, source: Source) -> None:
        if not self._report.expected_rows:
            raise _only_header(source)

    def _decide(self, judge: Judge, row: Row) -> Person | None:
        verdict = judge.judge(row)
        if isinstance(verdict, Accepted):
            return self._admit(verdict)
        if isinstance(verdict, Rejected):
            self._reject(verdict, row)
        elif isinstance(verdict, Excluded):
            return self._exclude(verdict, row.line)
        else:
            self._report.blank += 1
        return None

    def _reject(self, verdict: Rejected, row: Row) -> None:
        code, reason = verdict.refusal.code, verdict.refusal.reason
        reject = Reject(
            line=row.line, code=code, reason=reason, hint=hint_of(code), row=tuple(row.cells)
        )
        self._report.reject(reject, verdict.value)

    def _exclude(self, verdict: Excluded, line: int) -> LeftOut | None:
        code, reason = verdict.code, verdict.reason
        self._report.exclude(code, line=line, value=verdict.value, reason=reason)
        return None if verdict.contact is None else self._leave_out(verdict.contact, reason)

    def _leave_out(self, contact: Contact, reason: str) -> LeftOut | None:
        known = self._seen.knows(contact.number, contact.extension)
        if known or self._left_out.add(contact.number, contact.extension, contact.line):
            return None  # Another row has the same person.
        self._report.left_out += 1
        return LeftOut(contact, reason)

    def _admit(self, verdict: Accepted) -> Person | None:
        """Let a person through who is not suppressed, not forbidden and not known already."""
        contact, report = verdict.contact, self._report
        line, number = contact.line, contact.number
        for one in verdict.numbers:
            if self._options.suppressed(one):
                reason = "on the suppression list"
                report.exclude("suppressed", line=line, value=one, reason=reason)
                return self._leave_out(contact, reason)
            if forbidden_on := self._forbidden.line_of(one):
                reason = f"line {forbidden_on} says not to call"
                report.exclude("do_not_call", line=line, value=one, reason=reason)
                return self._leave_out(contact, reason)
        first_line = self._seen.add(number, contact.extension, line)
        if first_line:
            report.repeat(line=line, value=number, first_line=first_line)
            return None
        for code in verdict.changes:
            report.warn(code, line=line, value=number)
        if self._left_out.knows(number, contact.extension):
            report.left_out -= 1  # For another number of theirs; this row's may all be called.
        report.accepted += 1
        return contact


def _may_forbid(opened: Opened) -> bool:
    """Say whether a row can say that somebody must not be called, for whom another row stands.

    Reading a workbook takes most of the time of an import, so it is read twice only for a reason.
    """
    columns, book = opened.columns, opened.book
    if book is None or columns.do_not_call or columns.labels or len(columns.phone) > 1:
        return True
    return book.may_have_remarks()


def _unread_mark(name: str) -> str:
    return (
        f"column `{show(name)}` is not read as a do-not-call mark; "
        f'if it is one: --map "do_not_call={visible(name)}", and yes means not to call'
    )


def _unread_zone(name: str) -> str:
    return (
        f"column `{show(name)}` is not read as the person's time zone; "
        f'if it is: --map "timezone={visible(name)}"'
    )


def _wrong_separator(source: Source, named: Dialect, found: Dialect) -> ContactsError:
    message = (
        f"{source.label}: the first line says `sep={show(named.delimiter)}`, "
        f"but the column names are divided by `{show(found.delimiter)}`"
    )
    return ContactsError(message, hint="correct the first line, or delete it")


def _only_header(source: Source) -> ContactsError:
    message = f"{source.label}: a header and nothing below it"
    return ContactsError(message, hint="export the contacts again")


def _rows(source: Source, dialect: Dialect, book: Book | None) -> Generator[Row, None, None]:
    if book is not None:
        return book.rows()
    return split_rows(source, dialect.delimiter, skip_lines=dialect.skip_lines)


def _header(source: Source, dialect: Dialect, book: Book | None) -> Row:
    """Return the first row with a letter or digit; raises `ContactsError` when there is none."""
    rows = _rows(source, dialect, book)
    try:
        for row in rows:
            if row.fault:
                message = f"{source.label}: the column names on line {row.line} are malformed"
                raise ContactsError(message, hint="correct the first line")
            if any("\0" in cell for cell in row.cells):
                message = f"{source.label}: a NUL byte in the first line: damaged, or no text"
                raise ContactsError(message, hint="export the contacts again as CSV UTF-8")
            if any(map(str.isalnum, "".join(row.cells))):
                return row
    finally:
        rows.close()
    raise ContactsError(f"{source.label}: the file is empty", hint="export the contacts again")
