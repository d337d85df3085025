"""The import report as text."""

from callagent_cli.cli.contact_import import Importer
from callagent_cli.cli.workplace import Workplace
from callagent_cli.contacts.codes import hint_of


def import_lines(place: Workplace, importer: Importer) -> list[str]:
    """Return what became of the rows: the counts, then the first lines of each reason."""
    report = importer.report
    counts = {
        "new": report.accepted - importer.known,
        "known": importer.known,
        "duplicate": report.duplicate,
        "excluded": report.excluded_rows,
        "rejected": report.rejected_rows,
        "blank": report.blank,
    }
    parts = ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "no people"
    lines = [place.title(f"{importer.path}: {report.rows} rows: {parts}")]
    lines += [f"  note: {note}" for note in report.notes]
    for code in [*report.rejected, *report.excluded]:
        lines += [
            f"  line {example.line}: {example.reason} ({example.value})"
            for example in report.examples.get(code, [])
        ]
        hint = hint_of(code)
        if hint:
            lines.append(f"    fix: {hint}")
    return lines
