"""The import report: what became of every row, in memory that does not grow with the file."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from callagent_cli.contacts.cells import show
from callagent_cli.contacts.codes import hint_of
from callagent_cli.contacts.options import Forbidden, Reject

EXAMPLES: Final = 5


@dataclass(frozen=True, slots=True)
class Example:
    """One row that shows what a code means; `value` is masked and safe to print."""

    line: int
    value: str
    reason: str


@dataclass(slots=True, kw_only=True)
class ImportReport:
    """What became of the rows of a contacts file; the counts add up to `rows`.

    `accepted` counts people as well as rows. So does `left_out` those who must not be called: of
    the rows that say so, each person's first. The others repeat one of them, or hold no number.
    `expected_rows` is known before the first contact is read, for a progress bar (an .xlsx
    without a do-not-call column is not counted beforehand: None). `columns` is the header,
    `variables` the names under which the agent gets the cells, `phone_columns` where numbers are
    read. `notes` are warnings about the file as a whole, `warnings` count changed cells by code.
    `rejects` receives every rejected row; it must not keep them. `forbidden` receives the numbers
    that a do-not-call column names, before the first contact comes out. `progress` is told now and
    then how many rows were read and how many there are to read, as far as that is known; `texts`
    how many shared texts of a workbook, which come before its rows, and `stored` how many people
    of how many a store has taken.
    """

    rejects: Callable[[Reject], None] | None = None
    forbidden: Callable[[Forbidden], None] | None = None
    progress: Callable[[int, int | None], None] | None = None
    texts: Callable[[int], None] | None = None
    stored: Callable[[int, int], None] | None = None
    file: str = ""
    encoding: str = ""
    delimiter: str = ""
    columns: tuple[str, ...] = ()
    phone_columns: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    expected_rows: int | None = None
    accepted: int = 0
    left_out: int = 0
    duplicate: int = 0
    blank: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    excluded: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    examples: dict[str, list[Example]] = field(default_factory=dict)

    @property
    def rejected_rows(self) -> int:
        """Rows that cannot be used, whatever their code."""
        return self.rejected.total()

    @property
    def excluded_rows(self) -> int:
        """Rows of people who must not be called."""
        return self.excluded.total()

    @property
    def people(self) -> int:
        """Everybody the file names: to call, or not to be called."""
        return self.accepted + self.left_out

    @property
    def rows(self) -> int:
        """All rows read so far, the header not among them."""
        parts = (self.accepted, self.duplicate, self.rejected_rows, self.excluded_rows, self.blank)
        return sum(parts)

    @property
    def rejected_ratio(self) -> float:
        """Rejected rows among those that are not blank; 0 for none."""
        filled = self.rows - self.blank
        return self.rejected_rows / filled if filled else 0.0

    def reject(self, reject: Reject, value: str) -> None:
        """Count a row that cannot be used and hand it to the rejects sink."""
        self.rejected[reject.code] += 1
        self._remember(reject.code, reject.line, value, reject.reason)
        if self.rejects is not None:
            self.rejects(reject)

    def exclude(self, code: str, *, line: int, value: str, reason: str) -> None:
        """Count a row of a person who must not be called."""
        self.excluded[code] += 1
        self._remember(code, line, value, reason)

    def repeat(self, *, line: int, value: str, first_line: int) -> None:
        """Count a person who stands in the file already."""
        self.duplicate += 1
        self._remember("duplicate", line, value, f"duplicate of line {first_line}")

    def warn(self, code: str, *, line: int, value: str) -> None:
        """Count a cell that was changed before use."""
        self.warnings[code] += 1
        self._remember(code, line, value, hint_of(code))

    def _remember(self, code: str, line: int, value: str, reason: str) -> None:
        examples = self.examples.setdefault(code, [])
        if len(examples) < EXAMPLES:
            examples.append(Example(line, show(value), reason))

    def to_dict(self) -> dict[str, Any]:
        """Return the whole report as JSON can carry it."""
        return {
            "file": self.file,
            "encoding": self.encoding,
            "delimiter": self.delimiter,
            "columns": [show(column) for column in self.columns],
            "phone_columns": [show(column) for column in self.phone_columns],
            "variables": [show(name) for name in self.variables],
            "rows": self.rows,
            "accepted": self.accepted,
            "duplicate": self.duplicate,
            "rejected": self.rejected_rows,
            "excluded": self.excluded_rows,
            "blank": self.blank,
            "people": self.people,
            "excluded_people": self.left_out,
            "rejected_by_code": dict(self.rejected),
            "excluded_by_code": dict(self.excluded),
            "warnings": dict(self.warnings),
            "notes": list(self.notes),
            "examples": {code: self._listed(code) for code in self.examples},
        }

    def _listed(self, code: str) -> dict[str, Any]:
        lines = [
            {"line": example.line, "value": example.value, "reason": example.reason}
            for example in self.examples[code]
        ]
        return {"hint": hint_of(code), "lines": lines}
