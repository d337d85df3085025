"""One row decided: a contact, or why not. Pure: it knows nothing of the rows before."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any, Final, NamedTuple

from callagent_cli.calls.model import Contact
from callagent_cli.contacts.cells import clean, suspect
from callagent_cli.contacts.columns import Columns
from callagent_cli.contacts.files.rows import Row
from callagent_cli.contacts.phones.reading import (
    MACHINE,
    NumberRules,
    Phone,
    Refusal,
    numbers_among_words,
    read_phones,
)
from callagent_cli.contacts.phones.remarks import forbids, labels_no_phone
from callagent_cli.contacts.values import says_no_calls, zone_of

_CELL_CHARACTERS: Final = 32_767
_ROW_CHARACTERS: Final = 262_144
_EXTENSION_DIGITS: Final = 10
_CLEAR: Final = "do_not_call"
_FAULTS: Final = {
    "cell_too_large": "a cell without an end",
    "quotes": "a quote ends within a cell",
}
"""What each fault of a malformed row is."""


class Accepted(NamedTuple):
    """A row that holds a person to call; `numbers` are all of the row's, `changes` the cleaned."""

    contact: Contact
    numbers: tuple[str, ...]
    changes: tuple[str, ...]


class Rejected(NamedTuple):
    """A row that cannot be used; `value` is the cell at fault."""

    refusal: Refusal
    value: str


@dataclass(frozen=True, slots=True)
class Excluded:
    """A row of a person who must not be called; `numbers` are theirs, when they can be read.

    `contact` is the person, as far as the row is in order; none without a number.
    """

    code: str
    reason: str
    value: str
    numbers: tuple[str, ...]
    contact: Contact | None


@dataclass(frozen=True, slots=True)
class Blank:
    """A row without any text."""


class _Mark(NamedTuple):
    """A do-not-call cell that forbids to call: code, reason, and the cell."""

    code: str
    reason: str
    value: str


Verdict = Accepted | Rejected | Excluded | Blank
BLANK: Final = Blank()


class Judge:
    """Decides rows of one file: the columns and the rules, compiled."""

    def __init__(self, columns: Columns, rules: NumberRules) -> None:
        self._columns = columns
        self._rules = rules
        self._width = len(columns.header)
        self._worded = (*columns.phone, *columns.labels.values())
        self._keys = tuple(name for name, _ in columns.variables)
        self._places = tuple(index for _, index in columns.variables)
        self._pick: Any = itemgetter(*self._places) if len(self._places) > 1 else self._pick_few

    def _pick_few(self, cells: list[str]) -> tuple[str, ...]:
        return tuple(cells[index] for index in self._places)

    def judge(self, row: Row) -> Verdict:
        """Decide a row: blank, malformed, not to be called, without a number, or a contact."""
        cells = row.cells
        if not any(cells) or not "".join(cells).strip():
            return BLANK
        if row.fault:
            return Rejected(Refusal(row.fault, _FAULTS[row.fault]), cells[0])
        short = len(cells) < self._width
        if len(cells) != self._width:
            if any(cell.strip() for cell in cells[self._width :]):
                return _damaged(cells) or self._too_many(cells)
            cells = [*cells[: self._width], *[""] * (self._width - len(cells))]
        marked = self._mark(cells, short=short)
        if marked is not None:
            return self._excluded(row.line, cells, marked)
        return _damaged(cells) or _too_large(cells) or self._person(row.line, cells)

    def forbidden(self, row: Row) -> Excluded | None:
        """Return what the do-not-call column or the phone cell forbids, None for nothing."""
        if row.fault:
            return self._forbidden_in_guess(row)
        cells, marks = row.cells, self._columns.do_not_call
        if any(cell.strip() for cell in cells[self._width :]):
            return self._forbidden_beside(row)
        whole = len(cells) == self._width or not marks
        if whole and all(says_no_calls(cells[index]) is False for index in marks):
            worded = self._worded
            if not any(index < len(cells) and forbids(cells[index]) for index in worded):
                return None
        verdict = self.judge(row)
        return verdict if isinstance(verdict, Excluded) else None

    def _forbidden_beside(self, row: Row) -> Excluded | None:
        """Return what the mark of a row with surplus cells forbids, None without a clear yes.

        The surplus stands behind all columns, or it comes of a delimiter before them. Moved like
        that, a yes may be another column's: it holds for as long as the file has it. Words beside
        a number mean that number, in whichever cell it stands.
        """
        for cell in row.cells:
            code = forbids(cell)
            numbers = tuple(numbers_among_words(cell, self._rules)) if code else ()
            if numbers:
                return Excluded(code, "words beside the number", cell, numbers, None)
        for moved in (0, len(row.cells) - self._width) if self._columns.do_not_call else ():
            cells = row.cells[moved : moved + self._width]
            mark = self._column_mark(cells, short=False)
            if mark is not None and mark.code == _CLEAR:
                mark = mark._replace(code="do_not_call_unreadable") if moved else mark
                excluded = self._excluded(row.line, cells, mark)
                if excluded.numbers:
                    return excluded
        return None

    def _forbidden_in_guess(self, row: Row) -> Excluded | None:
        """Return what a malformed row may forbid, which holds for as long as the file has it."""
        if not row.guess:
            return None
        missing = [""] * (self._width - len(row.guess))
        found = self._forbidden_beside(Row(row.line, [*row.guess, *missing]))
        return found and replace(found, code="do_not_call_unreadable")

    def _too_many(self, cells: list[str]) -> Verdict:
        """Reject a row out of shape: it may hide a do-not-call mark, so nothing of it is used."""
        reason = f"{len(cells)} cells, but {self._width} columns"
        return Rejected(Refusal("columns", reason), cells[self._width])

    def _mark(self, cells: list[str], *, short: bool) -> _Mark | None:
        """Read what forbids to call, if anything: a do-not-call column, or the phone's words."""
        mark = self._column_mark(cells, short=short) if self._columns.do_not_call else None
        for index in self._worded:
            code = forbids(cells[index])
            if code and (mark is None or code == _CLEAR) and self._has_number(cells):
                says = "say" if code == _CLEAR else "may say"
                mark = _Mark(code, f"words beside the number {says} not to call", cells[index])
        return mark

    def _has_number(self, cells: list[str]) -> bool:
        return any(numbers_among_words(cells[i], self._rules) for i in self._columns.phone)

    def _column_mark(self, cells: list[str], *, short: bool) -> _Mark | None:
        """Read the do-not-call columns: what forbids to call, if anything.

        The worst answer counts, a missing cell is unreadable. Where no number stands there is
        nobody to leave alone: such a row is the footer of an export.
        """
        unreadable = ""
        for index in self._columns.do_not_call:
            answer = says_no_calls(cells[index])
            if answer:
                reason = "the do-not-call column says not to call"
                return _Mark(_CLEAR, reason, cells[index])
            if answer is None:
                unreadable = cells[index]
        if unreadable:
            reason = "the do-not-call cell is unreadable"
            return _Mark("do_not_call_unreadable", reason, unreadable)
        missing = short and not cells[self._columns.do_not_call[-1]]
        if missing and any(cells[index].strip() for index in self._columns.phone):
            return _Mark("do_not_call_unreadable", "the cell is missing", "")
        return None

    def _excluded(self, line: int, cells: list[str], mark: _Mark) -> Excluded:
        code, reason, value = mark
        cells = [cell[:_CELL_CHARACTERS] for cell in cells]
        for index in self._columns.phone:
            if forbids(cells[index]):
                cells[index] = "; ".join(numbers_among_words(cells[index], self._rules))
        person = self._person(line, cells)
        read = self._read(cells)
        certain = [found.number for found in read if isinstance(found, Phone)]
        numbers = dict.fromkeys(certain)
        if len(certain) < len(read):
            numbers.update(dict.fromkeys(self._every_number(cells)))
        contact = Contact(line=line, number=certain[0]) if certain else None
        known = person.contact if isinstance(person, Accepted) else contact
        return Excluded(code, reason, value, tuple(numbers), known)

    def _every_number(self, cells: list[str]) -> Iterator[str]:
        """Yield whom a mark may be about, by numbers that are not certain enough for a call.

        To leave one of two people alone for nothing is better than to call the wrong one.
        """
        for index in self._columns.phone:
            if cells[index].strip():
                yield from numbers_among_words(cells[index], self._rules)

    def _read(self, cells: list[str]) -> list[Phone | Refusal]:
        labels = self._columns.labels
        found: list[Phone | Refusal] = []
        for index in self._columns.phone:
            if (text := cells[index]).strip():
                machine = index in labels and labels_no_phone(cells[labels[index]])
                found += [MACHINE] if machine else read_phones(text, self._rules)
        return found or read_phones("", self._rules)

    def _person(self, line: int, cells: list[str]) -> Verdict:
        read = self._read(cells)
        phones = [found for found in read if isinstance(found, Phone)]
        first = read[0]
        if not phones:
            value = next((cells[i] for i in self._columns.phone if cells[i].strip()), "")
            return Rejected(first if isinstance(first, Refusal) else Refusal("no_phone", ""), value)
        phone = phones[0]
        changes = list(phone.changes) if first is phone else [*phone.changes, "alternate_used"]
        zone = self._zone(cells)
        if isinstance(zone, Rejected):
            return zone
        extension = self._extension(cells, phone)
        if isinstance(extension, Rejected):
            return extension
        numbers = tuple(dict.fromkeys(one.number for one in phones))
        if self._columns.variables or self._columns.name or self._columns.crm_id is not None:
            cells = _cleaned(cells, self._columns.phone, changes)
        contact = Contact(
            line=line,
            number=phone.number,
            extension=extension,
            name=self._name(cells),
            timezone=zone,
            crm_id=self._crm_id(cells),
            alternate=numbers[1] if len(numbers) > 1 else "",
            variables=dict(zip(self._keys, self._pick(cells), strict=True)),
        )
        return Accepted(contact, numbers, tuple(changes))

    def _zone(self, cells: list[str]) -> str | Rejected:
        index = self._columns.timezone
        if index is None:
            return ""
        zone = zone_of(cells[index])
        if zone is None:
            return Rejected(Refusal("timezone", "an unknown time zone"), cells[index])
        return zone

    def _extension(self, cells: list[str], phone: Phone) -> str | Rejected:
        """Return the extension of the number's own cell, else that of its column."""
        index = self._columns.extension
        if phone.extension or index is None:
            return phone.extension
        cell = clean(cells[index])[0].lower().removeprefix("ext").lstrip(".:x# ")
        text = cell.removesuffix(".0")
        if text and not (text.isdecimal() and text.isascii() and len(text) <= _EXTENSION_DIGITS):
            return Rejected(Refusal("extension", "not an extension"), cells[index])
        return text

    def _name(self, cells: list[str]) -> str:
        parts = (cells[index] for index in self._columns.name)
        return " ".join(part for part in parts if part)

    def _crm_id(self, cells: list[str]) -> str:
        index = self._columns.crm_id
        if index is None:
            return ""
        text = cells[index]
        return text[:-2] if text.endswith(".0") and text[:-2].isdigit() else text


def _damaged(cells: list[str]) -> Rejected | None:
    """Reject a row with a NUL byte: no program writes one, and a digit may have stood there."""
    if "\0" not in "".join(cells):
        return None
    value = next(cell for cell in cells if "\0" in cell)
    return Rejected(Refusal("damaged", "a NUL byte in a cell"), value.strip("\0"))


def _too_large(cells: list[str]) -> Rejected | None:
    total = 0
    for cell in cells:
        total += len(cell)
        if len(cell) > _CELL_CHARACTERS:
            reason = f"a cell of {len(cell):,} characters"
            return Rejected(Refusal("cell_too_large", reason), cell)
    if total > _ROW_CHARACTERS:
        return Rejected(Refusal("cell_too_large", f"a row of {total:,} characters"), cells[0])
    return None


def _cleaned(cells: list[str], phone: tuple[int, ...], changes: list[str]) -> list[str]:
    """Return the cells as the agent may be handed them; the phone's were read by then."""
    stripped = [cell.strip() for cell in cells]
    for index in phone:
        stripped[index] = ""
    if not suspect(stripped):
        return stripped
    cleaned = []
    for cell in stripped:
        text, code = clean(cell)
        cleaned.append(text)
        if code and code not in changes:
            changes.append(code)
    return cleaned
