"""What `callagent status` does: look at the store, and show what is there."""

import os
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from callagent_cli.cli.campaign.loads import load_lines
from callagent_cli.cli.campaign.status_json import StatusDocument, status_document
from callagent_cli.cli.contacts.columns import half_loaded
from callagent_cli.cli.place.campaigns import campaign_of
from callagent_cli.cli.place.last_worker import is_gone
from callagent_cli.cli.place.service_names import service_names
from callagent_cli.cli.place.sheet_rows import count_rows, waiting_rows
from callagent_cli.cli.place.snapshot import snapshot_of
from callagent_cli.cli.place.workplace import Workplace, workplace
from callagent_cli.cli.text.output import Output, standard_output
from callagent_cli.errors import ExitCode
from callagent_cli.monitor.snapshot import Snapshot
from callagent_cli.monitor.state import ViewState
from callagent_cli.monitor.text import Paper, status_lines, verdict_line
from callagent_cli.store.lock import Holder, holder
from callagent_cli.store.port import RunRow

WATCH_S: Final = 1.0
_CLEAR: Final = "\x1b[H\x1b[2J"
_WIDEST: Final = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusOptions:
    """The command line of `status`, as typed."""

    json: bool
    watch: bool
    campaign: str
    config: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at the store, and who holds it.

    `last` is the run that began last, whatever its campaign; `note` is what a watcher did about it;
    `sheet` says how many rows are not in the Google Sheet yet, `sheet_rows` counts them.
    `half_loaded` says that people of the campaign's file may be missing, `loads` tells of every
    campaign of which that is so.
    """

    place: Workplace
    campaign: str
    snapshot: Snapshot
    holder: Holder | None
    heartbeat_utc_s: float | None
    now_utc_s: float
    last: RunRow | None = None
    note: str = ""
    sheet: str = ""
    sheet_rows: int = 0
    half_loaded: bool = False
    loads: tuple[str, ...] = ()

    @property
    def alive(self) -> bool:
        """Whether a worker holds the database right now."""
        return self.holder is not None and self.holder.alive

    @property
    def state(self) -> ViewState:
        """The view state rebuilt from the snapshot, the services in their usual order."""
        return ViewState.from_snapshot(self.snapshot, service_names(self.place.settings))


def show_status(options: StatusOptions) -> int:
    """Print the status once, or again and again; raises `CallAgentError`s."""
    place = workplace(options.config, os.environ)
    output = standard_output()
    if options.watch:
        return _watch(place, options, output)
    _show(take_a_look(place, options.campaign), output, options)
    return int(ExitCode.DONE)


def _watch(place: Workplace, options: StatusOptions, output: Output) -> int:
    """Show it each second until nobody reads it; a worker that is lost meanwhile is told of."""
    from callagent_cli.cli.alerts.watcher import Watcher

    watcher = Watcher(place)
    try:
        while not output.reader_gone:
            look = take_a_look(place, options.campaign)
            watcher.look(look.last, look.holder, look.now_utc_s)
            _show(replace(look, note=watcher.note), output, options)
            time.sleep(WATCH_S)
    finally:
        watcher.close()
    return int(ExitCode.DONE)


def _show(look: Look, output: Output, options: StatusOptions) -> None:
    if options.json:
        output.document(document_of(look))
    else:
        _print(look, output, clear=options.watch and output.terminal)


def take_a_look(place: Workplace, campaign: str) -> Look:
    """Read the store once; raises `UsageError` when nothing was ever run."""
    store = place.read_store()
    try:
        campaign = campaign_of(store, campaign)
        now_utc_s = time.time()
        held = holder(place.lock)
        alive = held is not None and held.alive
        last = store.last_run(campaign)
        return Look(
            place=place,
            campaign=campaign,
            snapshot=snapshot_of(
                store,
                campaign,
                alive=alive,
                now_utc_s=now_utc_s,
                gone=is_gone(last, held, now_utc_s),
            ),
            holder=held,
            heartbeat_utc_s=None if last is None else last.heartbeat_utc_s,
            now_utc_s=now_utc_s,
            last=store.last_run(),
            sheet_rows=count_rows(store),
            sheet=waiting_rows(
                store, working=alive, is_set=bool(place.settings.sheet.spreadsheet_id)
            ),
            half_loaded=half_loaded(store, campaign),
            loads=load_lines(store, held),
        )
    finally:
        store.close()


def document_of(look: Look) -> StatusDocument:
    """Return a look as the document of `--json`."""
    return status_document(
        look.state,
        look.snapshot,
        mode=look.place.settings.mode,
        campaign=look.campaign,
        worker_alive=look.alive,
        heartbeat_utc_s=look.heartbeat_utc_s,
        now_utc_s=look.now_utc_s,
        half_loaded=look.half_loaded,
        sheet_rows_waiting=look.sheet_rows,
    )


def text_of(look: Look, paper: Paper) -> list[str]:
    """Return a look as lines, the verdict first."""
    state, now_s = look.state, look.now_utc_s
    label = look.place.title("")
    narrower = Paper(columns=paper.columns - len(label), ascii_only=paper.ascii_only)
    lines = status_lines(state, now_s, paper)
    lines[0] = label + verdict_line(state, now_s, narrower)
    age = _age_line(look)
    if age:
        lines.insert(2, paper.line(age))
    headed = lines.index("") if "" in lines else len(lines)
    lines[headed:headed] = [paper.line(f"  {load}") for load in look.loads]
    if look.sheet:
        lines.append(paper.line(f"  {look.sheet}"))
    return lines


def _age_line(look: Look) -> str:
    """Return how old the data is, unless the run has ended and nothing can have changed."""
    run = look.snapshot.run
    if run is None or run.ended_utc_s is not None or look.heartbeat_utc_s is None:
        return ""
    age_s = max(0.0, look.now_utc_s - look.heartbeat_utc_s)
    who = "the worker lives" if look.alive else "no worker holds the database"
    note = f"; {look.note}" if look.note else ""
    return f"  data of {age_s:.0f} s ago; {who}{note}"


def _print(look: Look, output: Output, *, clear: bool) -> None:
    columns = min(shutil.get_terminal_size().columns, _WIDEST)
    paper = Paper(columns=columns, ascii_only=output.ascii_only)
    if clear:
        output.control(_CLEAR)
    for line in text_of(look, paper):
        output.line(line)
    output.flush()
