"""What `callagent run` does: check, import, confirm, work, sum up."""

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import msgspec

from callagent_cli.cli.contacts.fields import require_fields
from callagent_cli.cli.contacts.importer import Importer, RejectsFile
from callagent_cli.cli.contacts.input import (
    STDIN,
    STDIN_SHOWN,
    campaign_name,
    contacts_input,
)
from callagent_cli.cli.contacts.progress import reading_progress
from callagent_cli.cli.contacts.reading import ReadingFlags, read_options
from callagent_cli.cli.contacts.report import import_lines
from callagent_cli.cli.contacts.suppressions import (
    known_test,
    require_whole,
    suppressed_test,
    suppression_list,
    suppressions_file,
)
from callagent_cli.cli.place.workplace import Workplace, workplace
from callagent_cli.cli.run.live_checks import confirm_live, require_credentials
from callagent_cli.cli.screen.terminal import ScreenLook, has_terminal, is_large_enough
from callagent_cli.cli.text import diagnostics
from callagent_cli.cli.text.amounts import seconds
from callagent_cli.cli.text.output import standard_output
from callagent_cli.contacts.files.source import identify
from callagent_cli.counting import counted
from callagent_cli.errors import ContactsError, ExitCode, StoreError
from callagent_cli.store.lock import WorkerLock
from callagent_cli.store.sqlite_store import SqliteStore
from callagent_cli.store.suppressions import SuppressionList, campaign_scope


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """The command line of `run`, as typed."""

    contacts: Path
    config: Path | None = None
    campaign: str = ""
    lanes: int | None = None
    max_wait: str = ""
    dry_run: bool = False
    headless: bool = False
    json: bool = False
    yes: bool = False
    allow_rejects: bool = False
    reading: ReadingFlags = field(default_factory=ReadingFlags)
    metrics_port: int | None = None
    show_numbers: bool = False
    look: ScreenLook | None = None


def run_campaign(options: RunOptions) -> int:
    """Work a campaign to its end and return the exit code; raises `CallAgentError`s."""
    place = _with_flags(workplace(options.config, os.environ), options)
    campaign = campaign_name(options.contacts, options.campaign)
    max_wait_s = seconds("--max-wait", options.max_wait) if options.max_wait else None
    require_credentials(place.settings, os.environ)
    with contacts_input(options.contacts) as path:
        identify(path, options.reading.encoding)  # Nothing is made for a file that is none.
        importer = _importer(place, path, campaign, options)
        if options.dry_run:
            return _dry_run(place, importer)
        with _held_store(place, campaign) as store, suppression_list(place) as suppressions:
            require_whole(suppressions, store, suppressions_file(place))
            _import(place, importer, store, suppressions=suppressions, json=options.json)
            confirm_live(place, store, campaign, assume_yes=options.yes)
            return _work(
                place,
                importer,
                store,
                suppressions=suppressions,
                options=options,
                max_wait_s=max_wait_s,
            )


def _importer(place: Workplace, path: Path, campaign: str, options: RunOptions) -> Importer:
    region, sandbox = place.settings.dialing.region, place.sandbox
    wanted = read_options(options.reading, region=region, sandbox=sandbox)
    source = STDIN_SHOWN if options.contacts == STDIN else str(options.contacts)
    importer = Importer(
        path,
        wanted,
        campaign,
        source=source,
        allow_rejects=options.allow_rejects,
        named=bool(options.campaign),
    )
    importer.require = partial(require_fields, place.settings, source=source)
    importer.report.rejects = RejectsFile(place.logs_dir / f"{campaign}-rejects.csv")
    return importer


@contextmanager
def _held_store(place: Workplace, campaign: str) -> Iterator[SqliteStore]:
    """Yield the store, held by the lock of its one worker."""
    lock = WorkerLock(place.lock)
    age_s, pid = _last_beat(place)
    lock.acquire(campaign, heartbeat_age_s=age_s, beating_pid=pid)
    try:
        store = SqliteStore.open(place.database)
        try:
            yield store
        finally:
            store.close()
    finally:
        lock.release()


def _last_beat(place: Workplace) -> tuple[float | None, int | None]:
    """Return how long ago a run that has not ended gave a sign of life, None without one.

    And the process that gave it, when it is, or was, on this host.
    """
    if not place.was_used:
        return None, None
    with suppress(StoreError):  # Opening it for the run says what is wrong with it.
        store = SqliteStore.open(place.database, read_only=True)
        try:
            last = store.last_run()
        finally:
            store.close()
        if last is not None and last.ended_utc_s is None:
            pid = last.pid if last.host == socket.gethostname() else None
            return max(0.0, time.time() - last.heartbeat_utc_s), pid
    return None, None


def _work(
    place: Workplace,
    importer: Importer,
    store: SqliteStore,
    *,
    suppressions: SuppressionList,
    options: RunOptions,
    max_wait_s: float | None,
) -> int:
    from callagent_cli.cli.run.loop import Run, work
    from callagent_cli.cli.run.summary import summary_lines

    output = standard_output()
    show_numbers = options.show_numbers and output.terminal and not options.json
    if options.show_numbers and not show_numbers:
        diagnostics.warning("`--show-numbers` shows whole numbers on a terminal only")
    look = options.look if has_terminal(os.environ) and is_large_enough() else None
    run = Run(
        place=place,
        store=store,
        campaign=importer.campaign,
        contacts=importer.source,
        max_wait_s=max_wait_s,
        json=options.json,
        bar=look is None and _wants_bar(options),
        look=look,
        metrics_port=options.metrics_port,
        show_numbers=show_numbers,
        report=importer.report,
        known=importer.known,
        suppressions=suppressions,
    )
    worked = asyncio.run(work(run))
    if not options.json:
        for line in summary_lines(place, store, importer.campaign, worked):
            output.prose(line)
    return int(worked.ending.exit_code)


def _with_flags(place: Workplace, options: RunOptions) -> Workplace:
    if options.lanes is None:
        return place
    return replace(place, settings=msgspec.structs.replace(place.settings, lanes=options.lanes))


def _import(
    place: Workplace,
    importer: Importer,
    store: SqliteStore,
    *,
    suppressions: SuppressionList,
    json: bool,
) -> None:
    """Load the file; raises `ContactsError` when it cannot be used as it is."""
    importer.suppressed = suppressed_test(suppressions)
    with _explained(place, importer), reading_progress(importer.report):
        importer.load(
            store, now_utc_s=time.time(), zones=place.keeps_windows, suppressions=suppressions
        )
    suppressions.scopes += (campaign_scope(importer.campaign),)
    if importer.changed_from:
        diagnostics.note(
            f"campaign {importer.campaign} was begun from another version of "
            f"{importer.changed_from}: people who are new were added, those not dialed yet "
            "have what it says of them, nobody was removed"
        )
    if importer.interrupted:
        diagnostics.note(_of_interrupted(importer))
    if json:  # The counts are an event, what to look at is said beside them.
        for note in importer.report.notes:
            diagnostics.warning(note)
        return
    for line in import_lines(place, importer):
        standard_output().line(line)


def _of_interrupted(importer: Importer) -> str:
    """Say what became of a load that was killed."""
    source, campaign = importer.interrupted, importer.campaign
    killed = f"an earlier load of {source} into campaign {campaign} was interrupted"
    if importer.changed_from:
        return f"{killed}: whoever is missing of it is added only if this file has them"
    return f"{killed}: the people who were missing have been added"


def _dry_run(place: Workplace, importer: Importer) -> int:
    output = standard_output()
    with _explained(place, importer), known_test(place) as suppressed:
        importer.suppressed = suppressed
        with reading_progress(importer.report):
            report = importer.check(zones=place.keeps_windows)
    for line in import_lines(place, importer):
        output.line(line)
    people = counted(report.accepted, "person", "people")
    lanes = counted(place.settings.lanes, "lane")
    output.line(place.title(f"dry run: {people}, {lanes}, nobody called"))
    return int(ExitCode.DONE)


@contextmanager
def _explained(place: Workplace, importer: Importer) -> Iterator[None]:
    """Before an error about unusable rows, say which they are."""
    try:
        yield
    except ContactsError:
        if importer.report.rejected_rows:
            for line in import_lines(place, importer):
                diagnostics.note(line)
        raise


def _wants_bar(options: RunOptions) -> bool:
    """Say whether to draw a bar: its lines go to standard error, so both must be terminals."""
    terminals = diagnostics.to_a_terminal() and standard_output().terminal
    return terminals and not options.json
