"""The import report as text."""

from collections.abc import Iterator

from callagent_cli.cli.contacts.importer import Importer, RejectsFile
from callagent_cli.cli.place.workplace import Workplace
from callagent_cli.contacts.codes import hint_of
from callagent_cli.contacts.report import ImportReport
from callagent_cli.counting import counted


def import_lines(place: Workplace, importer: Importer) -> list[str]:
    """Return what became of the rows: counts that add up, then the first lines of each reason."""
    report = importer.report
    if importer.unchanged:
        people = counted(importer.known, "person", "people")
        known = f"{importer.source}: the same file as before: {people}, known already"
        return [place.title(known)]
    counts = {
        "new": report.accepted - importer.known,
        "known": importer.known,
        "duplicate": report.duplicate,
        "excluded": report.excluded_rows,
        "rejected": report.rejected_rows,
        "blank": report.blank,
    }
    parts = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count) or "no people"
    rows = counted(report.rows, "row")
    lines = [place.title(f"{importer.source}: {rows}: {parts}"), *_people(report)]
    lines += [f"  note: {note}" for note in report.notes]
    for code, count in report.rejected.items():
        lines += _reason(importer, code, f"{count} rejected ({code})", count)
    for code, count in report.excluded.items():
        lines += _reason(importer, code, f"{count} excluded ({code})", count)
    if report.duplicate:
        lines += _reason(importer, "duplicate", f"{report.duplicate} duplicate", report.duplicate)
    lines += [
        f"  {count} changed ({code}), {_where(report, code, count)}: {hint_of(code)}"
        for code, count in report.warnings.items()
    ]
    rejects = report.rejects
    if isinstance(rejects, RejectsFile) and rejects.rows:
        lines.append(f"  rejected rows are in {rejects.path}")
    return lines


def _people(report: ImportReport) -> Iterator[str]:
    """Yield whom the rows name, as `status` counts them, when some are not to be called."""
    if not report.excluded_rows:
        return
    others = report.excluded_rows - report.left_out
    repeats = f"; {counted(others, 'more excluded row')} repeat one of them or hold no number"
    yield (
        f"  {counted(report.people, 'person', 'people')}: {report.accepted:,} to call,"
        f" {report.left_out:,} excluded{repeats if others else ''}"
    )


def _where(report: ImportReport, code: str, count: int) -> str:
    """Return the first lines on which cells were changed."""
    lines = [str(example.line) for example in report.examples.get(code, [])]
    more = f" and {count - len(lines)} more" if count > len(lines) else ""
    return f"line{'s' if count > 1 else ''} {', '.join(lines)}{more}"


def _reason(importer: Importer, code: str, title: str, count: int) -> Iterator[str]:
    """Yield a reason with its first lines and what to do about it."""
    yield f"  {title}:"
    examples = importer.report.examples.get(code, [])
    for example in examples:
        yield f"    line {example.line}: {example.reason} ({example.value})"
    if count > len(examples):
        yield f"    and {count - len(examples)} more"
    hint = hint_of(code)
    if hint:
        yield f"    fix: {hint}"
