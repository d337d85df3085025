"""What `callagent contacts` does: check a file, keep the list of people who are not called."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from callagent_cli.calls.model import mask
from callagent_cli.cli import diagnostics
from callagent_cli.cli.contact_import import REJECTED_MAX, Importer, RejectsFile
from callagent_cli.cli.contacts_input import STDIN, campaign_name, contacts_input
from callagent_cli.cli.contacts_progress import reading_progress
from callagent_cli.cli.contacts_reading import ReadingFlags, read_options
from callagent_cli.cli.contacts_suppress import suppress
from callagent_cli.cli.contacts_suppressions import known_test, suppression_list, suppressions_file
from callagent_cli.cli.import_text import import_lines
from callagent_cli.cli.output import standard_output
from callagent_cli.cli.suggestions import hint_for
from callagent_cli.cli.workplace import Workplace, workplace
from callagent_cli.clock import utc_text
from callagent_cli.errors import ContactsError, ExitCode, UsageError
from callagent_cli.store.suppressions import SANDBOX, Suppression


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactsOptions:
    """The command line of `contacts`, as typed."""

    what: tuple[str, ...]
    config: Path | None
    json: bool
    file: Path | None
    reason: str
    reading: ReadingFlags


def run_contacts(action: str, options: ContactsOptions) -> int:
    """Do one of the actions; raises `CallAgentError`s."""
    do = _ACTIONS.get(action)
    if do is None:
        hint = hint_for(action, _ACTIONS, otherwise=f"it can {', '.join(_ACTIONS)}")
        raise UsageError(f"`callagent contacts` cannot `{action}`", hint=hint)
    if action != "suppress" and (options.file or options.reason):
        raise UsageError(
            f"`contacts {action}` takes no --file and no --reason",
            hint="they belong to `callagent contacts suppress`",
        )
    return do(workplace(options.config, os.environ), options)


def _check(place: Workplace, options: ContactsOptions) -> int:
    if len(options.what) != 1:
        raise UsageError("one file to check", hint="`callagent contacts check FILE`")
    contacts = Path(options.what[0])
    campaign = campaign_name(contacts, "")
    rejects = RejectsFile(place.logs_dir / f"{campaign}-rejects.csv")
    wanted = read_options(
        options.reading, region=place.settings.dialing.region, sandbox=place.sandbox
    )
    with contacts_input(contacts) as path, known_test(place) as suppressed:
        importer = Importer(
            path,
            wanted,
            campaign,
            source="standard input" if contacts == STDIN else str(contacts),
            allow_rejects=True,
        )
        importer.report.rejects = rejects
        importer.suppressed = suppressed
        with reading_progress(importer.report):
            importer.check(zones=not place.sandbox)
    report = importer.report
    usable = report.rejected_ratio <= REJECTED_MAX
    if options.json:
        about = {"schema": 1, "mode": place.settings.mode, "usable": usable}
        kept = str(rejects.path) if rejects.rows else ""
        standard_output().document({**about, **report.to_dict(), "rejects_file": kept})
    else:
        for line in import_lines(place, importer):
            standard_output().line(line)
    if not usable:
        message = f"{report.rejected_rows} of {report.rows} rows cannot be used"
        raise ContactsError(message, hint="mend the file; `run` starts with --allow-rejects only")
    return int(ExitCode.DONE)


def _suppress(place: Workplace, options: ContactsOptions) -> int:
    if bool(options.what) == (options.file is not None):
        raise UsageError(
            "numbers to suppress, or a file of them",
            hint="`callagent contacts suppress NUMBER…`, or `--file FILE`",
        )
    flags = options.reading
    wanted = read_options(flags, region=place.settings.dialing.region, sandbox=True)
    done = suppress(
        place,
        numbers=options.what,
        file=options.file,
        options=wanted,
        reason=options.reason,
    )
    if options.json:
        standard_output().document({"schema": 1, **done.to_dict()})
    else:
        standard_output().line(done.text)
    for problem in done.shown:
        diagnostics.note(f"  {problem}")
    if done.unread:
        raise ContactsError(
            f"{done.unread} of the values cannot be read, and those numbers can still be called",
            hint="write them with + and the country code, or pass --region",
        )
    return int(ExitCode.DONE)


def _suppressed(place: Workplace, options: ContactsOptions) -> int:
    if options.what:
        raise UsageError("`contacts suppressed` takes no numbers", hint="it lists them all")
    entries: list[Suppression] = []
    if suppressions_file(place).exists():
        with suppression_list(place) as known:
            entries = known.entries()
    output = standard_output()
    if options.json:
        rows = [
            {
                "number": mask(entry.number),
                "reason": entry.reason,
                "scope": entry.scope,
                "added": utc_text(entry.added_utc_s),
            }
            for entry in entries
        ]
        output.document({"schema": 1, "count": len(rows), "suppressions": rows})
        return int(ExitCode.DONE)
    for entry in entries:
        added = utc_text(entry.added_utc_s)[:19]
        output.line(f"{mask(entry.number)}  {added}Z  {entry.reason}{_where(entry.scope)}")
    if not entries:
        output.line("nobody is suppressed: `callagent contacts suppress NUMBER`")
    return int(ExitCode.DONE)


def _where(scope: str) -> str:
    if scope == SANDBOX:
        return " (sandbox only)"
    return f" ({scope.replace(':', ' ', 1)} only)" if scope else ""


_ACTIONS: Final[dict[str, Callable[[Workplace, ContactsOptions], int]]] = {
    "check": _check,
    "suppress": _suppress,
    "suppressed": _suppressed,
}
