"""An incident's report as plain text for a terminal, and as Markdown for a page."""

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Final, NamedTuple

from callagent_cli.clock import utc_text
from callagent_cli.durations import duration_text
from callagent_cli.reporting.incidents.incident import Sample
from callagent_cli.reporting.incidents.report import Report

CHART_COLUMNS: Final = 60
_NARROWEST: Final = 20
_BARS: Final = " ▁▂▃▄▅▆▇█"
_ASCII_BARS: Final = " .:-=+*#@"


class Section(NamedTuple):
    """A heading and its rows; a row of one cell is a line, a chart is shown as it is."""

    title: str
    rows: Sequence[tuple[str, ...]]
    verbatim: bool = False


def plain(report: Report, *, ascii_only: bool = False, columns: int = 10_000) -> Iterator[str]:
    """Yield the report as lines for a terminal of some columns; long ones go on below."""
    yield _headline(report)
    for section in _sections(report, ascii_only=ascii_only):
        yield ""
        yield section.title
        width = max((len(row[0]) for row in section.rows if len(row) > 1), default=0)
        for row in section.rows:
            line = "  " + "  ".join([row[0].ljust(width), *row[1:]]).rstrip()
            if section.verbatim:
                yield line
            else:
                yield from _wrapped(line, columns, indent=width + 4 if len(row) > 1 else 2)


def _wrapped(line: str, columns: int, *, indent: int) -> list[str]:
    room = max(columns, indent + _NARROWEST)
    return wrap(
        line,
        room,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
        replace_whitespace=False,
        drop_whitespace=True,
    )


def markdown(report: Report) -> Iterator[str]:
    """Yield the report as lines of Markdown."""
    yield f"# {_headline(report)}"
    for section in _sections(report, ascii_only=False):
        yield from ("", f"## {section.title}", "")
        if section.verbatim:
            yield from ("```text", *(row[0] for row in section.rows), "```")
        elif section.rows and len(section.rows[0]) > 1:
            columns = len(section.rows[0])
            yield "| " + " | ".join([""] * columns) + " |"
            yield "|" + " --- |" * columns
            for row in section.rows:
                yield "| " + " | ".join(_cell(text) for text in row) + " |"
        else:
            yield from (f"- {row[0]}" for row in section.rows)


def chart(counts: Sequence[int], bucket_s: float, *, ascii_only: bool) -> list[str]:
    """Return errors over time as three lines: scale, bars, and the axis."""
    if not counts:
        return ["no failed attempt"]
    per_column = -(-len(counts) // CHART_COLUMNS)
    columns = [
        sum(counts[start : start + per_column]) for start in range(0, len(counts), per_column)
    ]
    most = max(columns)
    bars = _ASCII_BARS if ascii_only else _BARS
    steps = len(bars) - 1
    line = "".join(bars[-(-count * steps // most) if most else 0] for count in columns)
    width_s = per_column * bucket_s
    ends = duration_text(len(columns) * width_s)
    axis = "0s".ljust(max(3, len(columns) - len(ends))) + ends
    return [f"failed attempts in each {duration_text(width_s)}, at most {most}", line, axis]


def _headline(report: Report) -> str:
    again = f", {report.times_opened} times" if report.times_opened > 1 else ""
    return f"{report.id} {report.key} ({report.severity}, {report.status}{again})"


def _sections(report: Report, *, ascii_only: bool) -> Iterator[Section]:
    what = [text for text in (report.reason, report.last_error) if text]
    told = what[:1] if report.last_error in report.reason else what
    yield Section("What", [(text,) for text in told])
    yield Section("Times (UTC)", _times(report))
    yield Section("Impact", _impact(report))
    yield Section("Waste: failed requests to the service", _waste(report))
    errors = report.errors
    lines = chart(errors.counts, errors.bucket_s, ascii_only=ascii_only)
    yield Section("Errors over time", [(line,) for line in lines], verbatim=True)
    yield Section("Timeline", [(entry.time, entry.text) for entry in report.timeline])
    samples = [_sample(sample) for sample in report.samples] or [("none",)]
    yield Section("Sample errors", samples)
    settings = [(name, value) for name, value in report.settings.items()]
    yield Section("Settings in force", [*settings, ("version", report.version or "unknown")])
    yield Section("What to do", _next(report))


def _times(report: Report) -> list[tuple[str, ...]]:
    times = report.times
    who = f" by {times.acknowledged_by}" if times.acknowledged and times.acknowledged_by else ""
    return [
        ("first failure", times.first_failure, ""),
        ("detected", times.detected, f"MTTD {_seconds(times.mttd_s)}"),
        ("acknowledged", (times.acknowledged or "not yet") + who, f"MTTA {_seconds(times.mtta_s)}"),
        ("mitigated", times.mitigated or "not yet", f"MTTM {_seconds(times.mttm_s)}"),
        ("resolved", times.resolved or "not yet", f"MTTR {_seconds(times.mttr_s)}"),
        ("declared over", times.declared_over or "not yet", ""),
    ]


def _seconds(seconds: float | None) -> str:
    return "–" if seconds is None else duration_text(seconds)


def _impact(report: Report) -> list[tuple[str, ...]]:
    impact = report.impact
    now = ", ".join(f"{count} {state}" for state, count in sorted(impact.affected_now.items()))
    return [
        ("people affected", f"{impact.affected}{f' (today: {now})' if now else ''}"),
        ("people protected", f"{impact.protected} (held back while it was down)"),
        ("failed for good", str(impact.failed)),
        ("to review", str(impact.review)),
    ]


def _waste(report: Report) -> list[tuple[str, ...]]:
    waste = report.waste
    after = str(waste.after_open) if waste.after_open == 0 else f"{waste.after_open} (must be 0)"
    return [
        ("first attempts", str(waste.first_attempts)),
        ("retries", str(waste.retries)),
        ("trials", str(waste.trials)),
        ("sent while open", after),
    ]


def _sample(sample: Sample) -> tuple[str, ...]:
    status = f" ({sample.http_status})" if sample.http_status else ""
    request = f" [{sample.request_id}]" if sample.request_id else ""
    what = f"{sample.operation} attempt {sample.attempt}: {sample.outcome}{status}{request}"
    return (utc_text(sample.at_utc_s), f"{what}: {sample.error_message}")


def _next(report: Report) -> list[tuple[str, ...]]:
    """Return what to do, a command on a line of its own."""
    if report.requeue:
        return [("take back exactly the calls that failed by it:",), (f"`{report.requeue}`",)]
    if report.command:
        return [("start the run again:",), (f"`{report.command}`",)]
    if report.impact.review:
        return [("decide the calls in review: `callagent review`",)]
    return [("nothing: no call failed by it",)]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
