"""What `callagent incidents` does: read the store, and put together what it knows."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import msgspec

from callagent_cli.calls.model import CallState
from callagent_cli.cli.place.workplace import workplace
from callagent_cli.cli.text.output import standard_output
from callagent_cli.cli.text.suggestions import hint_for
from callagent_cli.clock import utc_text
from callagent_cli.durations import duration_text
from callagent_cli.errors import ExitCode, UsageError
from callagent_cli.events import Severity
from callagent_cli.monitor.paint.glyphs import to_ascii
from callagent_cli.monitor.paint.table import Cell, Column, Row, filled, header, lay_out, pieces
from callagent_cli.monitor.text import Paper
from callagent_cli.reporting.incidents.incident import Incident, load
from callagent_cli.reporting.incidents.report import report_of
from callagent_cli.reporting.incidents.report_text import markdown, plain
from callagent_cli.store.sqlite_store import SqliteStore

_WIDEST: Final = 160
REHEARSE: Final = "an outage makes one; rehearse it: `callagent simulate elevenlabs-503`"

_COLUMNS: Final = (
    Column("id", "INCIDENT", 8),
    Column("since", "SINCE (UTC)", 16),
    Column("severity", "LEVEL", 8, rank=2),
    Column("key", "WHAT", 16, flex=True),
    Column("lasted", "LASTED", 8, right=True),
    Column("affected", "PEOPLE", 6, rank=1, right=True),
    Column("failed", "FAILED", 6, rank=1, right=True),
    Column("seen", "SEEN BY", 10, rank=3, optional=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentOptions:
    """The options of `incidents`, as typed."""

    json: bool
    markdown: bool
    config: Path | None


class IncidentLine(msgspec.Struct, frozen=True, kw_only=True):
    """One incident of `incidents --json`; `lasted_s` is none while it is open."""

    id: str
    key: str
    severity: Severity
    status: str
    first_failure: str
    resolved: str | None
    lasted_s: float | None
    affected: int
    failed: int
    acknowledged_by: str


class IncidentList(msgspec.Struct, frozen=True, kw_only=True):
    """The document of `incidents --json`, the latest incident last."""

    schema: Literal[1] = 1
    mode: str
    incidents: list[IncidentLine]


def list_incidents(options: IncidentOptions) -> int:
    """Print all incidents; raises `CallAgentError`s."""
    if options.markdown:
        raise UsageError("a list has no Markdown form", hint="use `--json`, or `show ID`")
    place = workplace(options.config, os.environ)
    store = place.read_store()
    try:
        found = [_line(incident) for incident in load(store)]
    finally:
        store.close()
    output = standard_output()
    if options.json:
        output.document(IncidentList(mode=place.settings.mode, incidents=found))
        return int(ExitCode.DONE)
    if not found:
        output.line(place.title("no incident so far"))
        return int(ExitCode.DONE)
    if place.label:
        output.line(place.label)
    columns = min(shutil.get_terminal_size().columns, _WIDEST)
    for text in _table([_row(line) for line in found], Paper(columns=columns)):
        output.line(to_ascii(text) if output.ascii_only else text)
    return int(ExitCode.DONE)


def show_incident(wanted: str, options: IncidentOptions) -> int:
    """Print the report of one incident; raises `UsageError` when there is none of that id."""
    if options.json and options.markdown:
        raise UsageError("`--json` and `--markdown` exclude each other", hint="choose one of them")
    place = workplace(options.config, os.environ)
    store = place.read_store()
    try:
        known = [incident.id for incident in load(store)]
        wanted = wanted or next(reversed(known), "")
        report = report_of(store, wanted, state_of=_state_of(store), pending=_pending(store))
    finally:
        store.close()
    if report is None:
        otherwise = "list them: `callagent incidents`" if known else REHEARSE
        hint = hint_for(wanted, known, otherwise=otherwise)
        raise UsageError(f"no incident `{wanted}`" if wanted else "no incident so far", hint=hint)
    output = standard_output()
    if options.json:
        output.document(report)
        return int(ExitCode.DONE)
    ascii_only = output.ascii_only
    columns = min(shutil.get_terminal_size().columns, _WIDEST)
    shown = plain(report, ascii_only=ascii_only, columns=columns)
    lines = markdown(report) if options.markdown else shown
    if place.label and not options.markdown:
        output.line(place.label)
    for line in lines:
        output.line(line)
    return int(ExitCode.DONE)


def _line(incident: Incident) -> IncidentLine:
    ended_s = incident.ended_utc_s
    return IncidentLine(
        id=incident.id,
        key=incident.key,
        severity=incident.severity,
        status=incident.status,
        first_failure=utc_text(incident.first_failure_utc_s),
        resolved=None if ended_s is None else utc_text(ended_s),
        lasted_s=None if ended_s is None else round(ended_s - incident.first_failure_utc_s, 3),
        affected=incident.calls_affected,
        failed=incident.calls_failed,
        acknowledged_by=incident.acknowledged_by,
    )


def _row(line: IncidentLine) -> Row:
    lasted = "open" if line.lasted_s is None else duration_text(round(line.lasted_s))
    texts = {
        "id": line.id,
        "since": line.first_failure[:16].replace("T", " "),
        "severity": line.severity,
        "key": line.key,
        "lasted": lasted,
        "affected": str(line.affected),
        "failed": str(line.failed),
        "seen": line.acknowledged_by,
    }
    return Row(line.id, {name: Cell(text) for name, text in texts.items()})


def _table(rows: list[Row], paper: Paper) -> Iterator[str]:
    placed = lay_out(filled(_COLUMNS, rows), paper.columns)
    yield header(placed).rstrip()
    for row in rows:
        yield "".join(cell.text for cell in pieces(row, placed)).rstrip()


def _state_of(store: SqliteStore) -> Callable[[str], str]:
    """Return what tells the state of a call today, an empty text for one that is gone."""

    def state_of(call_id: str) -> str:
        call = store.call(call_id)
        return "" if call is None else call.state.value

    return state_of


def _pending(store: SqliteStore) -> int:
    last = store.last_run()
    return 0 if last is None else store.totals(last.campaign).get(CallState.PENDING, 0)
