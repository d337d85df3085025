"""What `callagent run` does: check, import, confirm, work, sum up."""

import asyncio
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from callagent_cli.cli import diagnostics
from callagent_cli.cli.contact_import import REJECTED_MAX, Importer, RejectsFile
from callagent_cli.cli.import_text import import_lines
from callagent_cli.cli.live_checks import confirm_live, require_credentials
from callagent_cli.cli.output import Output, standard_output
from callagent_cli.cli.run_loop import Run, work
from callagent_cli.cli.summary import summary_lines
from callagent_cli.cli.workplace import Workplace, workplace
from callagent_cli.contacts.options import ReadOptions
from callagent_cli.durations import parse_duration
from callagent_cli.errors import ContactsError, ExitCode
from callagent_cli.store.lock import WorkerLock
from callagent_cli.store.sqlite_store import SqliteStore


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """The command line of `run`, as typed."""

    contacts: Path
    config: Path | None
    campaign: str
    lanes: int | None
    max_wait: str
    dry_run: bool
    headless: bool
    json: bool
    yes: bool
    allow_rejects: bool
    region: str
    show_numbers: bool


def run_campaign(options: RunOptions) -> int:
    """Work a campaign to its end and return the exit code; raises `CallAgentError`s."""
    place = _with_flags(workplace(options.config, os.environ), options)
    campaign = options.campaign or options.contacts.stem
    max_wait_s = parse_duration(options.max_wait) if options.max_wait else None
    importer = Importer(options.contacts, _read_options(place, options), campaign)
    rejects = RejectsFile(place.logs_dir / f"{campaign}-rejects.csv")
    importer.report.rejects = rejects
    require_credentials(place.settings, os.environ)
    output = standard_output()
    if options.dry_run:
        return _dry_run(place, importer, output)
    lock = WorkerLock(place.lock)
    lock.acquire(campaign)
    try:
        store = SqliteStore.open(place.database)
        try:
            _import(place, importer, store, options=options)
            confirm_live(place, store, campaign, assume_yes=options.yes)
            run = Run(
                place=place,
                store=store,
                campaign=campaign,
                contacts=str(options.contacts),
                max_wait_s=max_wait_s,
                json=options.json,
                bar=_wants_bar(options),
                show_numbers=options.show_numbers and output.terminal,
                report=importer.report,
                known=importer.known,
            )
            ending = asyncio.run(work(run))
            if not options.json:
                for line in summary_lines(place, store, campaign, ending):
                    output.line(line)
            return int(ending.exit_code)
        finally:
            store.close()
    finally:
        lock.release()


def _with_flags(place: Workplace, options: RunOptions) -> Workplace:
    if options.lanes is None:
        return place
    settings = msgspec.structs.replace(place.settings, lanes=options.lanes)
    return Workplace(settings=settings, state_dir=place.state_dir, logs_dir=place.logs_dir)


def _read_options(place: Workplace, options: RunOptions) -> ReadOptions:
    return ReadOptions(
        region=options.region or place.settings.dialing.region,
        column_map={},
        allow_fiction=place.sandbox,
    )


def _import(
    place: Workplace, importer: Importer, store: SqliteStore, *, options: RunOptions
) -> None:
    """Load the file; raises `ContactsError` when too much of it cannot be used."""
    report = importer.load(store, now_utc_s=time.time(), zones=not place.sandbox)
    if report.rejected_ratio > REJECTED_MAX and not options.allow_rejects:
        for line in import_lines(place, importer):
            diagnostics.note(line)
        message = f"{report.rejected_rows} of {report.rows} rows cannot be used"
        raise ContactsError(message, hint="mend the file, or add `--allow-rejects`")
    if not options.json:
        for line in import_lines(place, importer):
            standard_output().line(line)


def _dry_run(place: Workplace, importer: Importer, output: Output) -> int:
    report = importer.check()
    for line in import_lines(place, importer):
        output.line(line)
    lanes = place.settings.lanes
    output.line(place.title(f"dry run: {report.accepted} people, {lanes} lanes, nobody called"))
    return int(ExitCode.DONE)


def _wants_bar(options: RunOptions) -> bool:
    return sys.stderr.isatty() and not options.headless and not options.json
